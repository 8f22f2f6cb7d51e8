import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { ForecastMember, Regressor } from './members.js';
import { atResolution, coarseFactor } from './resolution.js';
import type { Series } from '../series.js';

const SEASONS = [288, 2016];
const STEP_MS = 300_000;

function series(values: readonly number[]): Series {
  return { startMs: 0, stepMs: STEP_MS, values };
}

/** A member that says what it was asked. */
function spy(
  answer: (train: Series, horizonSteps: number, regressors: readonly Regressor[]) => readonly number[],
): ForecastMember {
  return {
    name: 'spy',
    forecast: (train, horizonSteps, regressors) => ({ ok: true, mean: answer(train, horizonSteps, regressors) }),
  };
}

function forecast(
  member: ForecastMember,
  values: readonly number[],
  horizonSteps: number,
  known: readonly Regressor[] = [],
): readonly number[] {
  const [made] = atResolution(SEASONS, () => [member]);
  const result = made?.forecast(series(values), horizonSteps, known, 1);
  if (result?.ok !== true) throw new Error('no forecast');
  return result.mean;
}

describe('coarseFactor', () => {
  it('leaves hours, quarters of days and weeks of days as they are', () => {
    for (const seasons of [[24, 168], [7], [48, 336], [4, 28]]) expect(coarseFactor(seasons)).toBe(1);
  });

  it('brings finer steps to half hours where all seasons allow it', () => {
    expect(coarseFactor(SEASONS)).toBe(6);
    expect(coarseFactor([1440, 10_080])).toBe(30);
    expect(coarseFactor([96, 672])).toBe(2);
    expect(coarseFactor([97])).toBe(1);
  });
});

describe('atResolution', () => {
  it('shows a member means of whole coarse steps up to the end, and asks for enough of them', () => {
    const values = Array.from({ length: 603 }, (_, index) => index);
    forecast(
      spy((train, horizonSteps) => {
        expect(train).toMatchObject({ stepMs: 6 * STEP_MS, startMs: 3 * STEP_MS });
        expect(train.values).toHaveLength(100);
        expect(train.values[0]).toBe(5.5);
        expect(train.values.at(-1)).toBe(599.5);
        expect(horizonSteps).toBe(3);
        return [1, 1, 1];
      }),
      values,
      13,
    );
  });

  it('brings regressors along', () => {
    const known: Regressor = {
      name: 'load',
      train: Array.from({ length: 603 }, (_, index) => index),
      future: [6, 6, 6, 6, 6, 12, 20],
    };
    forecast(
      spy((_train, _steps, [one]) => {
        expect(one?.train[0]).toBe(5.5);
        expect(one?.train).toHaveLength(100);
        expect(one?.future).toEqual([7, 20]);
        return [1, 1];
      }),
      Array.from({ length: 603 }, () => 1),
      7,
      [known],
    );
  });

  it('keeps a constant constant and a line a line', () => {
    const flat = forecast(
      spy((_, steps) => Array.from({ length: steps }, () => 5)),
      Array.from({ length: 1200 }, () => 5),
      20,
    );
    expect(flat).toHaveLength(20);
    for (const value of flat) expect(value).toBeCloseTo(5, 9);
    const line = forecast(
      spy((train, steps) => Array.from({ length: steps }, (_, step) => (train.values.at(-1) ?? 0) + 6 * (step + 1))),
      Array.from({ length: 240 }, (_, index) => 1000 + index),
      12,
    );
    for (const [step, value] of line.slice(0, 8).entries()) expect(value).toBeCloseTo(1240 + step, 0);
  });

  it('gives the shape within a coarse step back that every season has', () => {
    const shape = (index: number): number => (index % 6 === 0 ? 16 : 10);
    const values = Array.from({ length: 288 * 14 }, (_, index) => shape(index));
    const got = forecast(
      spy((_, steps) => Array.from({ length: steps }, () => 11)),
      values,
      12,
    );
    expect(got[0]).toBeGreaterThan(14.5);
    expect(got[1]).toBeLessThan(10.5);
    expect(got[6]).toBeGreaterThan(14.5);
  });

  it('scales with the data and stays finite', () => {
    const member = spy((train, steps) => Array.from({ length: steps }, (_, step) => train.values[step] ?? 0));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 300, maxLength: 700 }), (values) => {
        const base = forecast(member, values, 30);
        const tripled = forecast(
          member,
          values.map((value) => 3 * value),
          30,
        );
        for (const [step, value] of base.entries()) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(tripled[step]).toBeCloseTo(3 * value, 6);
        }
      }),
      { numRuns: 30 },
    );
  });
});
