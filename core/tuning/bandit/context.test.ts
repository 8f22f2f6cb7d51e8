import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { DIMENSION, contextOf, featuresOf } from './context.js';
import type { DecisionInput } from './context.js';

const calm: DecisionInput = {
  offeredRps: 100,
  forecastRps: 100,
  secondsToEvent: Infinity,
  utilisation: 0.7,
  p99Ms: 200,
  sloP99Ms: 200,
  errorRate: 0,
  sloErrorRate: 0.01,
  refusedShare: 0,
  trust: 'high',
};
const READINGS = [
  'offeredRps',
  'forecastRps',
  'secondsToEvent',
  'utilisation',
  'p99Ms',
  'errorRate',
  'refusedShare',
] as const;

describe('the context', () => {
  it('is 0 where all is as planned, but for the constant and trust', () => {
    expect(contextOf(calm)).toEqual({
      ...{ one: 1, load: 0, event: 0, utilisation: 0, latency: 0, errors: 0, refused: 0, trust: 1 },
    });
  });

  it.each(READINGS)('without %s there is none', (name) => {
    expect(contextOf({ ...calm, [name]: null })).toBeNull();
    expect(contextOf({ ...calm, [name]: NaN })).toBeNull();
  });

  it('is clipped and scaled, whatever is read', () => {
    const reading = fc.double({ min: -10, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(reading, reading, reading, reading, reading, reading, reading), (some) => {
        const input = Object.fromEntries(READINGS.map((name, i) => [name, some[i]])) as Partial<DecisionInput>;
        const context = contextOf({ ...calm, ...input })!;
        for (const value of Object.values(context)) expect(Math.abs(value)).toBeLessThanOrEqual(1);
      }),
    );
    expect(contextOf({ ...calm, secondsToEvent: 1800 })!.event).toBeCloseTo(Math.exp(-1), 9);
    expect(contextOf({ ...calm, offeredRps: 150 })!.load).toBeCloseTo(Math.log(1.5), 9);
  });

  it('a move up and a move down differ in the sign of all that has one, and share a constant', () => {
    const context = contextOf({ ...calm, offeredRps: 130, refusedShare: 0.1 })!;
    const [up, down] = ([1, -1] as const).map((direction) =>
      featuresOf(context, -2, { family: 'concurrency', direction }),
    );
    expect(up!.length).toBe(DIMENSION);
    for (let i = 0; i < DIMENSION - 1; i++) expect(up![i]! + down![i]!).toBe(0);
    expect([up![DIMENSION - 1], down![DIMENSION - 1]]).toEqual([1, 1]);
    expect(up![8]).toBeCloseTo(-0.4, 9);
  });
});
