import type { DemandSample } from '../../../spec/csvDemand.js';
import { median } from '../../series.js';
import { formatStep } from '../../steps.js';
import { COARSE_RUN, COARSE_TIMES, CONTRADICTION, JITTER, LEAST_RPS, isoOf, timesText } from './rules.js';

export interface Grid {
  startMs: number;
  /** rps; `null` where no row falls into the step. */
  values: (number | null)[];
  /** Indexes whose value comes from a row longer than the step. */
  spread: readonly number[];
}

/** A stretch of steps that no row covers. */
export interface Hole {
  fromMs: number;
  toMs: number;
  steps: number;
}

/** Rows by the step they mean, and how long each lasts. */
export interface PlacedRows {
  startMs: number;
  stepMs: number;
  /** Sorted by time. */
  rows: readonly DemandSample[];
  /** Step of each row. */
  index: readonly number[];
  /** Steps that each row covers, at least 1. */
  lengths: readonly number[];
  /** Whether some rows lie between steps: then a step is the mean of several. */
  isFiner: boolean;
}

/**
 * Puts sorted rows on a grid. A history that is shifted as a whole (rows at half past) keeps its own grid, one that
 * jitters around a grid is put on it, a mixed one is put on the clock's.
 */
export function placeRows(
  rows: readonly DemandSample[],
  stepMs: number,
  longestSteps: number,
  tell: (note: string) => void,
): PlacedRows {
  const first = rows[0]?.at ?? 0;
  const off = rows.map((row) => signedModulo(row.at - first, stepMs));
  const isShifted = off.every((ms) => ms === 0);
  const isJittered = !isShifted && off.every((ms) => Math.abs(ms) <= JITTER * stepMs);
  const clock = Math.floor(first / stepMs) * stepMs;
  let startMs = isShifted ? first : clock;
  let index = rows.map((row) => Math.floor((row.at - startMs) / stepMs));
  if (isJittered) {
    const middle = first + median(off);
    const onClock = Math.round(middle / stepMs) * stepMs;
    startMs = Math.abs(middle - onClock) <= JITTER * stepMs ? onClock : Math.round(middle);
    index = rows.map((row) => Math.round((row.at - startMs) / stepMs));
    tell(
      `${rows.length} rows are up to ${Math.round(100 * JITTER)} % of a step early or late; each was put on its step`,
    );
  }
  const moved = isJittered ? [] : rows.filter((row) => positiveModulo(row.at - startMs, stepMs) !== 0);
  const isFiner = moved.length > 0;
  if (isFiner) tell(`${moved.length} rows lie between steps; the mean of each step was taken${firstAt(moved)}`);
  return { startMs, stepMs, rows, index, lengths: lengthsOf(rows, stepMs, longestSteps), isFiner };
}

/** The first hole of more than `limit` steps. */
export function longHole({ startMs, stepMs, index, lengths }: PlacedRows, limit: number): Hole | null {
  let covered = 0;
  for (const [place, at] of index.entries()) {
    if (at - covered > limit) {
      return { fromMs: startMs + covered * stepMs, toMs: startMs + at * stepMs, steps: at - covered };
    }
    covered = Math.max(covered, at + (lengths[place] ?? 1));
  }
  return null;
}

/** Distance between rows that is usual, milliseconds; 0 for a single time. */
export function usualSpacingMs(rows: readonly DemandSample[]): number {
  return median(spacings(rows).map(({ ms }) => ms));
}

