import { mean, median } from '../../series.js';
import { NEAR_ZERO_SHARE, maxGapSteps } from './rules.js';

export interface Filled {
  values: number[];
  /** Indexes that no row covered. */
  filled: readonly number[];
  /** Indexes of zeros in a service that was never near zero; those beyond the limit of a hole were kept. */
  zeros: readonly { index: number; isKept: boolean }[];
}

/** A service must have shown so many shortest seasons before a zero of it is strange. */
const KNOWN_SEASONS = 2;
/** Steps that say what is usual. */
const USUAL_STEPS = 2016;

/**
 * Fills holes, and zeros that cannot be true, from one season earlier at the level before them, so that no value
 * depends on a later one. A run of such zeros is filled as far as a hole would be and kept from there on: whether an
 * outage of the measurement or the service's own end, it is then no longer guessed at. A zero that was there a season
 * earlier is the service's own way.
 */
export function fillHoles(holed: readonly (number | null)[], seasons: readonly number[]): Filled {
  const limit = maxGapSteps(seasons);
  const values: number[] = [];
  const filled: number[] = [];
  const zeros: { index: number; isKept: boolean }[] = [];
  let least = Number.POSITIVE_INFINITY;
  let level = 1;
  let run = 0;
  let isInZeros = false;
  for (const [index, value] of holed.entries()) {
    const isHole = value === null;
    const isUsual = seasons.some((season) => holed[index - season] === 0);
    if (value === 0 && !isInZeros) isInZeros = !isUsual && isStrangeZero(values, least, seasons);
    else if (!isHole && value !== 0) isInZeros = false;
    const isZero = value === 0 && isInZeros;
    if (!isHole && (!isZero || run >= limit)) {
      values.push(value);
      if (isZero) zeros.push({ index, isKept: true });
      else {
        run = 0;
        least = Math.min(least, value);
      }
      continue;
    }
    if (run === 0) level = levelRatio(values, seasons);
    run++;
    values.push(fromSeasonEarlier(values, seasons, level));
    if (isHole) filled.push(index);
    else zeros.push({ index, isKept: false });
  }
  return { values, filled, zeros };
}

function isStrangeZero(past: readonly number[], least: number, seasons: readonly number[]): boolean {
  if (least <= 0 || past.length < KNOWN_SEASONS * (seasons[0] ?? 1)) return false;
  return least > NEAR_ZERO_SHARE * median(past.slice(-USUAL_STEPS));
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
