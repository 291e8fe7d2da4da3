// The four clients of the benchmark, and the ways to run one: with a clock, under callgrind, with its allocations counted.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const fetchClient = fileURLToPath(new URL('fetch_client.mjs', import.meta.url));

export const names = { a: 'hand-written', b: 'blocking', c: 'loop', d: 'Node fetch' };
const programs = { a: 'hand_written', b: 'blocking', c: 'looped' };

// place: { base, ca }. options: gets, sessions, what, email.
function commandOf(build, client, place, options) {
  if (client === 'd') return ['node', fetchClient, place.base, String(options.gets)];
  const command = [`${build}/bench/${programs[client]}`, '--base', place.base];
  if (place.ca) command.push('--ca', place.ca);
  for (const [name, value] of Object.entries(options)) command.push(`--${name}`, String(value));
  return command;
}

async function execute([program, ...args], environment) {
  try {
    const { stdout } = await run(program, args, { env: { ...process.env, ...environment }, maxBuffer: 1 << 26 });
    return stdout;
  } catch (failure) {
    throw new Error(`${program} ${args.join(' ')}: ${failure.stderr || failure.message}`);
  }
}

// What the client says of itself: seconds, open_to_first_ms, resident_kb, ...
export async function timed(build, client, place, options) {
  const environment = client === 'd' && place.ca ? { NODE_EXTRA_CA_CERTS: place.ca } : {};
  return JSON.parse(await execute(commandOf(build, client, place, options), environment));
}

// Instructions of each phase that the client marks: first, gets, ...
export async function instructions(build, client, place, options) {
  const folder = `${build}/bench`;
  const prefix = `callgrind.${process.pid}.`;
  const files = () => readdirSync(folder).filter((name) => name.startsWith(prefix));
  const valgrind = ['valgrind', '-q', '--tool=callgrind', '--instr-atstart=no',
    `--callgrind-out-file=${folder}/${prefix}out`];
  await execute([...valgrind, ...commandOf(build, client, place, options)], {});
  const phases = {};
  for (const file of files()) {
    const text = readFileSync(`${folder}/${file}`, 'utf8');
    const phase = text.match(/^desc: Trigger: Client Request: (\w+)$/m);
    if (phase) phases[phase[1]] = Number(text.match(/^totals: (\d+)$/m)[1]);
    rmSync(`${folder}/${file}`);
  }
  if (Object.keys(phases).length === 0) throw new Error(`callgrind has counted nothing of ${names[client]}`);
  return phases;
}

async function counts(build, client, place, options) {
  const file = `${build}/bench/allocations.json`;
  await execute(commandOf(build, client, place, options),
    { LD_PRELOAD: `${build}/bench/allocations.so`, BENCH_ALLOCATIONS: file });
  const { modules } = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(file);
  return modules;
}

// Allocations per GET by who asks for memory; the difference of two runs, so that what is made once does not count.
export async function allocations(build, client, place) {
  const [few, many] = [100, 300];
  const before = await counts(build, client, place, { gets: few });
  const after = await counts(build, client, place, { gets: many });
  const perGet = (fits) => Object.keys(after).filter(fits)
    .reduce((sum, name) => sum + (after[name] - before[name]) / (many - few), 0);
  return {
    program: perGet((name) => name === 'program'),
    libcurl: perGet((name) => name.startsWith('libcurl')),
    cjson: perGet((name) => name.startsWith('libcjson')),
    other: perGet((name) => name !== 'program' && !/^lib(curl|cjson)/.test(name)),
  };
}

// The lines of strace.
async function traced(build, client, place, options, calls) {
  const file = `${build}/bench/strace.out`;
  await execute(['strace', '-f', '-e', `trace=${calls}`, '-o', file, ...commandOf(build, client, place, options)], {});
  const lines = readFileSync(file, 'utf8').split('\n');
  rmSync(file);
  return lines;
}

// How often a file is opened while the client runs.
export async function opensOf(build, client, place, options, path) {
  return (await traced(build, client, place, options, 'open,openat')).filter((line) => line.includes(`"${path}"`)).length;
}

// System calls per GET, as the difference of two runs; the fewest of three each, since waking up once more is chance.
export async function systemCalls(build, client, place) {
  const [few, many] = [50, 150];
  const fewest = async (gets) => {
    const found = [];
    for (let i = 0; i < 3; i++) found.push((await traced(build, client, place, { gets }, 'all')).length);
    return Math.min(...found);
  };
  return (await fewest(many) - await fewest(few)) / (many - few);
}
