import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { HeldOut } from '../ensemble/choice.js';
import type { Curves } from '../curves.js';
import { curvesOf } from '../curves.js';
import type { DemandPaths } from './paths.js';
import { combinePaths, expandPaths, peakQuantile, samplePaths } from './paths.js';
import { createRandom, normal } from '../random.js';
import { mean } from '../series.js';

const STEPS = 48;
const SEASON = 24;
/** Of a standard normal distribution. */
const AT = { p50: 0, p80: 0.8416, p90: 1.2816, p95: 1.6449, p99: 2.3263 };
const PREDICTED = Array.from({ length: STEPS }, (_, step) => 100 + 40 * Math.sin((2 * Math.PI * step) / SEASON));

/** Quantiles of normal errors of size 10 around a daily wave. */
const QUANTILES: Curves = curvesOf((name) => PREDICTED.map((value) => value + 10 * AT[name]));

/** Errors of variance 1: a level that stays (share of the variance) and an autoregression around it. */
function errors(random: () => number, share: number, rho: number): number[] {
  const stays = Math.sqrt(share) * normal(random);
  let last = normal(random);
  return PREDICTED.map(() => {
    last = rho * last + Math.sqrt(1 - rho * rho) * normal(random);
    return stays + Math.sqrt(1 - share) * last;
  });
}

function heldOutOf(byOrigin: readonly (readonly number[])[]): HeldOut[] {
  return byOrigin.map((list, origin) => ({
    originMs: origin * 3_600_000,
    predicted: PREDICTED,
    actual: PREDICTED.map((value, step) => value + 10 * (list[step] ?? 0)),
  }));
}

function seen(random: () => number, share: number, rho: number, origins = 5): HeldOut[] {
  return heldOutOf(Array.from({ length: origins }, () => errors(random, share, rho)));
}

function valuesAt({ paths, steps, values }: DemandPaths, step: number): number[] {
  return Array.from({ length: paths }, (_, path) => values[path * steps + step] ?? Number.NaN);
}

function planOf(services: Readonly<Record<string, HeldOut[]>>, seed = 1): ReturnType<typeof samplePaths> {
  const list = Object.entries(services).map(([service, heldOut]) => ({ service, heldOut }));
  return samplePaths({ services: list, shortestSeason: SEASON, seed });
}

