import { readFile } from 'node:fs/promises';

import type { Series } from '../../../core/forecast/series.js';

/** Lines of a CSV file as cells without quotes; the first is the header. */
export async function readCells(file: string): Promise<string[][]> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return lines.map((line) => line.split(',').map((cell) => cell.replaceAll('"', '').trim()));
}

/** `2014-04-10`, `2014-04-10 00:04:00` or `1/7/20` (day, month, year), read as UTC, in milliseconds since the epoch. */
export function timeOf(text: string): number {
  const european = /^(\d{1,2})\/(\d{1,2})\/(\d{2})$/.exec(text);
  if (european !== null) return Date.UTC(2000 + Number(european[3]), Number(european[2]) - 1, Number(european[1]));
  return Date.parse(text.includes(' ') ? `${text.replace(' ', 'T')}Z` : text);
}

export interface Row {
  at: number;
  value: number;
}

/**
 * Mean of the rows of each step, steps counted from the epoch; a first or last step that is not full is left out, and
 * a step without rows takes the value of the one before.
 */
export function meansByStep(rows: readonly Row[], stepMs: number): Series {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { at, value } of rows) {
    const step = Math.floor(at / stepMs);
    const { sum, count } = sums.get(step) ?? { sum: 0, count: 0 };
    sums.set(step, { sum: sum + value, count: count + 1 });
  }
  const steps = [...sums.keys()].sort((a, b) => a - b);
  const full = Math.max(...[...sums.values()].map(({ count }) => count));
  const isFull = (step: number | undefined): boolean => (sums.get(step ?? Number.NaN)?.count ?? 0) >= full;
  const first = isFull(steps[0]) ? (steps[0] ?? 0) : (steps[1] ?? 0);
  const last = isFull(steps.at(-1)) ? (steps.at(-1) ?? 0) : (steps.at(-2) ?? 0);
  let before = 0;
  const values = Array.from({ length: last - first + 1 }, (_, index) => {
    const own = sums.get(first + index);
    return (before = own === undefined ? before : own.sum / own.count);
  });
  return { startMs: first * stepMs, stepMs, values };
}
