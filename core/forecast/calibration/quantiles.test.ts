import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { poolScores } from './calibrationPool.js';
import type { ScoredPoint } from './calibrationSpread.js';
import { calibrate, demandAt, quantileAt } from './quantiles.js';
import { createRandom, normal } from '../random.js';
import { mean } from '../series.js';

const SEASON = 24;
const LEADS = 48;

type Random = () => number;

/** Errors of one origin: a level that stays and noise around it, in units of 1. */
function errorsOf(random: Random, level: number, noise: number): number[] {
  const stays = level * normal(random);
  return Array.from({ length: LEADS }, () => stays + noise * normal(random));
}

function predictedAt(step: number): number {
  return 100 + 60 * Math.sin((2 * Math.PI * step) / SEASON);
}

interface Kind {
  origins?: number;
  size?: number;
  bias?: number;
  level?: number;
}

function backTested(random: Random, { origins = 5, size = 10, bias = 0, level = 0.5 }: Kind = {}): ScoredPoint[] {
  return Array.from({ length: origins }, (_, origin) =>
    errorsOf(random, level, 1).map((error, step) => ({
      origin,
      lead: step + 1,
      predicted: predictedAt(step),
      actual: Math.max(0, predictedAt(step) + size * (error + bias)),
    })),
  ).flat();
}

const points = fc
  .tuple(
    fc.integer({ min: 1, max: 6 }),
    fc.array(fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.double({ min: 0, max: 1e6, noNaN: true })), {
      minLength: 1,
      maxLength: 30,
    }),
    fc.boolean(),
  )
  .map(([origins, values, phased]) =>
    Array.from({ length: origins }, (_, origin) =>
      values.map(([actual, predicted], step): ScoredPoint => ({
        origin,
        lead: step + 1,
        actual: origin % 2 === 0 ? actual : predicted,
        predicted,
        ...(phased ? { phase: (origin + step) % SEASON } : {}),
      })),
    ).flat(),
  );

