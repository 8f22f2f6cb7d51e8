import { median } from '../../series.js';

/** Robust deviations from the season beyond which a step is an outlier, and to which it is then pulled. */
const EXTREME_DEVIATIONS = 12;
const PULLED_DEVIATIONS = 4;
/** The step before must lie within so many, else this is no single step. */
const NORMAL_DEVIATIONS = 3;
/** At most this share of the steps so far. */
const MOST_SHARE = 0.005;
/** The same phase of so many earlier seasons says what is expected. */
const EXPECTED_SEASONS = 3;
/** Residuals that say what is usual: so many of the shortest season, this many steps at most. */
const USUAL_SEASONS = 14;
const USUAL_STEPS = 2016;
/** A deviation of a normal distribution by its median absolute deviation. */
const DEVIATION_OF_MAD = 1.4826;
/** Where a series hardly varies, a deviation is at least this share of its level. */
const LEAST_DEVIATION_SHARE = 0.02;

export interface Winsorised {
  values: number[];
  /** Rising. */
  outliers: readonly number[];
}

/**
 * Single steps far off their season, pulled to where they would be extreme but possible. Each is judged by the steps
 * before it alone, so a surge loses its first step and no more. Seasons in steps, rising; never a step that
 * `isKnownEvent` says an event covers.
 */
export function winsorised(
  values: readonly number[],
  seasons: readonly number[],
  isKnownEvent: (index: number) => boolean = () => false,
): Winsorised {
  const shortest = seasons[0] ?? 1;
  const pulled: number[] = [];
  const outliers: number[] = [];
  const residuals: number[] = [];
  let deviation = Number.NaN;
  let isCalm = false;
  for (const [index, value] of values.entries()) {
    // Once a season is often enough: what is usual changes slowly, and a median costs a sort.
    if (index % shortest === 0) deviation = deviationOf(residuals, pulled, shortest);
    const expected = expectedAt(pulled, seasons);
    const residual = value - expected;
    const away = Math.abs(residual) / deviation;
    const isRare = outliers.length + 1 <= MOST_SHARE * index;
    const isOutlier = isCalm && isRare && away > EXTREME_DEVIATIONS && !isKnownEvent(index);
    if (isOutlier) outliers.push(index);
    pulled.push(isOutlier ? Math.max(0, expected + Math.sign(residual) * PULLED_DEVIATIONS * deviation) : value);
    residuals.push(residual);
    isCalm = away <= NORMAL_DEVIATIONS;
  }
  return { values: pulled, outliers };
}

/** Middle of the same phase of earlier seasons: of the longest that lies behind three times, else of the shortest. */
function expectedAt(past: readonly number[], seasons: readonly number[]): number {
  const season = seasons.findLast((steps) => EXPECTED_SEASONS * steps <= past.length) ?? seasons[0] ?? 1;
  const same = Array.from({ length: EXPECTED_SEASONS }, (_, times) => past[past.length - (times + 1) * season]);
  const known = same.filter((value) => value !== undefined);
  return known.length === 0 ? (past.at(-1) ?? 0) : median(known);
}

function deviationOf(residuals: readonly number[], past: readonly number[], shortest: number): number {
  // The first seasons have nothing to be compared with.
  const usable = residuals.length - EXPECTED_SEASONS * shortest;
  const steps = Math.min(usable, USUAL_STEPS, USUAL_SEASONS * shortest);
  if (steps < 2 * shortest) return Number.NaN;
  const mad = median(residuals.slice(-steps).map(Math.abs));
  return Math.max(DEVIATION_OF_MAD * mad, LEAST_DEVIATION_SHARE * median(past.slice(-steps)));
}
