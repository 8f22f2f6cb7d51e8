import { QUANTILES } from '../../spec/forecast.js';
import type { Curves } from '../curves.js';
import { LEVEL } from './quantiles.js';

/** How far demand falls below p50, as a share of how far it rises above at the mirrored level. */
const BELOW = 0.8;

/** Demand at one level is the first of two quantiles and `share` of the way to the second. */
interface Place {
  low: (typeof QUANTILES)[number];
  high: (typeof QUANTILES)[number];
  share: number;
  isBelow: boolean;
}

/**
 * Demand of a step at each of `levels`, rps, made for many steps: straight between the quantiles on the scale of an
 * exponential tail, and on beyond p99. Below p50 the upper half is mirrored, never under zero.
 */
export function marginsAt(levels: readonly number[]): (quantiles: Curves, step: number) => number[] {
  const places = levels.map(placeOf);
  return (quantiles, step) => {
    const middle = quantiles.p50[step] ?? 0;
    return places.map(({ low, high, share, isBelow }) => {
      const from = quantiles[low][step] ?? 0;
      const value = from + share * ((quantiles[high][step] ?? 0) - from);
      return isBelow ? Math.max(0, middle - BELOW * (value - middle)) : value;
    });
  };
}

function placeOf(level: number): Place {
  const isBelow = level < LEVEL.p50;
  const mirrored = isBelow ? 1 - level : level;
  const next = QUANTILES.findIndex((name) => LEVEL[name] >= mirrored);
  const upper = next < 0 ? QUANTILES.length - 1 : Math.max(1, next);
  const high = QUANTILES[upper] ?? 'p99';
  const low = QUANTILES[upper - 1] ?? 'p50';
  const share = (depth(mirrored) - depth(LEVEL[low])) / (depth(LEVEL[high]) - depth(LEVEL[low]));
  return { low, high, share, isBelow };
}

function depth(level: number): number {
  return -Math.log(1 - level);
}
