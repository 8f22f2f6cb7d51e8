import { mean, median } from '../../core/forecast/series.js';
import type { Score } from './score.js';
import { meanScore } from './score.js';

export interface Row {
  method: string;
  scores: readonly Score[];
  cpuSeconds: readonly number[];
  /** Mean weight in the ensemble; absent for the ensemble itself. */
  weight?: number;
  /** Questions it could not answer: the last value stood in. */
  failed: number;
}

const HEADER = [
  'method',
  'MASE',
  'median MASE',
  'sMAPE %',
  'wQL50',
  'wQL90',
  'wQL99',
  'p90 covers',
  'p99 covers',
  'CPU s',
  'weight',
  'failed',
];

export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const all = meanScore(row.scores);
    return [
      row.method,
      all.mase.toFixed(3),
      median(row.scores.map((score) => score.mase)).toFixed(3),
      all.smape.toFixed(2),
      all.wql50.toFixed(3),
      all.wql90.toFixed(3),
      all.wql99.toFixed(3),
      all.covered90.toFixed(3),
      all.covered99.toFixed(3),
      mean(row.cpuSeconds).toFixed(2),
      row.weight === undefined ? '–' : row.weight.toFixed(2),
      String(row.failed),
    ];
  });
  const cells = [HEADER, ...lines];
  const widths = HEADER.map((_, column) => Math.max(3, ...cells.map((line) => (line[column] ?? '').length)));
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const padded = cells.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))),
  );
  return [...padded.slice(0, 1), rule, ...padded.slice(1)].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** The text with what stands between the markers of this name replaced; markers are added at the end where missing. */
export function betweenMarkers(text: string, name: string, body: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) return `${text.trimEnd()}\n\n${begin}\n\n${body}\n\n${end}\n`;
  return `${text.slice(0, from + begin.length)}\n\n${body}\n\n${text.slice(to)}`;
}
