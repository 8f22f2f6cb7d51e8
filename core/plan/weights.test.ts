import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { neighbourSpec } from '../../test/fixtures/regionSpec.js';
import { admissibleRps } from './limits.js';
import { fixWeights, spillOver, stagedWeights, wholePercents } from './weights.js';

const share = fc.double({ min: 0, max: 1000, noNaN: true });
const sumOf = (weights: Readonly<Record<string, number>>): number => Object.values(weights).reduce((a, b) => a + b, 0);

describe('wholePercents', () => {
  it('sums to 100 in whole percents, each within one of its share', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), share, { minKeys: 1 }), (shares) => {
        const percents = wholePercents(shares);
        expect(sumOf(percents)).toBe(100);
        const total = sumOf(shares);
        for (const [name, percent] of Object.entries(percents)) {
          expect(Number.isInteger(percent) && percent >= 0).toBe(true);
          if (total > 0) expect(Math.abs(percent - ((shares[name] ?? 0) / total) * 100)).toBeLessThan(1 + 1e-6);
        }
      }),
    );
  });

  it('gives the left-over percent to the largest remainder', () => {
    expect(wholePercents({ a: 1, b: 1, c: 1 })).toEqual({ a: 34, b: 33, c: 33 });
    expect(wholePercents({ a: 10.4, b: 79.9, c: 9.7 })).toEqual({ a: 10, b: 80, c: 10 });
  });
});

const near = neighbourSpec({ name: 'near', networkLatencyMs: 5, spareRps: { s: 100 } });
const far = neighbourSpec({ name: 'far', networkLatencyMs: 50, spareRps: { s: 1000 } });

describe('stagedWeights', () => {
  const staged = (planned: Record<string, number>, localPercent: number, demandRps = 400): Record<string, number> =>
    stagedWeights({ service: 's', own: 'own', planned, localPercent, demandRps, neighbours: [far, near] });

  it('fills the nearest first, as much as it can spare, when the plan keeps all local', () => {
    const planned = { own: 100, far: 0, near: 0 };
    expect(staged(planned, 0)).toEqual({ own: 0, near: 25, far: 75 });
    expect(staged(planned, 50)).toEqual({ own: 50, near: 25, far: 25 });
    expect(staged(planned, 90)).toEqual({ own: 90, near: 10, far: 0 });
    expect(staged(planned, 100)).toEqual(planned);
  });

  it('keeps the proportion of neighbours that the plan has given weight to', () => {
    expect(staged({ own: 60, near: 30, far: 10 }, 0)).toEqual({ own: 0, near: 75, far: 25 });
    expect(staged({ own: 60, near: 30, far: 10 }, 50)).toEqual({ own: 30, near: 53, far: 17 });
  });

  it('keeps all local where no neighbour has anything to spare', () => {
    const none = neighbourSpec({ name: 'near', spareRps: {} });
    const planned = { own: 100, near: 0 };
    const input = { service: 's', own: 'own', planned, localPercent: 0, demandRps: 5, neighbours: [none] };
    expect(stagedWeights(input)).toEqual(planned);
  });

  it('sums to 100 at every step', () => {
    fc.assert(
      fc.property(share, share, share, fc.double({ min: 0, max: 100, noNaN: true }), (a, b, c, percent) => {
        expect(sumOf(staged(wholePercents({ own: a, near: b, far: c }), percent, a + b))).toBe(100);
      }),
    );
  });
});

describe('spillOver', () => {
  it('says what nobody has room for', () => {
    expect(spillOver('s', 1500, [near, far])).toEqual({ rps: { near: 100, far: 1000 }, leftRps: 400 });
  });
});

describe('fixWeights', () => {
  it('keeps what is fixed and rescales the rest', () => {
    expect(fixWeights({ own: 60, near: 30, far: 10 }, { far: 50 }, [])).toEqual({ own: 33, near: 17, far: 50 });
    expect(fixWeights({ own: 100, near: 0, far: 0 }, { own: 70 }, ['own', 'near'])).toEqual({
      own: 70,
      near: 30,
      far: 0,
    });
    expect(fixWeights({ own: 100, near: 0 }, { own: 0, near: 100 }, [])).toEqual({ own: 0, near: 100 });
    expect(sumOf(fixWeights({ own: 50, near: 50 }, { own: 80, near: 80 }, []))).toBe(100);
  });
});

describe('admissibleRps', () => {
  const base = { own: 'own', plannedInstances: 10, perInstanceRps: 100, spareRps: { near: 300, far: 2000 } };
  const at = (weights: Record<string, number>, readyInstances: number): number =>
    admissibleRps({ ...base, weights, readyInstances });

  it('is limited by the region that is full first', () => {
    expect(at({ own: 100, near: 0, far: 0 }, 10)).toBe(1000);
    expect(at({ own: 50, near: 50 }, 10)).toBe(600);
    expect(at({ own: 0, near: 100 }, 0)).toBe(300);
    expect(at({ own: 90, near: 10 }, 10)).toBeCloseTo(1000 / 0.9);
  });

  it('counts on failover as far as the proxies do: beyond 1/1.4 of the planned instances', () => {
    expect(at({ own: 100 }, 8)).toBe(800);
    expect(at({ own: 100, near: 0, far: 0 }, 5)).toBeCloseTo((10 / 1.4) * 100);
    expect(admissibleRps({ ...base, spareRps: {}, weights: { own: 100 }, readyInstances: 5 })).toBe(500);
  });

  it('never falls as more instances are ready', () => {
    fc.assert(
      fc.property(share, share, share, fc.integer({ min: 0, max: 14 }), (own, near_, far_, ready) => {
        const weights = wholePercents({ own, near: near_, far: far_ });
        expect(at(weights, ready + 1)).toBeGreaterThanOrEqual(at(weights, ready) * (1 - 1e-9));
      }),
    );
  });
});
