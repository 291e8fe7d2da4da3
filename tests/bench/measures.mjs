// What the benchmark measures, in groups; each group returns figures (figures.mjs). The README says how and what for.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { allocations, instructions, names, opensOf, systemCalls, timed } from './clients.mjs';
import { judged, ratio } from './figures.mjs';
import { countConnections } from './service.mjs';

const run = promisify(execFile);
const COUNTED_GETS = 200;
const FLEETS = [100, 1000, 10000];
const loopOf = (sessions, what, gets = COUNTED_GETS) => ({ sessions, what, gets });
const optionsOf = (client, gets, more = {}) => ({ gets, ...(client === 'c' ? { sessions: 1, what: 'get' } : {}), ...more });

function median(list) {
  const sorted = [...list].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The fewest of some runs: how often a client wakes up for one answer is chance, and only ever adds.
async function fewestPerGet(bench, client, place, email) {
  const found = [];
  for (let i = 0; i < 3; i++) {
    const options = optionsOf(client, COUNTED_GETS, { email });
    found.push((await instructions(bench.build, client, bench.places[place], options)).gets / COUNTED_GETS);
  }
  return Math.min(...found);
}

async function instructionsOfGets(bench) {
  const figures = [];
  for (const [place, email, text] of [
    ['http', 'small@example.com', '0.4 KB answer, HTTP'], ['http', 'viewer@example.com', '2 KB answer, HTTP'],
    ['https', 'viewer@example.com', '2 KB answer, HTTPS'],
  ]) {
    const values = {};
    for (const client of ['a', 'b', 'c']) {
      bench.progress(`instructions, ${text}: ${names[client]}`);
      values[client] = await fewestPerGet(bench, client, place, email);
    }
    const id = `instructions.get.${place}.${email.split('@')[0]}`;
    figures.push(judged({ id, text: `instructions per GET, ${text}`, unit: 'instructions', kind: 'instructions', values },
      'b, c <= 1.10 a', ratio(values, 'b', 'a') <= 1.1 && ratio(values, 'c', 'a') <= 1.1));
  }
  return figures;
}

async function allocationsOfGets(bench) {
  const found = {};
  for (const client of ['a', 'b', 'c']) {
    bench.progress(`allocations: ${names[client]}`);
    found[client] = await allocations(bench.build, client, bench.places.http);
  }
  const by = (who) => Object.fromEntries(Object.entries(found).map(([client, counts]) => [client, counts[who]]));
  const figure = (who, text, kind) => ({
    id: `allocations.${who}`, text: `allocations per GET, ${text}`, unit: 'calls', kind, values: by(who),
  });
  const program = figure('program', "the client's own", 'allocations');
  return [
    judged(program, 'b, c <= 4', program.values.b <= 4 && program.values.c <= 4),
    figure('libcurl', "libcurl's", 'borrowed'), figure('cjson', "cJSON's", 'borrowed'),
    figure('other', "other libraries'", 'borrowed'),
  ];
}

async function systemCallsOfGets(bench) {
  const values = {};
  for (const client of ['a', 'b', 'c']) {
    bench.progress(`system calls: ${names[client]}`);
    values[client] = await systemCalls(bench.build, client, bench.places.http);
  }
  return [{ id: 'system_calls', text: 'system calls per GET, HTTP', unit: 'calls', kind: 'borrowed', values }];
}

// Rounds of one run each; who begins changes from round to round.
async function roundsOf(bench, place, rounds, gets) {
  const found = { a: [], b: [], c: [], d: [] };
  for (let round = 0; round < rounds; round++) {
    if (round % 5 === 0) bench.progress(`requests per second and memory, ${place}: round ${round + 1} of ${rounds}`);
    for (const client of round % 2 ? ['b', 'a', 'c', 'd'] : ['a', 'b', 'd', 'c'])
      found[client].push(await timed(bench.build, client, bench.places[place],
        optionsOf(client, client === 'd' ? gets / 4 : gets)));
  }
  return found;
}

const rateOf = (result) => result.gets / result.seconds;

function ratesOf(place, found) {
  const values = { a: 1 };
  for (const client of ['b', 'c', 'd'])
    values[client] = median(found[client].map((result, i) => rateOf(result) / rateOf(found.a[i])));
  const figure = { id: `rate.${place}`, text: `GETs per second against a, ${place}`, unit: 'x', kind: 'clock', values };
  const used = Object.fromEntries(Object.entries(found).map(([client, results]) => [client,
    median(results.map((r) => (r.processor_seconds / r.gets) * 1e6))]));
  const node = median(found.b.map((result, i) => rateOf(result) / rateOf(found.d[i])));
  return [
    judged(figure, 'b, c >= 0.97', values.b >= 0.97 && values.c >= 0.97),
    judged({ id: `rate_to_node.${place}`, text: `GETs per second against d, ${place}`, unit: 'x', kind: 'clock',
      values: { b: node, d: 1 } }, 'b >= 5', node >= 5),
    { id: `processor.${place}`, text: `processor time of the client per GET, ${place}`, unit: 'us', kind: 'clock', values: used },
  ];
}

function mediansOf(found, name) {
  return Object.fromEntries(Object.entries(found).map(([client, results]) => [client, median(results.map((r) => r[name]))]));
}

function memoryOf(place, found) {
  const values = mediansOf(found, 'resident_kb');
  const dirty = mediansOf(found, 'private_dirty_kb');
  return [
    judged({ id: `resident.${place}`, text: `resident set, ${place}`, unit: 'kB', kind: 'clock', values },
      'b, c <= 0.2 d', values.b <= values.d / 5 && values.c <= values.d / 5),
    { id: `private.${place}`, text: `of it private and written, ${place}`, unit: 'kB', kind: 'clock', values: dirty },
  ];
}

async function ratesAndMemory(bench) {
  const figures = [];
  for (const [place, rounds, gets] of [['http', 15, 1600], ['https', 15, 1600], ['bundle', 3, 400]]) {
    const found = await roundsOf(bench, place, rounds, gets);
    if (place !== 'bundle') figures.push(...ratesOf(place, found), ...memoryOf(place, found));
    else figures.push(...memoryOf(place, found));
    figures.push({ id: `first_answer.${place}`, text: `open to first answer, ${place}`, unit: 'ms', kind: 'clock',
      values: mediansOf(found, 'open_to_first_ms') });
  }
  return figures;
}

async function handshakes(bench) {
  const values = {};
  for (const client of ['a', 'b', 'c', 'd']) {
    bench.progress(`handshakes: ${names[client]}`);
    [values[client]] = await countConnections(bench.services.https,
      () => timed(bench.build, client, bench.places.https, optionsOf(client, COUNTED_GETS)));
  }
  return [judged({ id: 'handshakes.one', text: `handshakes of a login and ${COUNTED_GETS} GETs`, unit: 'handshakes',
    kind: 'count', values }, 'b, c = 1', values.b === 1 && values.c === 1)];
}

// A machine that is too busy lets a connection time out, and a client connects once more: that is another run's figure.
async function undisturbed(bench, place, connections, work) {
  for (let attempt = 0; attempt < 3; attempt++) {
    const [made, result] = await countConnections(bench.services[place === 'http' ? 'http' : 'https'], work);
    if (made === connections) return result;
    bench.progress(`once more: ${made} connections instead of ${connections}`);
  }
  throw new Error(`a client needs more than ${connections} connections, ${place}`);
}

async function firstAnswers(bench) {
  const figures = [];
  for (const [place, text] of [['http', 'HTTP'], ['https', 'HTTPS, one certificate'], ['bundle', 'HTTPS, system bundle']]) {
    const values = {};
    for (const client of ['a', 'b']) {
      bench.progress(`instructions from open to the first answer, ${text}: ${names[client]}`);
      values[client] = (await undisturbed(bench, place, 1,
        () => instructions(bench.build, client, bench.places[place], { gets: 1 }))).first;
    }
    bench.progress(`instructions from open to the first answer, ${text}: ${names.c}, five sessions`);
    const loop = await undisturbed(bench, place, 2,
      () => instructions(bench.build, 'c', bench.places[place], { sessions: 5, what: 'open' }));
    values.c = loop.first;
    const figure = (name, which, value) => ({ id: `open.${name}.${place}`, text: `${which} session, open to answer, ${text}`,
      unit: 'instructions', kind: 'instructions', values: value });
    figures.push(figure('first', 'first', values));
    if (place !== 'bundle') continue;
    figures.push(
      judged(figure('second', 'second', { c: loop.second }), 'c <= 0.1 first', loop.second <= loop.first / 10),
      judged(figure('third', 'third', { c: loop.third }), 'c <= 0.1 first', loop.third <= loop.first / 10),
      judged(figure('two_at_once', '4th and 5th', { c: loop.two_at_once }), 'c <= 0.1 first', loop.two_at_once <= loop.first / 10),
    );
  }
  return figures;
}

// The direct evidence for what the instructions show: how often the bundle is read, and by how many connections.
async function bundleReads(bench) {
  bench.progress('how often the system bundle is read: loop, five sessions');
  const options = { sessions: 5, what: 'open' };
  const [connections, opens] = await countConnections(bench.services.https,
    () => opensOf(bench.build, 'c', bench.places.bundle, options, bench.places.bundle.ca));
  return [
    judged({ id: 'bundle.reads', text: 'the bundle is read, five sessions on a loop', unit: 'times', kind: 'count',
      values: { c: opens } }, 'c = 1', opens === 1),
    judged({ id: 'bundle.handshakes', text: 'handshakes of these five', unit: 'handshakes', kind: 'count',
      values: { c: connections } }, 'c = 2', connections === 2),
  ];
}

// Its rate is held against the hand-written client's, which runs just before it.
async function fleetWithClock(bench, place, sessions) {
  bench.progress(`${sessions} sessions on one loop, ${place}: sign in, idle, GET, refresh`);
  const alone = [];
  for (let i = 0; i < 5; i++) alone.push(rateOf(await timed(bench.build, 'a', bench.places[place], { gets: 1000 })));
  const [connections, result] = await countConnections(bench.services[place], () => timed(bench.build, 'c',
    bench.places[place], loopOf(sessions, 'idle,get,refresh', 2000)));
  const suffix = place === 'http' ? '' : `, ${place}`;
  const figure = (id, text, unit, kind, value) => ({ id: `${id}.${sessions}${place === 'http' ? '' : `.${place}`}`,
    text: `${text}, ${sessions} sessions${suffix}`, unit, kind, values: { c: value } });
  const heap = figure('heap', 'heap per idle signed-in session', 'bytes', 'heap', result.heap_per_session);
  const pool = figure('connections', 'connections for all', 'connections', 'count', connections);
  const large = sessions === 10000;
  const rate = figure('rate', 'GETs per second against a', 'x', 'clock', rateOf(result) / median(alone));
  rate.values.a = 1;
  return [
    large ? judged(heap, 'c <= 4,096', heap.values.c <= 4096) : heap,
    large ? judged(pool, 'c <= 8', connections <= 8) : pool,
    figure('resident', 'resident set when all are signed in', 'kB', 'clock', result.idle_resident_kb),
    figure('resident_most', 'resident set after as many refreshes at once', 'kB', 'clock', result.resident_kb),
    rate,
  ];
}

async function fleetsWithClock(bench) {
  const figures = [];
  for (const sessions of FLEETS) figures.push(...await fleetWithClock(bench, 'http', sessions));
  return [...figures, ...await fleetWithClock(bench, 'https', FLEETS.at(-1))];
}

async function fleetsWithCallgrind(bench) {
  const gets = {};
  const refreshes = {};
  for (const sessions of FLEETS) {
    bench.progress(`instructions of ${sessions} sessions on one loop: GET, refresh`);
    const count = Math.min(sessions, 1000);
    const phases = await instructions(bench.build, 'c', bench.places.http, loopOf(sessions, 'get,refresh', count));
    gets[sessions] = phases.gets / count;
    refreshes[sessions] = phases.refresh / sessions;
  }
  const spread = Math.max(...Object.values(refreshes)) / Math.min(...Object.values(refreshes));
  const figure = (id, text, values, sessions) => ({ id: `instructions.${id}.${sessions}`, text: `${text}, ${sessions} sessions`,
    unit: 'instructions', kind: 'instructions', values: { c: values[sessions] } });
  return [
    ...FLEETS.map((sessions) => figure('get_of', 'instructions per GET', gets, sessions)),
    ...FLEETS.map((sessions) => figure('refresh_of', 'instructions per refresh', refreshes, sessions)),
    judged({ id: 'refresh.spread', text: 'dearest refresh against cheapest, 100 to 10000 sessions', unit: 'x', kind: 'clock',
      values: { c: spread } }, 'c <= 1.15', spread <= 1.15),
  ];
}

async function sizes(bench) {
  const figures = [];
  for (const [target, text] of [['native', 'this machine'], ['armhf', 'armhf']]) {
    bench.progress(`size of the library, -Os, ${text}`);
    const { stdout } = await run('bash', ['tests/bench/library_size.sh', `${bench.build}/bench`, target]);
    const [code, data, bss, added] = stdout.trim().split(' ').map(Number);
    const figure = (id, name, value) => ({ id: `size.${target}.${id}`, text: `${name}, -Os, stripped, ${text}`, unit: 'bytes',
      kind: 'size', values: { b: value } });
    const archive = figure('added', 'text that the archive adds to a small program', added);
    const [codeSize, dataSize] = [figure('text', 'text', code), figure('data', 'data + bss', data + bss)];
    const goal = target === 'armhf';
    figures.push(goal ? judged(codeSize, '<= 65,536', code <= 65536) : codeSize,
      goal ? judged(dataSize, '<= 1,024', data + bss <= 1024) : dataSize, archive);
  }
  return figures;
}

export const groups = {
  sizes, instructions: instructionsOfGets, allocations: allocationsOfGets, 'system-calls': systemCallsOfGets, handshakes, first: firstAnswers,
  bundle: bundleReads, fleet: fleetsWithClock, 'fleet-instructions': fleetsWithCallgrind, rates: ratesAndMemory,
};
