import { mean, median } from '../../series.js';

/** A change of level that stayed to the end of the series. */
export interface LevelShift {
  /** First step at the new level. */
  index: number;
  /** New level as a multiple of the old one. */
  factor: number;
}

/** Smaller changes are left to the models. */
const LEAST_LOG_FACTOR = Math.log(1.4);
/** A level may be this many times another, not more: beyond it the old shape says nothing. */
const MOST_LOG_FACTOR = Math.log(20);
/** Robust deviations of ordinary changes that the new level must lie beyond. */
const FAR_DEVIATIONS = 6;
/** Shortest seasons at the new level before it is believed. */
const LEAST_NEW_SEASONS = 2;
/** Shortest seasons at the old level, at least. */
const LEAST_OLD_SEASONS = 7;
/** Looked back for a change, and for what is usual: so many of the longest season, or of the shortest where it is the only one. */
const MOST_LONG_SEASONS = 4;
const MOST_SHORT_SEASONS = 14;
/** Each season after must show more than this share of the change, the one before less than the other share. */
const STAYED_SHARE = 0.6;
const BEFORE_SHARE = 0.3;
const DEVIATION_OF_MAD = 1.4826;

/**
 * The last lasting change of level, by the logarithms of means over the shortest season, each compared with those of
 * the same phase of the longest before the change, so that a weekend is no change. Looks at all values given: give it
 * what lies before an origin. `null`: none, or too little history to tell.
 */
export function findLevelShift(
  values: readonly number[],
  seasons: readonly number[],
  isKnownEvent: (index: number) => boolean = () => false,
): LevelShift | null {
  const shortest = seasons[0] ?? 1;
  const cycle = cycleOf(seasons, values.length);
  if (cycle === null) return null;
  const blocks = blocksOf(values, shortest, isKnownEvent);
  // Two cycles before a change say what is usual; its own seasons come on top.
  const first = Math.max(2 * cycle + 1, LEAST_OLD_SEASONS, blocks.length - spanOf(cycle));
  for (let from = blocks.length - LEAST_NEW_SEASONS; from >= first; from--) {
    const change = changeAt(blocks, from, cycle);
    if (change === null) continue;
    const skip = values.length - blocks.length * shortest;
    const about = skip + from * shortest;
    const index = placed(values, about, shortest, cycle * shortest, change);
    return { index, factor: factorAt(values, index, cycle * shortest, isKnownEvent) ?? Math.exp(change) };
  }
  return null;
}

/** What lies before the last change of level, multiplied to the new one; the same values where there is none. */
export function levelled(
  values: readonly number[],
  seasons: readonly number[],
  isKnownEvent?: (index: number) => boolean,
): readonly number[] {
  const shift = findLevelShift(values, seasons, isKnownEvent);
  if (shift === null) return values;
  return values.map((value, index) => (index < shift.index ? value * shift.factor : value));
}

/**
 * Shortest seasons in the longest that is their multiple; `null` where it does not lie three times in the history:
 * then a weekend could not be told from a change.
 */
function cycleOf(seasons: readonly number[], steps: number): number | null {
  const shortest = seasons[0] ?? 1;
  const longest = seasons.findLast((season) => season % shortest === 0) ?? shortest;
  return 3 * longest <= steps ? longest / shortest : null;
}

function spanOf(cycle: number): number {
  return cycle === 1 ? MOST_SHORT_SEASONS : MOST_LONG_SEASONS * cycle;
}

/** Logarithm of the mean of each shortest season, the last one ending with the series; `null`: mostly an event's. */
function blocksOf(
  values: readonly number[],
  shortest: number,
  isKnownEvent: (index: number) => boolean,
): (number | null)[] {
  const count = Math.floor(values.length / shortest);
  const skip = values.length - count * shortest;
  // A thousandth of the mean keeps an idle day finite.
  const unit = mean(values) / 1000 || 1;
  return Array.from({ length: count }, (_, block) => {
    const from = skip + block * shortest;
    let events = 0;
    let sum = 0;
    for (let index = from; index < from + shortest; index++) {
      sum += values[index] ?? 0;
      if (isKnownEvent(index)) events++;
    }
    return events > shortest / 4 ? null : Math.log(sum / shortest + unit);
  });
}

