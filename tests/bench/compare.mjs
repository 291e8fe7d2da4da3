// compare.mjs NEW.json RECORDED.json: exit code 1 when a figure that does not depend on the machine's mood got worse, 2 when the
// two cannot be compared. compare.mjs --self-test RECORDED.json: whether it would notice.
import { readFileSync } from 'node:fs';
import { format, kinds, ours } from './figures.mjs';

const YARDSTICK = 0.02; // what the hand-written client may differ by before the machine is another one

function machineDiffers(fresh, recorded) {
  const differences = Object.keys(recorded.made).filter((key) => fresh.made[key] !== recorded.made[key])
    .map((key) => `${key}: ${fresh.made[key]}, recorded with ${recorded.made[key]}`);
  for (const old of recorded.figures) {
    const now = fresh.figures.find((figure) => figure.id === old.id);
    if (old.kind === 'instructions' && now && Math.abs(now.values.a / old.values.a - 1) > YARDSTICK)
      differences.push(`${old.id}, hand-written: ${now.values.a}, recorded: ${old.values.a}`);
  }
  return differences;
}

// { worse: [text], compared: count }
export function compare(fresh, recorded) {
  const worse = [];
  let compared = 0;
  for (const old of recorded.figures) {
    const { slack } = kinds[old.kind];
    const now = fresh.figures.find((figure) => figure.id === old.id);
    for (const column of slack === null ? [] : ours) {
      const before = old.values[column];
      const after = now?.values[column];
      if (before === undefined) continue;
      compared++;
      if (after === undefined) worse.push(`${old.text} (${column}): not measured any more`);
      else if (after > before * (1 + slack))
        worse.push(`${old.text} (${column}): ${format(before, old.unit)} -> ${format(after, old.unit)}`);
    }
  }
  return { worse, compared };
}

// ---- self-test: a known change of each kind, and whether it is seen ----

const copyOf = (document) => JSON.parse(JSON.stringify(document));

function changed(recorded, kind, factor) {
  const copy = copyOf(recorded);
  const figure = copy.figures.find((one) => one.kind === kind && ours.some((column) => one.values[column] > 0));
  if (!figure) throw new Error(`nothing of kind ${kind} is recorded`);
  const column = ours.find((name) => figure.values[name] > 0);
  figure.values[column] *= factor;
  return copy;
}

function selfTest(recorded) {
  const trials = [['what is recorded itself', recorded, 0]];
  for (const [kind, { slack }] of Object.entries(kinds)) {
    if (slack === null) trials.push([`${kind}: twice as much`, changed(recorded, kind, 2), 0]);
    else trials.push([`${kind}: worse`, changed(recorded, kind, 1 + slack + 0.01), 1],
      [`${kind}: a little more`, changed(recorded, kind, 1 + slack / 2), 0], [`${kind}: better`, changed(recorded, kind, 0.5), 0]);
  }
  const gone = copyOf(recorded);
  gone.figures = gone.figures.filter((figure) => figure.id !== 'allocations.program');
  trials.push(['a figure is missing', gone, 2]);
  const wrong = trials.filter(([, fresh, expected]) => compare(fresh, recorded).worse.length !== expected);
  const other = copyOf(recorded);
  other.made.compiler = 'another';
  if (machineDiffers(other, recorded).length !== 1) wrong.push(['another compiler']);
  for (const [name] of wrong) console.error(`bench-compare: the self-test failed: ${name}`);
  if (wrong.length > 0) process.exit(1);
  console.log(`bench-compare: the self-test has seen what it must (${trials.length + 1} trials)`);
}

const read = (path) => JSON.parse(readFileSync(path, 'utf8'));

function main([first, second]) {
  if (first === '--self-test') {
    selfTest(read(second));
    return;
  }
  const [fresh, recorded] = [read(first), read(second)];
  const differences = machineDiffers(fresh, recorded);
  if (differences.length > 0) {
    console.error(`bench-compare: not the machine of the record (make bench-record makes a new one):\n  ${differences.join('\n  ')}`);
    process.exit(2);
  }
  const { worse, compared } = compare(fresh, recorded);
  if (compared === 0) worse.push('nothing was compared');
  for (const line of worse) console.error(`worse: ${line}`);
  if (worse.length > 0) process.exit(1);
  console.log(`bench-compare: ${compared} figures, none is worse than what is recorded`);
}

main(process.argv.slice(2));
