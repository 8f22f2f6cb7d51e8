import type { DemandSample } from '../../spec/csvDemand.js';
import type { Problem } from '../../spec/problem.js';
import { fillHoles } from './prepare/gaps.js';
import type { Filled } from './prepare/gaps.js';
import type { Grid } from './prepare/grid.js';
import { longHole, placeRows, toGrid, usualSpacingMs } from './prepare/grid.js';
import type { LevelShift } from './prepare/levelShift.js';
import { findLevelShift } from './prepare/levelShift.js';
import { winsorised } from './prepare/outliers.js';
import {
  COARSE_RUN,
  COARSE_TIMES,
  MAX_FILLED_SHARE,
  MOST_RPS,
  MOST_STEPS,
  MOST_TIME_MS,
  isoOf,
  maxGapSteps,
  timesText,
} from './prepare/rules.js';
import type { Series } from '../series.js';
import { formatStep } from '../steps.js';

/**
 * What a step is, other than measured as it stands. `filled`: no row. `zero-run`: a zero in a service that was never
 * near zero, filled; `zero-kept`: the same, but too long to guess. `spread`: from a row longer than the step.
 * `counter-reset`: the counter behind it fell. `outlier`: kept in `series`, pulled in in `trainable`.
 */
export type MarkKind = 'filled' | 'zero-run' | 'zero-kept' | 'spread' | 'counter-reset' | 'outlier';

export interface Mark {
  index: number;
  kind: MarkKind;
}

export interface PreparedSeries {
  series: Series;
  /** What was repaired, in words. */
  notes: readonly string[];
  /** By index. */
  marks: readonly Mark[];
  /** The same with outliers pulled in, for training alone; no value of it depends on a later one. */
  trainable: Series;
  /** The last change of level that stayed, judged with the whole series. */
  levelShift: LevelShift | null;
}

export interface PrepareOptions {
  service: string;
  stepSeconds: number;
  /** Season lengths in steps, rising. */
  seasons: readonly number[];
  /** Nothing that ends after this moment is looked at (milliseconds since the epoch). */
  atMs?: number;
  /** Whether an event that is known covers the step that starts then: such a step is never an outlier. */
  isEventAt?: (startMs: number) => boolean;
}

export type Prepared = { ok: true; value: PreparedSeries } | { ok: false; problems: readonly Problem[] };

/**
 * Rows of one service → a series at equal steps, by the rules of prepare/rules.ts. No value ever depends on a later
 * one. Refused: negative or non-finite values, long holes, a history that is mostly holes or coarser than its step.
 */
export function prepareSeries(rows: readonly DemandSample[], options: PrepareOptions): Prepared {
  const { service, stepSeconds, atMs, seasons } = options;
  const refuse = (code: string, message: string, fix: string): Prepared => ({
    ok: false,
    problems: [{ code, field: `history.${service}`, message, fix }],
  });
  const notes: string[] = [];
  const tell = (note: string): void => void notes.push(`${service}: ${note}`);
  const stepMs = stepSeconds * 1000;
  const bad = rows.filter(isUnusable);
  if (bad.length > 0) {
    const times = timesText(bad.map((row) => row.at));
    return refuse(
      'bad-value',
      `has ${bad.length} values that are negative or no numbers, e.g. at ${times}`,
      'remove them',
    );
  }
  const used = sorted(
    rows.filter((row) => atMs === undefined || row.at < atMs),
    tell,
  );
  const spacingSeconds = Math.round(usualSpacingMs(used) / 1000);
  if (used.length > COARSE_RUN && spacingSeconds >= COARSE_TIMES * stepSeconds) {
    const [usual, asked] = [formatStep(spacingSeconds), formatStep(stepSeconds)];
    return refuse('too-many-gaps', `has rows every ${usual}, the step asked is ${asked}`, `ask for a step of ${usual}`);
  }
  const limit = maxGapSteps(seasons);
  const placed = placeRows(used, stepMs, limit, tell);
  const hole = longHole(placed, limit);
  if (hole !== null) {
    const [from, to] = [isoOf(hole.fromMs), isoOf(hole.toMs)];
    const message = `has no rows from ${from} to ${to} (${hole.steps} steps; at most ${limit} are filled)`;
    return refuse('long-gap', message, `start the history at ${to}, or add what is missing`);
  }
  const steps = (placed.index.at(-1) ?? 0) + 1;
  if (steps > MOST_STEPS)
    return refuse('too-long', `has ${steps} steps, at most ${MOST_STEPS} are held`, 'take a longer step');
  const grid = cut(toGrid(placed, tell), stepMs, atMs);
  if (grid.values.length === 0) {
    const before = atMs === undefined ? '' : ` that end before ${isoOf(atMs)}`;
    return refuse('no-history', `has no rows${before}`, 'add its demand to the history');
  }
  const filled = fillHoles(grid.values, seasons);
  const missing = filled.filled.length;
  if (missing > MAX_FILLED_SHARE * filled.values.length) {
    const share = Math.round((100 * missing) / filled.values.length);
    return refuse('too-many-gaps', `lacks ${share} % of its steps`, 'check the step, or add what is missing');
  }
  const series = { startMs: grid.startMs, stepMs, values: filled.values };
  const judged = judge(series, options, tell, filled);
  const resets = resetSteps(used, series, tell);
  const marks = marksOf(grid, filled, resets, judged.outliers);
  return { ok: true, value: { series, notes, marks, trainable: judged.trainable, levelShift: judged.levelShift } };
}