describe('paths of one service', () => {
  const plan = planOf({ a: seen(createRandom(1), 0.3, 0.8) });
  const paths = expandPaths(plan, 'a', QUANTILES);

  it('are 200 at least, and have the calibrated quantiles at every step, the tail beyond included', () => {
    expect(paths.paths).toBeGreaterThanOrEqual(200);
    for (let step = 0; step < STEPS; step++) {
      const sorted = valuesAt(paths, step).sort((a, b) => a - b);
      for (const [name, level] of [
        ['p50', 0.5],
        ['p80', 0.8],
        ['p90', 0.9],
        ['p95', 0.95],
        ['p99', 0.99],
      ] as const) {
        const [below = 0, above = 0] = sorted.slice(level * paths.paths - 1);
        const quantile = QUANTILES[name][step] ?? 0;
        expect(below).toBeLessThanOrEqual(quantile + 1e-3);
        expect(above).toBeGreaterThanOrEqual(quantile - 1e-3);
      }
      expect(sorted.at(-1)).toBeGreaterThan(QUANTILES.p99[step] ?? 0);
    }
  });

  it('are the same for a seed, a stored plan and any company, and others for another seed', () => {
    const stored = JSON.parse(JSON.stringify(plan)) as typeof plan;
    expect(expandPaths(stored, 'a', QUANTILES)).toEqual(paths);
    expect(planOf({ a: seen(createRandom(1), 0.3, 0.8) })).toEqual(plan);
    const other = planOf({ a: seen(createRandom(1), 0.3, 0.8) }, 2);
    expect(expandPaths(other, 'a', QUANTILES)).not.toEqual(paths);
  });

  it('keep what stays: the level of an error lasts from the first step to the last', () => {
    const correlation = (share: number): number => {
      const made = planOf({ a: seen(createRandom(4), share, 0, 8) });
      const own = expandPaths(made, 'a', QUANTILES);
      return correlationOf(valuesAt(own, 2), valuesAt(own, 45));
    };
    expect(correlation(0.9)).toBeGreaterThan(0.6);
    expect(correlation(0)).toBeLessThan(0.3);
  });

  it('have finite demand that is never negative, whatever was held out', () => {
    const heldOut = fc.array(
      fc
        .array(fc.tuple(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true })), {
          minLength: 1,
          maxLength: 30,
        })
        .map((rows) => ({ originMs: 0, actual: rows.map(([a]) => a), predicted: rows.map(([, p]) => p) })),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(heldOut, heldOut, (first, second) => {
        const numbered = (list: readonly HeldOut[]): HeldOut[] =>
          list.map((one, index) => ({ ...one, originMs: index }));
        const made = planOf({ a: numbered(first), b: numbered(second) });
        for (const service of ['a', 'b', 'unknown']) {
          const { values } = expandPaths(made, service, QUANTILES);
          expect(values.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('peakQuantile', () => {
  it('is the quantile itself of one step, and rises with the window', () => {
    const paths = expandPaths(planOf({ a: seen(createRandom(2), 0.2, 0.5) }), 'a', QUANTILES);
    expect(Math.abs(peakQuantile(paths, 5, 1, 0.9) - (QUANTILES.p90[5] ?? 0))).toBeLessThan(0.5);
    const rising = [1, 4, 12, 24].map((steps) => peakQuantile(paths, 0, steps, 0.9));
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
  });

  it.each([
    [0.2, 0.3],
    [0.2, 0.9],
    [0.6, 0.6],
  ])('covers peaks as often as it says, level %f and autoregression %f; the highest p90 does not', (share, rho) => {
    const random = createRandom(21);
    const hits: number[] = [];
    const naive: number[] = [];
    for (let region = 0; region < 30; region++) {
      const own = expandPaths(planOf({ a: seen(random, share, rho) }, region), 'a', QUANTILES);
      const levels = [0, 12, 24, 36].map((from) => peakQuantile(own, from, 12, 0.9));
      for (let fresh = 0; fresh < 25; fresh++) {
        const came = errors(random, share, rho).map((error, step) => (PREDICTED[step] ?? 0) + 10 * error);
        for (const [index, level] of levels.entries()) {
          const from = 12 * index;
          const peak = Math.max(...came.slice(from, from + 12));
          hits.push(peak <= level ? 1 : 0);
          naive.push(peak <= Math.max(...QUANTILES.p90.slice(from, from + 12)) ? 1 : 0);
        }
      }
    }
    expect(Math.abs(mean(hits) - 0.9)).toBeLessThan(0.03);
    expect(mean(naive)).toBeLessThan(mean(hits));
  });
});

describe('combinePaths', () => {
  const sumP90 = (services: Readonly<Record<string, HeldOut[]>>): number => {
    const plan = planOf(services);
    const names = Object.keys(services);
    const byService = new Map(names.map((name) => [name, expandPaths(plan, name, QUANTILES)]));
    const sum = combinePaths(byService, new Map(names.map((name) => [name, 1])));
    return mean(PREDICTED.map((value, step) => peakQuantile(sum, step, 1, 0.9) - names.length * value));
  };

  it('keeps what moves together, and lets the rest even out', () => {
    const random = createRandom(31);
    const names = Array.from({ length: 12 }, (_, index) => `s${index}`);
    const shared = seen(random, 0.4, 0.5, 8);
    const together = sumP90(Object.fromEntries(names.map((name) => [name, shared])));
    const apart = sumP90(Object.fromEntries(names.map((name) => [name, seen(random, 0.4, 0.5, 8)])));
    const each = 10 * AT.p90;
    expect(together / (12 * each)).toBeGreaterThan(0.9);
    expect(apart / (Math.sqrt(12) * each)).toBeGreaterThan(0.7);
    expect(apart / (Math.sqrt(12) * each)).toBeLessThan(1.5);
  });

  it('weighs path by path, leaves out who is unknown, and refuses paths of different shapes', () => {
    const own = expandPaths(planOf({ a: seen(createRandom(2), 0.2, 0.5) }), 'a', QUANTILES);
    const byService = new Map([['a', own]]);
    const twice = combinePaths(
      byService,
      new Map([
        ['a', 2],
        ['b', 5],
      ]),
    );
    expect(Array.from(twice.values)).toEqual(Array.from(own.values, (value) => Math.fround(2 * value)));
    const short = { paths: 1, steps: 1, values: new Float32Array(1) };
    expect(() =>
      combinePaths(
        new Map([
          ['a', own],
          ['b', short],
        ]),
        new Map([
          ['a', 1],
          ['b', 1],
        ]),
      ),
    ).toThrow('shapes');
  });
});

function correlationOf(first: readonly number[], second: readonly number[]): number {
  const [a, b] = [mean(first), mean(second)];
  const across = mean(first.map((value, index) => (value - a) * ((second[index] ?? 0) - b)));
  const size = (list: readonly number[], centre: number): number => Math.sqrt(mean(list.map((v) => (v - centre) ** 2)));
  return across / (size(first, a) * size(second, b));
}