export function toGrid(placed: PlacedRows, tell: (note: string) => void): Grid {
  const { startMs, stepMs, rows, index, lengths } = placed;
  const steps = index.reduce((most, at, place) => Math.max(most, at + (lengths[place] ?? 1)), 0);
  const sums = new Float64Array(steps);
  const counts = new Uint32Array(steps);
  for (const [place, row] of rows.entries()) {
    const at = index[place] ?? 0;
    sums[at] = (sums[at] ?? 0) + (row.rps < LEAST_RPS ? 0 : row.rps);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const values = Array.from(counts, (count, at) => (count === 0 ? null : (sums[at] ?? 0) / count));
  tellRepeats(rows, tell);
  const spread = spreadRows(placed, values, tell);
  const usual = median([...counts].filter((count) => count > 0));
  if (placed.isFiner && values.length > 1 && (counts.at(-1) ?? 0) < usual / 2 && spread.at(-1) !== steps - 1) {
    values.pop();
    tell(`the last step (${isoOf(startMs + values.length * stepMs)}) was left out, it is not complete`);
  }
  return { startMs, values, spread };
}

function spreadRows(
  { startMs, stepMs, index, lengths }: PlacedRows,
  values: (number | null)[],
  tell: (note: string) => void,
): number[] {
  const spread: number[] = [];
  const from: number[] = [];
  for (const [place, length] of lengths.entries()) {
    if (length === 1) continue;
    const at = index[place] ?? 0;
    from.push(at);
    for (let step = at + 1; step < at + length; step++) {
      if (values[step] !== null) break;
      values[step] = values[at] ?? 0;
      spread.push(step);
    }
  }
  if (spread.length > 0) {
    const times = timesText([...new Set(from)].map((at) => startMs + at * stepMs));
    tell(
      `${from.length} rows are coarser than the step of ${formatStep(stepMs / 1000)}; each was spread over its own length (${times})`,
    );
  }
  return spread;
}

function tellRepeats(rows: readonly DemandSample[], tell: (note: string) => void): void {
  let repeated = 0;
  const times: number[] = [];
  const contradicting: number[] = [];
  for (let from = 0; from < rows.length;) {
    let to = from + 1;
    while (to < rows.length && rows[to]?.at === rows[from]?.at) to++;
    if (to - from > 1) {
      const at = rows[from]?.at ?? 0;
      const values = rows.slice(from, to).map((row) => row.rps);
      const top = values.reduce((most, value) => Math.max(most, value), 0);
      const bottom = values.reduce((least, value) => Math.min(least, value), top);
      repeated += to - from - 1;
      times.push(at);
      if (top - bottom > (CONTRADICTION * (top + bottom)) / 2) contradicting.push(at);
    }
    from = to;
  }
  if (repeated > 0) tell(`${repeated} rows repeat a time; their mean was taken (${timesText(times)})`);
  if (contradicting.length > 0) {
    const percent = Math.round(100 * CONTRADICTION);
    tell(`${contradicting.length} times have rows that differ by more than ${percent} % (${timesText(contradicting)})`);
  }
}

/**
 * Steps that each row covers. A row says so itself, or stands in a run of equal distances coarser than a step; one
 * that would last longer than `longestSteps` is followed by a hole instead.
 */
function lengthsOf(rows: readonly DemandSample[], stepMs: number, longestSteps: number): number[] {
  const lengths = rows.map(({ spanMs }) => lengthOf(spanMs ?? 0, stepMs, longestSteps));
  const apart = spacings(rows);
  for (let from = 0; from < apart.length;) {
    const ms = apart[from]?.ms ?? 0;
    let to = from + 1;
    while (to < apart.length && Math.abs((apart[to]?.ms ?? 0) - ms) <= JITTER * stepMs) to++;
    const length = lengthOf(ms, stepMs, longestSteps);
    if (length > 1 && to - from >= COARSE_RUN) {
      for (const { row } of apart.slice(from, to)) lengths[row] = length;
      const next = apart[to];
      const last = next?.row ?? rows.length - 1;
      if (next === undefined || next.ms > ms) lengths[last] = length;
    }
    from = to;
  }
  return lengths;
}

function lengthOf(spanMs: number, stepMs: number, longestSteps: number): number {
  if (spanMs < COARSE_TIMES * stepMs) return 1;
  const steps = Math.round(spanMs / stepMs);
  return steps <= longestSteps ? steps : 1;
}

/** Distances between different times, each with the last row of its earlier time. */
function spacings(rows: readonly DemandSample[]): { row: number; ms: number }[] {
  return rows.flatMap((row, place) => {
    const next = rows[place + 1];
    return next === undefined || next.at === row.at ? [] : [{ row: place, ms: next.at - row.at }];
  });
}

function firstAt(rows: readonly DemandSample[]): string {
  return rows.length === 0 ? '' : ` (${timesText(rows.map((row) => row.at))})`;
}

function positiveModulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

/** The remainder nearest to zero. */
function signedModulo(value: number, by: number): number {
  const rest = positiveModulo(value, by);
  return rest > by / 2 ? rest - by : rest;
}
