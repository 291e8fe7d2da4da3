// The figures as one picture: a panel for each question, a bar for each answer, a mark where the target lies.
import { format, ours } from './figures.mjs';

const colours = { a: '#8b949e', b: '#1f6feb', c: '#0f9d8a', d: '#d9822b' };
const legend = { a: 'a: libcurl + cJSON by hand', b: 'b: blocking calls', c: 'c: shared loop', d: "d: Node's fetch" };
const PANEL = { width: 560, gap: 28, bar: 15, step: 20, head: 40, label: 176, value: 84 };

const HALO = 'paint-order="stroke" stroke="#ffffff" stroke-width="4"'; // keeps a number readable on a mark

const escape = (text) => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;');

// One row a bar: [figure id, column, label]. mark: where the target of a bar lies, from the values of its figure.
const panels = [
  { title: 'Instructions per authorised GET (mark: 1.10 of a)', mark: (v) => v.a * 1.1,
    rows: [['instructions.get.http.small', 'HTTP 0.4 KB'], ['instructions.get.http.viewer', 'HTTP 2 KB'],
      ['instructions.get.https.viewer', 'HTTPS 2 KB']].flatMap(([id, text]) => ['a', 'b', 'c'].map((c) => [id, c, text])) },
  { title: 'GETs per second, as a share of a (mark: 0.97)', mark: () => 0.97,
    rows: ['http', 'https'].flatMap((p) => ['a', 'b', 'c', 'd'].map((c) => [`rate.${p}`, c, p.toUpperCase()])) },
  { title: 'Resident set in kB, HTTPS (mark: a fifth of d)', mark: (v) => v.d / 5,
    rows: ['a', 'b', 'c', 'd'].map((c) => ['resident.https', c, legend[c].slice(3)]) },
  { title: 'Instructions from open to the first answer, HTTPS with the system bundle',
    rows: [['open.first.bundle', 'a', 'first'], ['open.first.bundle', 'b', 'first'], ['open.first.bundle', 'c', 'first session'],
      ['open.second.bundle', 'c', 'second session'], ['open.third.bundle', 'c', 'third session'],
      ['open.two_at_once.bundle', 'c', '4th and 5th at once']] },
  { title: 'Allocations of its own per GET (mark: 4)', mark: () => 4,
    rows: ['a', 'b', 'c'].map((c) => ['allocations.program', c, legend[c].slice(3)]) },
  { title: 'Heap bytes per idle signed-in session on one loop (mark: 4 KiB)', mark: () => 4096,
    rows: [100, 1000, 10000].map((n) => [`heap.${n}`, 'c', `${n} sessions`]) },
  { title: 'Instructions per GET by sessions on one loop',
    rows: [['instructions.get.http.viewer', 'c', '1 session'],
      ...[100, 1000, 10000].map((n) => [`instructions.get_of.${n}`, 'c', `${n} sessions`])] },
  { title: 'Instructions per refresh by sessions on one loop',
    rows: [100, 1000, 10000].map((n) => [`instructions.refresh_of.${n}`, 'c', `${n} sessions`]) },
  { title: 'Text bytes of the shared library, -Os, stripped (mark: 64 KiB)', mark: () => 65536, judges: /armhf/,
    rows: [['size.native.text', 'b', 'this machine'], ['size.armhf.text', 'b', 'armhf']] },
  { title: 'Text bytes that the archive adds to a small program',
    rows: [['size.native.added', 'b', 'this machine'], ['size.armhf.added', 'b', 'armhf']] },
  { title: 'Data + bss bytes of the shared library (mark: 1 KiB)', mark: () => 1024, judges: /armhf/,
    rows: [['size.native.data', 'b', 'this machine'], ['size.armhf.data', 'b', 'armhf']] },
];

const text = (x, y, content, more = '') => `<text x="${x}" y="${y}" ${more}>${escape(content)}</text>`;

function drawPanel(panel, figures, left, top) {
  const bars = panel.rows.map(([id, column, label]) => {
    const figure = figures.find((candidate) => candidate.id === id);
    return { figure, column, label, value: figure?.values[column] };
  }).filter((bar) => bar.value !== undefined);
  if (bars.length === 0) return '';
  const isJudged = (bar) => ours.includes(bar.column) && (panel.judges ?? /./).test(bar.figure.id);
  const markOf = (bar) => panel.mark && isJudged(bar) && panel.mark(bar.figure.values);
  const most = Math.max(...bars.map((bar) => Math.max(bar.value, markOf(bar) || 0)));
  const room = PANEL.width - PANEL.label - PANEL.value;
  const parts = [text(left, top + 18, panel.title, 'font-weight="600"')];
  bars.forEach((bar, i) => {
    const y = top + PANEL.head + i * PANEL.step;
    const x = left + PANEL.label;
    const length = Math.max(1, (bar.value / most) * room);
    parts.push(text(x - 8, y + 12, bar.label, 'text-anchor="end"'),
      `<rect x="${x}" y="${y}" width="${length.toFixed(1)}" height="${PANEL.bar}" rx="2" fill="${colours[bar.column]}"/>`);
    const mark = markOf(bar);
    if (mark) {
      const at = (x + (mark / most) * room).toFixed(1);
      parts.push(`<line x1="${at}" x2="${at}" y1="${y - 2}" y2="${y + PANEL.bar + 2}" stroke="#cf222e" stroke-width="2"/>`);
    }
    parts.push(text((x + length + 6).toFixed(1), y + 12, format(bar.value, bar.figure.unit), HALO));
  });
  return parts.join('\n');
}

export function draw(figures) {
  const parts = [];
  const tops = [56, 56];
  for (const panel of panels) {
    const column = tops[0] <= tops[1] ? 0 : 1;
    parts.push(drawPanel(panel, figures, 24 + column * (PANEL.width + PANEL.gap), tops[column]));
    tops[column] += PANEL.head + panel.rows.length * PANEL.step + PANEL.gap;
  }
  let x = 24;
  const keys = Object.entries(legend).map(([key, name]) => {
    const item = `<rect x="${x}" y="18" width="14" height="14" rx="2" fill="${colours[key]}"/>${text(x + 20, 30, name)}`;
    x += 44 + name.length * 7;
    return item;
  });
  const width = 48 + 2 * PANEL.width + PANEL.gap;
  const height = Math.max(...tops);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" `
    + `font-family="sans-serif" font-size="12" fill="#1f2328">\n<rect width="${width}" height="${height}" fill="#ffffff"/>\n`
    + `${keys.join('\n')}\n${parts.join('\n')}\n</svg>\n`;
}
