import type { Past } from './past.js';
import { meanBetween, seasonBefore, usualOf } from './past.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { floor, fround, max } = Math;

/** What the trees look at: demand on the model's scale, without measured effects, and what is known ahead. */
export interface Scene {
  demand: Past;
  /** Measured regressors, each over history and horizon. */
  known: readonly Past[];
  /** That lie in the history often enough, rising, in steps. */
  seasons: readonly number[];
  /** Steps from the epoch to the first of the history: the phase of the calendar. */
  clock: number;
}

/** Questions by row: what comes at step `targets[i]`, asked when the steps before `origins[i]` are known. */
export interface Cells {
  origins: Int32Array;
  targets: Int32Array;
}

/**
 * What a forecast is a correction of, so that trees, which cannot go beyond what they saw, need not follow the level.
 * `level`: mean of the last longest season. `usual`: mean of the same phase in the last seasons. `shape`: that, moved to
 * the last level.
 */
export const BASE_KINDS = ['level', 'usual', 'shape'] as const;
export type BaseKind = (typeof BASE_KINDS)[number];

/** The usual of a phase is over so many of the longest season, each counting so much of the one after it. */
const USUAL_SEASONS = 8;
const FADING = 0.85;

export function bases({ demand, seasons }: Scene, cells: Cells, kind: BaseKind): Float64Array {
  const longest = seasons.at(-1) ?? 1;
  return valuesOf(cells, (origin, target) => {
    const level = meanBetween(demand, origin - longest, origin);
    if (kind === 'level') return level;
    const usual = usualOf(demand, origin, target, longest, USUAL_SEASONS, FADING);
    if (kind === 'usual') return usual;
    let before = 0;
    let total = 0;
    let weight = 1;
    for (let back = 0; back < USUAL_SEASONS && origin - back * longest > 0; back++, weight *= FADING) {
      before += weight * meanBetween(demand, origin - (back + 1) * longest, origin - back * longest);
      total += weight;
    }
    return usual + level - before / max(total, weight);
  });
}

/** Columns that are the same whatever is corrected: the calendar, and the measured regressors. */
export function sharedFeatures(scene: Scene, cells: Cells): Float64Array[] {
  return [...clockFeatures(scene, cells), ...scene.known.flatMap((past) => knownFeatures(past, scene, cells))];
}

function clockFeatures({ seasons, clock }: Scene, cells: Cells): Float64Array[] {
  return seasons.flatMap((season, index) => {
    const phase = valuesOf(cells, (_, target) => (clock + target) % season);
    const shorter = seasons[index - 1];
    // Which day of the week it is, beside the hour of the week.
    return shorter === undefined ? [phase] : [phase, phase.map((value) => floor(value / shorter))];
  });
}

/**
 * Columns of demand before the origin, in terms of the base or of one another: a level is no feature. Recursion is not
 * needed: the lead is one, and the last steps before the origin say at short leads what they do not at long ones.
 */
export function demandFeatures({ demand, seasons }: Scene, cells: Cells, base: Float64Array): Float64Array[] {
  const { values } = demand;
  const shortest = seasons[0] ?? 1;
  const longest = seasons.at(-1) ?? 1;
  const mean = (from: number, to: number): number => meanBetween(demand, from, to);
  const last = (origin: number): number => mean(origin - longest, origin);
  const samePhase = seasons.flatMap((season) =>
    [1, 3].map((times) =>
      valuesOf(cells, (origin, target, row) => usualOf(demand, origin, target, season, times, 1) - (base[row] ?? 0)),
    ),
  );
  return [
    valuesOf(cells, (origin, target) => target - origin),
    ...samePhase,
    valuesOf(
      cells,
      (origin, target, row) => usualOf(demand, origin, target, longest, USUAL_SEASONS, FADING) - (base[row] ?? 0),
    ),
    valuesOf(cells, (origin, _, row) => last(origin) - (base[row] ?? 0)),
    valuesOf(cells, (origin) => mean(origin - shortest, origin) - last(origin)),
    valuesOf(cells, (origin) => mean(origin - 3 * shortest, origin) - last(origin)),
    valuesOf(cells, (origin) => mean(origin - 4 * longest, origin) - last(origin)),
    valuesOf(cells, (origin) => (values[origin - 1] ?? 0) - (values[origin - 1 - shortest] ?? 0)),
    valuesOf(cells, (origin) => mean(origin - 3, origin) - mean(origin - 3 - shortest, origin - shortest)),
    valuesOf(cells, (origin) => mean(origin - 3, origin) - mean(origin - 3 - longest, origin - longest)),
  ];
}

/** Of one measured regressor: now, against the last season and the step a season ago, its change, and around the step. */
function knownFeatures(past: Past, { seasons }: Scene, cells: Cells): Float64Array[] {
  const { values } = past;
  const longest = seasons.at(-1) ?? 1;
  const half = (seasons[0] ?? 1) >> 1;
  const now = (target: number): number => values[target] ?? 0;
  return [
    valuesOf(cells, (_, target) => now(target)),
    valuesOf(cells, (origin, target) => now(target) - meanBetween(past, origin - longest, origin)),
    valuesOf(cells, (origin, target) => now(target) - now(seasonBefore(origin, target, longest))),
    valuesOf(cells, (_, target) => meanBetween(past, target - half, target + half)),
    valuesOf(cells, (_, target) => now(target) - now(max(0, target - 3))),
    valuesOf(cells, (_, target) => now(max(0, target - 1))),
  ];
}

function valuesOf(
  { origins, targets }: Cells,
  valueOf: (origin: number, target: number, row: number) => number,
): Float64Array {
  // In single precision, so that equal values are equal however their sums were rounded.
  return Float64Array.from(origins, (origin, row) => fround(valueOf(origin, targets[row] ?? 0, row)));
}
