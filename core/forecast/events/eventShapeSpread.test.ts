import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { QUANTILES } from '../../spec/forecast.js';
import { widenedByEvents } from './eventShapeSpread.js';

describe('quantiles beside the doubt about an event', () => {
  const around = { p50: 100, p80: 110, p90: 120, p95: 130, p99: 150 };

  it('stay as they are where there is none', () => {
    expect(widenedByEvents(around, 0)).toEqual(around);
  });

  it('keep their middle, rise with the doubt, never fall below either error alone, and scale', () => {
    const spread = fc.double({ min: 0.001, max: 2, noNaN: true });
    fc.assert(
      fc.property(spread, fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (doubt, scale) => {
        const widened = widenedByEvents(around, doubt);
        const more = widenedByEvents(around, doubt * 1.5);
        expect(widened.p50).toBe(100);
        for (const [index, name] of QUANTILES.entries()) {
          const lower = QUANTILES[index - 1];
          if (lower !== undefined) expect(widened[name]).toBeGreaterThan(widened[lower]);
          expect(widened[name]).toBeGreaterThanOrEqual(around[name]);
          expect(more[name]).toBeGreaterThanOrEqual(widened[name]);
          const scaled = Object.fromEntries(QUANTILES.map((of) => [of, around[of] * scale])) as typeof around;
          expect(widenedByEvents(scaled, doubt)[name] / scale).toBeCloseTo(widened[name], 6);
        }
      }),
    );
  });
});
