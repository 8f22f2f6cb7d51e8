import { describe, expect, it } from '@jest/globals';

import type { HeldOut } from '../ensemble/choice.js';
import { errorShapes, levelDependence, normalScores } from './pathErrors.js';
import { createRandom, normal } from '../random.js';
import { mean } from '../series.js';
import { normalQuantile } from '../normalQuantile.js';

function heldOutOf(errors: readonly (readonly number[])[]): HeldOut[] {
  return errors.map((list, originMs) => ({
    originMs,
    predicted: list.map(() => 100),
    actual: list.map((error) => 100 + error),
  }));
}

describe('normalQuantile', () => {
  it('knows the table', () => {
    for (const [level, value] of [
      [0.5, 0],
      [0.8, 0.8416212336],
      [0.99, 2.326347874],
      [0.001, -3.0902323062],
    ] as const) {
      expect(normalQuantile(level)).toBeCloseTo(value, 7);
    }
  });
});

describe('normalScores', () => {
  it('keeps the order, gives equal errors equal scores, and an incident the place of the largest', () => {
    const [first = [], second = []] = normalScores(
      heldOutOf([
        [0, 0, 5, -5],
        [0, 1e9, 1, -1],
      ]),
      24,
    );
    expect(first[0]).toBe(first[1]);
    expect(second[0]).toBe(first[0]);
    expect(second[1]).toBeCloseTo(normalQuantile(7.5 / 8), 9);
    expect(first[3]).toBeCloseTo(normalQuantile(0.5 / 8), 9);
  });
});

describe('errorShapes', () => {
  it('parts what stays from what varies', () => {
    const random = createRandom(3);
    const scores = (share: number): number[][] =>
      Array.from({ length: 8 }, () => {
        const stays = Math.sqrt(share) * normal(random);
        return Array.from({ length: 100 }, () => stays + Math.sqrt(1 - share) * normal(random));
      });
    const shares = errorShapes([...Array.from({ length: 20 }, () => scores(0.5))]).map(({ share }) => share);
    expect(Math.abs(mean(shares) - 0.5)).toBeLessThan(0.1);
    const [one] = errorShapes([scores(0.5)]);
    const { levels = [], around = [] } = one ?? {};
    expect(levels.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9);
    expect(levels.reduce((sum, value) => sum + value ** 2, 0)).toBeCloseTo(1, 9);
    expect(mean(around.flat().map((value) => (value / 100) ** 2))).toBeCloseTo(1, 2);
  });

  it('has no level and no variance for a service without errors', () => {
    const [still] = errorShapes([
      [
        [0, 0],
        [0, 0],
      ],
    ]);
    expect(still?.levels).toEqual([0, 0]);
    expect(still?.around.flat().every((value) => value === 0)).toBe(true);
  });
});

describe('levelDependence', () => {
  const random = createRandom(5);
  const unit = (list: readonly number[]): number[] => {
    const centre = mean(list);
    const size = Math.sqrt(list.reduce((sum, value) => sum + (value - centre) ** 2, 0));
    return list.map((value) => (value - centre) / size);
  };
  const drawn = (): number[] => unit([1, 2, 3, 4, 5].map(() => normal(random)));

  it('is all of it for services that move as one, and next to none for those that do not', () => {
    const one = drawn();
    expect(levelDependence([one, one, one.map((value) => -value)])).toBeCloseTo(1, 9);
    expect(levelDependence(Array.from({ length: 80 }, drawn))).toBeLessThan(0.35);
  });

  it('is all of it where there is nobody to compare with', () => {
    expect(levelDependence([drawn()])).toBe(1);
    expect(levelDependence([drawn(), [0, 0, 0, 0, 0]])).toBe(1);
  });
});
