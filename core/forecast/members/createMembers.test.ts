import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { SHOP } from '../../../test/fixtures/shopDemand.js';
import { predictFrom } from '../ensemble/backTest.js';
import { createMembers } from './createMembers.js';
import type { TimedEvent } from '../events/events.js';
import type { ForecastMember } from './members.js';
import type { Series } from '../series.js';
import { mean } from '../series.js';

const HOUR_MS = 3_600_000;
const SEASONS = [24, 168];
const NO_ENGINE = { fitPredict: () => ({ ok: false, reason: 'no engine here' }) as const };
const NAMES = ['arima', 'lag-regression', 'seasonal-naive', 'short-naive'] as const;

function member(name: (typeof NAMES)[number], seasons: readonly number[] = SEASONS): ForecastMember {
  const [made] = createMembers({ mstl: NO_ENGINE, prophet: NO_ENGINE }, seasons, 1000, [name]);
  if (made === undefined) throw new Error(name);
  return made;
}

function predict(made: ForecastMember, series: Series, origin: number, events: readonly TimedEvent[] = []): number[] {
  const predicted = predictFrom(made, series, origin, 48, { events, known: [], seasons: SEASONS, seed: 1 });
  if (!predicted.ok) throw new Error(predicted.reason);
  return [...predicted.mean];
}

describe.each(NAMES)('%s', (name) => {
  const made = member(name);
  const end = SHOP.values.length;

  it('is deterministic and never looks ahead', () => {
    const first = predict(made, SHOP, end - 100);
    const wild = { ...SHOP, values: SHOP.values.map((value, at) => (at >= end - 100 ? 1000 + value : value)) };
    expect(predict(made, wild, end - 100)).toEqual(first);
  });

  it('scales with the data', () => {
    const base = predict(made, SHOP, end);
    for (const factor of [0.001, 7, 10_000]) {
      const scaled = predict(made, { ...SHOP, values: SHOP.values.map((value) => value * factor) }, end);
      for (const [step, value] of base.entries()) expect((scaled[step] ?? 0) / factor).toBeCloseTo(value, 4);
    }
  });

  it('gives finite demand, or a reason, for any history', () => {
    const short = member(name, [4, 12]);
    const spiky = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(0));
    fc.assert(
      fc.property(
        fc.array(spiky, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 30 }),
        (values, steps) => {
          const forecast = short.forecast({ startMs: 0, stepMs: HOUR_MS, values }, steps, [], 1);
          if (!forecast.ok) return expect(forecast.reason).not.toBe('');
          expect(forecast.mean).toHaveLength(steps);
          expect(forecast.mean.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('continues what is constant', () => {
    for (const level of [0, 3]) {
      const forecast = made.forecast({ ...SHOP, values: Array.from({ length: 600 }, () => level) }, 30, [], 1);
      expect(forecast.ok && forecast.mean.every((value) => Math.abs(value - level) < 1e-6)).toBe(true);
    }
  });

  it('recovers a campaign of known uplift that it has seen twice', () => {
    const campaign = (start: number): TimedEvent => {
      const startMs = SHOP.startMs + start * HOUR_MS;
      return { id: String(start), kind: 'campaign', startMs, endMs: startMs + 24 * HOUR_MS, uplift: undefined };
    };
    const past = [campaign(end - 24 * 20), campaign(end - 24 * 9)];
    const inside = (at: number): boolean =>
      past.some(
        (event) => at >= (event.startMs - SHOP.startMs) / HOUR_MS && at < (event.endMs - SHOP.startMs) / HOUR_MS,
      );
    const lifted = { ...SHOP, values: SHOP.values.map((value, at) => (inside(at) ? value * 1.8 : value)) };
    const plain = predict(made, lifted, end, past);
    const ahead = predict(made, lifted, end, [...past, campaign(end + 24)]);
    expect(ahead.slice(0, 24)).toEqual(plain.slice(0, 24));
    const busy = Array.from({ length: 24 }, (_, hour) => 24 + hour).filter((step) => (plain[step] ?? 0) > 15);
    expect(busy.length).toBeGreaterThan(5);
    const uplift = mean(busy.map((step) => (ahead[step] ?? 0) / (plain[step] ?? 1)));
    expect(uplift).toBeGreaterThan(1.5);
    expect(uplift).toBeLessThan(2.1);
  });
});

describe('what members are for', () => {
  const errorOf = (made: ForecastMember, series: Series, origin: number): number => {
    const came = series.values.slice(origin, origin + 48);
    const told = predict(made, series, origin);
    return mean(came.map((value, step) => Math.abs(value - (told[step] ?? 0))));
  };

  it.each(['arima', 'lag-regression'] as const)('%s follows a new level sooner than the seasonal naive', (name) => {
    const origins = [0, 3, 6, 9].map((days) => SHOP.values.length - 48 - 24 * days);
    const total = (made: ForecastMember): number =>
      mean(
        origins.map((origin) => {
          const raised = SHOP.values.map((value, at) => (at >= origin - 72 ? value * 1.6 : value));
          return errorOf(made, { ...SHOP, values: raised }, origin);
        }),
      );
    expect(total(member(name))).toBeLessThan(0.9 * total(member('seasonal-naive')));
  });

  it.each(['arima', 'lag-regression'] as const)('%s follows a trend under two seasons', (name) => {
    const values = Array.from({ length: 900 }, (_, hour) => {
      const day = 10 * Math.sin((2 * Math.PI * hour) / 24);
      const week = 5 * Math.cos((2 * Math.PI * hour) / 168);
      return 60 + 0.05 * hour + day + week;
    });
    const series = { ...SHOP, values };
    expect(errorOf(member(name), series, 852)).toBeLessThan(0.1 * errorOf(member('seasonal-naive'), series, 852));
  });

  it('are two naive ones only where they differ', () => {
    const engines = { mstl: NO_ENGINE, prophet: NO_ENGINE };
    const names = (seasons: number[], steps: number): string[] =>
      createMembers(engines, seasons, steps).map((made) => made.name);
    expect(names(SEASONS, 1000)).toContain('short-naive');
    expect(names(SEASONS, 100)).not.toContain('short-naive');
    expect(names([24], 1000)).not.toContain('short-naive');
  });
});
