import type { DemandSample } from '../spec/csvDemand.js';
import type { Problem } from '../spec/problem.js';
import type { Series } from './series.js';
import { mean, median } from './series.js';

/** A hole longer than half the shortest season, or this many steps where that is shorter, is not guessed at. */
const MIN_GAP_STEPS = 3;
/** More invented than this and the history is no longer a measurement. */
const MAX_FILLED_SHARE = 0.1;

export interface PreparedSeries {
  series: Series;
  /** What was repaired, in words. */
  notes: readonly string[];
}

export interface PrepareOptions {
  service: string;
  stepSeconds: number;
  /** Season lengths in steps, rising. */
  seasons: readonly number[];
  /** Nothing that ends after this moment is looked at (milliseconds since the epoch). */
  atMs?: number;
}

export type Prepared = { ok: true; value: PreparedSeries } | { ok: false; problems: readonly Problem[] };

/** Longest hole, in steps, that is filled. */
export function maxGapSteps(seasons: readonly number[]): number {
  return Math.max(MIN_GAP_STEPS, Math.floor((seasons[0] ?? 0) / 2));
}

/**
 * Rows of one service → a series at equal steps. Rows are sorted; several in one step are averaged; short holes are
 * filled from one season earlier, scaled to the level before the hole, so that no value ever depends on a later
 * one. Refused: negative or non-finite values, long holes, a history that is mostly holes.
 */
export function prepareSeries(rows: readonly DemandSample[], options: PrepareOptions): Prepared {
  const { service, stepSeconds, atMs } = options;
  const refuse = (code: string, message: string, fix: string): Prepared => ({
    ok: false,
    problems: [{ code, field: `history.${service}`, message, fix }],
  });
  const stepMs = stepSeconds * 1000;
  const bad = rows.filter((row) => !Number.isFinite(row.rps) || row.rps < 0 || !Number.isFinite(row.at));
  if (bad.length > 0) {
    const at = bad.slice(0, 3).map((row) => (Number.isFinite(row.at) ? iso(row.at) : 'an unknown time'));
    return refuse(
      'bad-value',
      `has ${bad.length} negative or non-finite values, e.g. at ${at.join(', ')}`,
      'remove them',
    );
  }
  const used = rows.filter((row) => atMs === undefined || row.at + stepMs <= atMs).sort((a, b) => a.at - b.at);
  const first = used[0];
  if (first === undefined) {
    const before = atMs === undefined ? '' : ` that end before ${iso(atMs)}`;
    return refuse('no-history', `has no rows${before}`, 'add its demand to the history');
  }
  const notes: string[] = [];
  const grid = toGrid(used, stepMs, notes, service);
  const filled = fillHoles(grid.values, options);
  if (!filled.ok) {
    const from = grid.startMs + filled.from * stepMs;
    const to = from + filled.steps * stepMs;
    const limit = maxGapSteps(options.seasons);
    return refuse(
      'long-gap',
      `has no rows from ${iso(from)} to ${iso(to)} (${filled.steps} steps; at most ${limit} are filled)`,
      `start the history at ${iso(to)}, or add what is missing`,
    );
  }
  if (filled.count > MAX_FILLED_SHARE * filled.values.length) {
    const share = Math.round((100 * filled.count) / filled.values.length);
    return refuse('too-many-gaps', `lacks ${share} % of its steps`, 'check the step, or add what is missing');
  }
  if (filled.count > 0) notes.push(`${service}: ${filled.count} missing steps were filled from a season earlier`);
  return { ok: true, value: { series: { startMs: grid.startMs, stepMs, values: filled.values }, notes } };
}

interface Grid {
  startMs: number;
  /** `null` where no row falls into the step. */
  values: (number | null)[];
}

function toGrid(rows: readonly DemandSample[], stepMs: number, notes: string[], service: string): Grid {
  const first = rows[0]?.at ?? 0;
  const last = rows.at(-1)?.at ?? first;
  // A history that is shifted as a whole (rows at half past) keeps its own grid; a mixed one is put on the clock's.
  const offset = positiveModulo(first, stepMs);
  const shift = rows.every((row) => positiveModulo(row.at, stepMs) === offset) ? offset : 0;
  const startMs = Math.floor((first - shift) / stepMs) * stepMs + shift;
  const bins: number[][] = Array.from({ length: Math.floor((last - startMs) / stepMs) + 1 }, () => []);
  let repeated = 0;
  let moved = 0;
  let before: number | undefined;
  for (const row of rows) {
    bins[Math.floor((row.at - startMs) / stepMs)]?.push(row.rps);
    if (row.at === before) repeated++;
    if (positiveModulo(row.at - startMs, stepMs) !== 0) moved++;
    before = row.at;
  }
  if (repeated > 0) notes.push(`${service}: ${repeated} rows repeat a time; their mean was taken`);
  if (moved > 0) notes.push(`${service}: ${moved} rows lie between steps; the mean of each step was taken`);
  const usual = median(bins.filter((bin) => bin.length > 0).map((bin) => bin.length));
  const lastBin = bins.at(-1);
  if (moved > 0 && bins.length > 1 && lastBin !== undefined && lastBin.length < usual / 2) {
    bins.pop();
    notes.push(`${service}: the last step was left out, it is not complete`);
  }
  return { startMs, values: bins.map((bin) => (bin.length === 0 ? null : mean(bin))) };
}

type Filled = { ok: true; values: number[]; count: number } | { ok: false; from: number; steps: number };

function fillHoles(holed: readonly (number | null)[], { seasons }: PrepareOptions): Filled {
  const limit = maxGapSteps(seasons);
  const values: number[] = [];
  let count = 0;
  for (let index = 0; index < holed.length;) {
    const value = holed[index];
    if (value !== null && value !== undefined) {
      values.push(value);
      index++;
      continue;
    }
    let steps = 1;
    while (holed[index + steps] === null) steps++;
    if (steps > limit) return { ok: false, from: index, steps };
    const level = levelRatio(values, seasons);
    for (let step = 0; step < steps; step++) values.push(fromSeasonEarlier(values, seasons, level));
    count += steps;
    index += steps;
  }
  return { ok: true, values, count };
}

/** The longest season that lies behind keeps weekdays apart from weekends. */
function seasonBehind(values: readonly number[], seasons: readonly number[]): number | undefined {
  return seasons.findLast((season) => season <= values.length);
}

function levelRatio(values: readonly number[], seasons: readonly number[]): number {
  const season = seasonBehind(values, seasons);
  if (season === undefined) return 1;
  const window = Math.min(seasons[0] ?? 1, values.length - season);
  if (window < 1) return 1;
  const now = mean(values.slice(-window));
  const then = mean(values.slice(-season - window, values.length - season));
  return then > 0 ? Math.min(2, Math.max(0.5, now / then)) : 1;
}

function fromSeasonEarlier(values: readonly number[], seasons: readonly number[], level: number): number {
  const season = seasonBehind(values, seasons);
  if (season === undefined) return values.at(-1) ?? 0;
  return (values[values.length - season] ?? 0) * level;
}

function positiveModulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