/** Logarithm of the factor of a change between two blocks; `null`: none, or not beyond what is usual. */
function changeAt(blocks: readonly (number | null)[], from: number, cycle: number): number | null {
  const baseAt = (block: number): number | null => {
    const back = Math.ceil((block - from + 1) / cycle) * cycle;
    const same = [block - back - cycle, block - back].map((at) => blocks[at]).filter(isNumber);
    return same.length === 0 ? null : mean(same);
  };
  const gain = (block: number): number | null => {
    const [now, base] = [blocks[block], baseAt(block)];
    return isNumber(now) && base !== null ? now - base : null;
  };
  const after = Array.from({ length: blocks.length - from }, (_, at) => gain(from + at)).filter(isNumber);
  if (after.length < LEAST_NEW_SEASONS) return null;
  const change = median(after);
  const size = Math.abs(change);
  if (size < LEAST_LOG_FACTOR || size > MOST_LOG_FACTOR) return null;
  if (after.some((one) => one * Math.sign(change) < STAYED_SHARE * size)) return null;
  const usual: number[] = [];
  // The season in which it happened may be half at either level.
  for (let block = Math.max(cycle, from - 1 - spanOf(cycle)); block < from - 1; block++) {
    const [now, then] = [blocks[block], blocks[block - cycle]];
    if (isNumber(now) && isNumber(then)) usual.push(now - then);
  }
  if (usual.length < Math.max(cycle, LEAST_OLD_SEASONS - 2)) return null;
  const middle = median(usual);
  const deviation = DEVIATION_OF_MAD * median(usual.map((one) => Math.abs(one - middle)));
  if (size < FAR_DEVIATIONS * deviation || usual.some((one) => Math.abs(one) > size * STAYED_SHARE)) return null;
  const before = usual.at(-1) ?? 0;
  return Math.abs(before) <= BEFORE_SHARE * size ? change : null;
}

/** The step within a season of `about` from which on the values fit the new level best. */
function placed(values: readonly number[], about: number, shortest: number, longest: number, change: number): number {
  const [from, to] = [Math.max(longest, about - shortest), Math.min(values.length, about + shortest)];
  const factor = Math.exp(change);
  let best = about;
  let least = Number.POSITIVE_INFINITY;
  const usualAt = (index: number): number => {
    const one = values[index - longest] ?? 0;
    return (one + (values[index - 2 * longest] ?? one)) / 2;
  };
  // Cost of a place: steps before it by the old level, from it on by the new one; moved along by differences.
  let cost = 0;
  for (let index = from; index < to; index++) cost += Math.abs((values[index] ?? 0) - factor * usualAt(index));
  for (let index = from; index < to; index++) {
    if (cost < least) [least, best] = [cost, index];
    const [value, usual] = [values[index] ?? 0, usualAt(index)];
    cost += Math.abs(value - usual) - Math.abs(value - factor * usual);
  }
  return best;
}

/** Demand since a step over that of the same phases of the two cycles before it; `null`: nothing to compare with. */
function factorAt(
  values: readonly number[],
  index: number,
  cycleSteps: number,
  isKnownEvent: (index: number) => boolean,
): number | null {
  let now = 0;
  let then = 0;
  for (let at = index; at < values.length; at++) {
    const back = at - (Math.floor((at - index) / cycleSteps) + 1) * cycleSteps;
    const bases = [back, back - cycleSteps].filter((base) => base >= 0 && !isKnownEvent(base));
    if (bases.length === 0 || isKnownEvent(at)) continue;
    now += values[at] ?? 0;
    then += mean(bases.map((base) => values[base] ?? 0));
  }
  return now > 0 && then > 0 ? now / then : null;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number';
}