function isUnusable({ at, rps, spanMs }: DemandSample): boolean {
  const isTime = Math.abs(at) <= MOST_TIME_MS / 2;
  return !isTime || !(rps >= 0 && rps <= MOST_RPS) || (spanMs !== undefined && !(spanMs >= 0));
}

function sorted(rows: readonly DemandSample[], tell: (note: string) => void): DemandSample[] {
  const late = rows.filter((row, place) => row.at < (rows[place - 1]?.at ?? row.at));
  if (late.length > 0)
    tell(`${late.length} rows came before an earlier one; all were sorted (${timesText(late.map((row) => row.at))})`);
  return [...rows].sort((a, b) => a.at - b.at);
}

/** Steps that have not ended at `atMs` are not looked at. */
function cut(grid: Grid, stepMs: number, atMs: number | undefined): Grid {
  if (atMs === undefined) return grid;
  const steps = Math.max(0, Math.floor((atMs - grid.startMs) / stepMs));
  return { ...grid, values: grid.values.slice(0, steps), spread: grid.spread.filter((index) => index < steps) };
}

interface Judged {
  trainable: Series;
  outliers: readonly number[];
  levelShift: LevelShift | null;
}

function judge(
  series: Series,
  { seasons, isEventAt }: PrepareOptions,
  tell: (note: string) => void,
  filled: Filled,
): Judged {
  const { startMs, stepMs, values } = series;
  const timeOf = (index: number): number => startMs + index * stepMs;
  const times = (indexes: readonly number[]): string => timesText(indexes.map(timeOf));
  if (filled.filled.length > 0)
    tell(`${filled.filled.length} missing steps were filled from a season earlier (${times(filled.filled)})`);
  const zeros = filled.zeros.filter(({ isKept }) => !isKept).map(({ index }) => index);
  const kept = filled.zeros.filter(({ isKept }) => isKept).map(({ index }) => index);
  const strange = 'in a service that was never near zero';
  if (zeros.length > 0) tell(`${zeros.length} zeros ${strange} were filled from a season earlier (${times(zeros)})`);
  if (kept.length > 0)
    tell(`${kept.length} more zeros ${strange} last too long to be filled and were kept (${times(kept)})`);
  const isKnownEvent = isEventAt === undefined ? undefined : (index: number): boolean => isEventAt(timeOf(index));
  const { values: pulled, outliers } = winsorised(values, seasons, isKnownEvent);
  if (outliers.length > 0)
    tell(
      `${outliers.length} single steps are far off their season; kept, but pulled in for training (${times(outliers)})`,
    );
  const levelShift = findLevelShift(values, seasons, isKnownEvent);
  if (levelShift !== null)
    tell(`the level changed to ${levelShift.factor.toFixed(2)} times what it was (${isoOf(timeOf(levelShift.index))})`);
  return { trainable: { ...series, values: pulled }, outliers, levelShift };
}

function resetSteps(
  rows: readonly DemandSample[],
  { startMs, stepMs, values }: Series,
  tell: (note: string) => void,
): number[] {
  const times = rows.filter((row) => row.isReset === true).map((row) => row.at);
  if (times.length > 0)
    tell(`${times.length} times a counter fell; its new value was taken for the increase (${timesText(times)})`);
  const steps = times.map((at) => Math.max(0, Math.floor((at - startMs) / stepMs)));
  return [...new Set(steps)].filter((index) => index < values.length);
}

function marksOf(grid: Grid, filled: Filled, resets: readonly number[], outliers: readonly number[]): Mark[] {
  const of = (kind: MarkKind, indexes: readonly number[]): Mark[] => indexes.map((index) => ({ index, kind }));
  const zeros = filled.zeros.map(({ index, isKept }): Mark => ({ index, kind: isKept ? 'zero-kept' : 'zero-run' }));
  return [
    ...of('filled', filled.filled),
    ...zeros,
    ...of('spread', grid.spread),
    ...of('counter-reset', resets),
    ...of('outlier', outliers),
  ].sort((a, b) => a.index - b.index);
}
