// What was measured: { id, text, unit, kind, values: { a, b, c, d }, target, met }. target and met are absent where the figure is
// only told. kind says what bench-compare makes of it, see kinds.

// ours: the columns that this library answers for. slack: the part by which a figure may grow before it counts as worse;
// null: it depends on the machine's mood, and is not compared.
export const ours = ['b', 'c'];
export const kinds = {
  instructions: { slack: 0.03 },
  heap: { slack: 0.03 },
  size: { slack: 0.01 },
  allocations: { slack: 0 },
  borrowed: { slack: 0.05 }, // of other libraries on our behalf
  count: { slack: 0 },
  clock: { slack: null },
};

export function judged(figure, target, holds) {
  return { ...figure, target, met: Boolean(holds) };
}

export function ratio(values, over, under) {
  return values[over] / values[under];
}

const group3 = (text) => text.replace(/\B(?=(\d{3})+(?!\d))/g, ',');

export function format(value, unit) {
  if (value === undefined || value === null) return '-';
  if (unit === 'x' || unit === 'per second x') return value.toFixed(value < 0.1 ? 3 : 2);
  if (unit === 'ms') return value.toFixed(1);
  return Number.isInteger(value) || value >= 1000 ? group3(String(Math.round(value))) : value.toFixed(2);
}

const columns = ['figure', 'unit', 'a', 'b', 'c', 'd', 'target', 'met?'];

function row(figure) {
  const value = (name) => format(figure.values[name], figure.unit);
  const met = figure.met === undefined ? '' : figure.met ? 'yes' : 'NO';
  return [figure.text, figure.unit, value('a'), value('b'), value('c'), value('d'), figure.target ?? '', met];
}

export function table(figures) {
  const rows = [columns, ...figures.map(row)];
  const widths = columns.map((_, i) => Math.max(...rows.map((cells) => cells[i].length)));
  const numeric = (i) => i >= 2 && i <= 5;
  const line = (cells) => cells
    .map((cell, i) => (numeric(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ').trimEnd();
  return [line(columns), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.slice(1).map(line)].join('\n');
}
