import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { freezeCalendar } from './freezes.js';
import type { FreezeSpec } from './region.js';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const DAY_MS = 86_400_000;
const once = (why: string, from: string, to: string): FreezeSpec => ({ why, from, to });
const weekend: FreezeSpec = {
  why: 'weekend',
  weekly: { from: 'Fri 16:00', to: 'Mon 08:00', timeZone: 'Europe/Berlin' },
};

function shown(specs: readonly FreezeSpec[], fromMs = NOW): string[] {
  const at = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
  return freezeCalendar(specs, fromMs).freezes.map((one) => `${at(one.fromMs)} ${at(one.toMs)} ${one.why}`);
}

describe('freezeCalendar', () => {
  it('has what comes in 28 days, in order', () => {
    const sale = once('sale', '2026-12-01T09:00:00+01:00', '2026-12-01T10:00:00+01:00');
    expect(shown([weekend, sale])).toEqual([
      '2026-11-27T15:00 2026-11-30T07:00 weekend',
      '2026-12-01T08:00 2026-12-01T09:00 sale',
      '2026-12-04T15:00 2026-12-07T07:00 weekend',
      '2026-12-11T15:00 2026-12-14T07:00 weekend',
      '2026-12-18T15:00 2026-12-21T07:00 weekend',
    ]);
    expect(freezeCalendar([weekend], NOW).untilMs).toBe(NOW + 28 * DAY_MS);
  });

  it('puts those together that overlap or touch, with their reasons', () => {
    const sale = once('sale', '2026-11-30T06:00:00Z', '2026-12-01T00:00:00Z');
    const after = once('after', '2026-12-01T00:00:00Z', '2026-12-02T00:00:00Z');
    expect(shown([after, sale, weekend, sale])[0]).toBe('2026-11-27T15:00 2026-12-02T00:00 weekend; sale; after');
  });

  it('leaves out what is over, and keeps one that lasts whole, whenever it is looked at', () => {
    const parts = [
      once('a', '2026-11-25T10:00:00Z', '2026-11-25T11:30:00Z'),
      once('b', '2026-11-25T11:00:00Z', '2026-11-25T13:00:00Z'),
      once('past', '2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'),
      once('year', '2026-12-20T00:00:00Z', '2028-01-01T00:00:00Z'),
    ];
    const expected = ['2026-11-25T10:00 2026-11-25T13:00 a; b', '2026-12-20T00:00 2028-01-01T00:00 year'];
    expect(shown(parts)).toEqual(expected);
    expect(shown(parts, NOW + 3_599_999)).toEqual(expected);
    expect(shown(parts, NOW + 3_600_000)).toEqual(expected.slice(1));
  });

  it('knows less far ahead where there is more than it holds', () => {
    const hours = (n: number): string => new Date(NOW + n * 3_600_000).toISOString();
    const many = Array.from({ length: 60 }, (_, i) => once(`n${i} ${'x'.repeat(500)}`, hours(2 * i), hours(2 * i + 1)));
    const { freezes, untilMs } = freezeCalendar(many, NOW);
    expect(freezes).toHaveLength(40);
    expect(untilMs).toBe(NOW + 80 * 3_600_000);
    expect(JSON.stringify(freezes).length).toBeLessThan(12_000);
    expect(freezeCalendar(many, untilMs).freezes[0]?.why).toMatch(/^n40 /);
  });

  it('covers every moment of what it was given and no other, without overlaps', () => {
    const span = fc.tuple(fc.integer({ min: -500, max: 600 }), fc.integer({ min: 1, max: 90 }));
    fc.assert(
      fc.property(fc.array(span, { maxLength: 12 }), (list) => {
        const at = (hours: number): string => new Date(NOW + hours * 3_600_000).toISOString();
        const { freezes } = freezeCalendar(
          list.map(([start, length], i) => once(`n${i}`, at(start), at(start + length))),
          NOW,
        );
        for (let hour = 0; hour < 672; hour += 1) {
          const ms = NOW + hour * 3_600_000;
          const given = list.some(([start, length]) => start <= hour && hour < start + length);
          expect(freezes.filter((one) => one.fromMs <= ms && ms < one.toMs)).toHaveLength(given ? 1 : 0);
        }
        freezes.slice(1).forEach((one, i) => expect(one.fromMs).toBeGreaterThan(freezes[i]?.toMs ?? 0));
      }),
      { numRuns: 50 },
    );
  });
});