describe('calibrate', () => {
  it('gives finite, rising quantiles that are never negative, whatever the errors', () => {
    fc.assert(
      fc.property(
        points,
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.integer({ min: 1, max: 500 }),
        (list, predicted, lead) => {
          const calibration = calibrate(list, SEASON);
          const { p50, p80, p90, p95, p99 } = quantileAt(calibration, predicted, lead, lead % SEASON);
          const all = [p50, p80, p90, p95, p99];
          expect(all.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
          expect(all).toEqual([...all].sort((a, b) => a - b));
          expect(calibration.coverage90).toBeGreaterThanOrEqual(0);
          expect(calibration.coverage90).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('scales with demand', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(1e-6, 0.01, 1000, 1e9), (seed, factor) => {
        const own = backTested(createRandom(seed));
        const scaled = own.map((p) => ({ ...p, actual: factor * p.actual, predicted: factor * p.predicted }));
        const { p99, p50 } = quantileAt(calibrate(own, SEASON), 80, 30);
        const large = quantileAt(calibrate(scaled, SEASON), factor * 80, 30);
        expect(large.p99 / factor).toBeCloseTo(p99, 6);
        expect(large.p50 / factor).toBeCloseTo(p50, 6);
      }),
      { numRuns: 20 },
    );
  });

  it('is certain where the back-test never erred, and not where demand is merely zero', () => {
    const exact = backTested(createRandom(1), { size: 0 });
    expect(quantileAt(calibrate(exact, SEASON), 100, 5)).toEqual({ p50: 100, p80: 100, p90: 100, p95: 100, p99: 100 });
    const sparse = exact.map((p) => ({ ...p, predicted: 0, actual: p.lead % 12 === 0 ? 6 : 0 }));
    const { p50, p99 } = quantileAt(calibrate(sparse, SEASON), 0, 5);
    expect(p50).toBe(0);
    expect(p99).toBeGreaterThan(1);
  });

  it('moves the middle by a bias that the origins agree on, and not by one that they do not', () => {
    const steady = calibrate(backTested(createRandom(3), { bias: 1, level: 0.1 }), SEASON);
    expect(quantileAt(steady, 100, 10).p50).toBeGreaterThan(104);
    const split = backTested(createRandom(3), { level: 0 }).map((p) => ({
      ...p,
      actual: p.actual + (p.origin % 2 === 0 ? 20 : -20) + 2,
    }));
    const doubted = quantileAt(calibrate(split, SEASON), 100, 10).p50;
    expect(Math.abs(doubted - 100)).toBeLessThan(2);
  });

  it('is wider at high demand, at a phase that errs more, further ahead, and beyond what was tested', () => {
    const random = createRandom(5);
    const own = backTested(random, { level: 0 }).map((p): ScoredPoint => {
      const phase = (p.lead - 1) % SEASON;
      const size = (phase < 6 ? 3 : 1) * (p.lead > 24 ? 2 : 1) * 0.05 * p.predicted;
      return { ...p, phase, actual: Math.max(0, p.predicted + size * normal(random)) };
    });
    const calibration = calibrate(own, SEASON);
    const width = (predicted: number, lead: number, phase: number): number => {
      const { p50, p90 } = quantileAt(calibration, predicted, lead, phase);
      return p90 - p50;
    };
    expect(width(150, 10, 10)).toBeGreaterThan(1.5 * width(60, 10, 10));
    expect(width(100, 10, 3)).toBeGreaterThan(1.3 * width(100, 10, 15));
    expect(width(100, 40, 10)).toBeGreaterThan(1.2 * width(100, 20, 10));
    expect(width(100, 4 * LEADS, 10)).toBeCloseTo(2 * width(100, LEADS, 10), 6);
  });
});

describe('coverage of what comes', () => {
  /** Shares of fresh windows at or below p90 and p99. */
  function coverage(services: number, pooled: boolean, seed: number): { p90: number; p99: number } {
    const random = createRandom(seed);
    const region = Array.from({ length: services }, () => {
      const size = 2 + 20 * random();
      return { past: backTested(random, { size }), come: backTested(random, { size, origins: 4 }) };
    });
    const pool = poolScores(
      region.map(({ past }) => past),
      SEASON,
    );
    const hits = region.flatMap(({ past, come }) => {
      const calibration = pooled ? calibrate(past, SEASON, pool) : calibrate(past, SEASON);
      return come.map(({ predicted, lead, actual }) => {
        const { p90, p99 } = quantileAt(calibration, predicted, lead);
        return [actual <= p90 ? 1 : 0, actual <= p99 ? 1 : 0] as const;
      });
    });
    return { p90: mean(hits.map(([hit]) => hit)), p99: mean(hits.map(([, hit]) => hit)) };
  }

  it.each([true, false])('holds with five origins whose errors move together, pooled: %s', (pooled) => {
    const { p90, p99 } = coverage(60, pooled, 11);
    expect(p90).toBeGreaterThan(0.88);
    expect(p90).toBeLessThan(0.92);
    expect(p99).toBeGreaterThan(0.98);
    expect(p99).toBeLessThan(0.999);
  });

  it('is told by held-out origins', () => {
    const { coverage90 } = calibrate(backTested(createRandom(2), { origins: 8 }), SEASON);
    expect(coverage90).toBeGreaterThan(0.84);
    expect(coverage90).toBeLessThan(0.96);
  });
});

describe('poolScores', () => {
  it('lends its shape to a service with few origins, more than to one with many', () => {
    const random = createRandom(9);
    // Errors that are rare and large: nothing like a bell.
    const spiky = (origins: number): ScoredPoint[] =>
      backTested(random, { origins, level: 0 }).map((p) => ({
        ...p,
        actual: p.predicted + (random() < 0.06 ? 80 : 2 * normal(random)),
      }));
    const pool = poolScores(
      Array.from({ length: 30 }, () => spiky(5)),
      SEASON,
    );
    const even = (origins: number): ScoredPoint[] => backTested(createRandom(4), { origins, level: 0 });
    const ratio = (origins: number, used = pool): number => {
      const { p50, p80, p99 } = quantileAt(calibrate(even(origins), SEASON, used), 100, 10);
      return (p99 - p50) / (p80 - p50);
    };
    const alone = ratio(20, poolScores([even(20)], SEASON));
    expect(ratio(3)).toBeGreaterThan(1.5 * ratio(20));
    expect(ratio(20)).toBeGreaterThan(alone);
  });

  it('is plain data that calibrates alike after a round trip', () => {
    const own = backTested(createRandom(6));
    const pool = poolScores([own, backTested(createRandom(7))], SEASON);
    const again = JSON.parse(JSON.stringify(pool)) as typeof pool;
    const at = (used: typeof pool): number => demandAt(calibrate(own, SEASON, used), 100, 7, 0.97);
    expect(at(again)).toBe(at(pool));
  });

  it('of services without any error or point says the same as none at all', () => {
    const own = backTested(createRandom(8));
    const still = backTested(createRandom(8), { size: 0 });
    expect(poolScores([own, still, []], SEASON)).toEqual(poolScores([own], SEASON));
  });
});
