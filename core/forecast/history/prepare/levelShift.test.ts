import { describe, expect, it } from '@jest/globals';

import { findLevelShift, levelled } from './levelShift.js';

const SEASONS = [24, 168];

function demand(steps: number): number[] {
  return Array.from({ length: steps }, (_, at) => {
    const weekend = at % 168 >= 120 ? 0.6 : 1;
    return weekend * (100 + 50 * Math.sin((2 * Math.PI * at) / 24)) + (((at * 7919) % 101) - 50) / 5;
  });
}

const shifted = (steps: number, from: number, factor: number): number[] =>
  demand(steps).map((value, at) => (at >= from ? factor * value : value));

describe('findLevelShift', () => {
  it.each([
    [950, 2.5],
    [900, 0.4],
    [700, 1.8],
  ])('finds a change at step %d of 1000 to %d times the level', (from, factor) => {
    const shift = findLevelShift(shifted(1000, from, factor), SEASONS);
    expect(Math.abs((shift?.index ?? 0) - from)).toBeLessThanOrEqual(4);
    expect((shift?.factor ?? 0) / factor).toBeGreaterThan(0.9);
    expect((shift?.factor ?? 0) / factor).toBeLessThan(1.1);
  });

  it('scales by factor alone: the same place in other units', () => {
    const values = shifted(1000, 900, 2);
    const one = findLevelShift(values, SEASONS);
    const other = findLevelShift(
      values.map((value) => 1e-3 * value),
      SEASONS,
    );
    expect(other?.index).toBe(one?.index);
    expect(other?.factor).toBeCloseTo(one?.factor ?? 0, 9);
  });

  it.each([
    ['usual weeks', demand(1000)],
    ['a weekend at the end', demand(960)],
    ['a small change', shifted(1000, 900, 1.2)],
    ['a change that is not a day old', shifted(1000, 985, 3)],
    ['a surge that is over', demand(1000).map((value, at) => (at >= 800 && at < 872 ? 3 * value : value))],
    ['too little before it', shifted(400, 300, 3)],
    ['an idle service', Array<number>(1000).fill(0)],
  ])('finds none in %s', (_, values) => {
    expect(findLevelShift(values, SEASONS)).toBeNull();
  });

  it('lets a known event be no change of level', () => {
    const isKnownEvent = (at: number): boolean => at >= 900;
    expect(findLevelShift(shifted(1000, 900, 2), SEASONS, isKnownEvent)).toBeNull();
  });
});

describe('levelled', () => {
  it('brings what was before to the new level, and leaves a steady series as it is', () => {
    const values = levelled(shifted(1000, 900, 2), SEASONS);
    for (const at of [100, 500, 890]) expect((values[at] ?? 0) / (2 * (demand(1000)[at] ?? 1))).toBeCloseTo(1, 1);
    expect(values.slice(904)).toEqual(shifted(1000, 900, 2).slice(904));
    const steady = demand(1000);
    expect(levelled(steady, SEASONS)).toBe(steady);
  });
});
