import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { SHOP } from '../../../test/fixtures/shopDemand.js';
import { predictFrom } from '../ensemble/backTest.js';
import { boostedTrees } from './boostedTrees.js';
import type { TimedEvent } from '../events/events.js';
import type { KnownSeries } from './members.js';
import { createRandom, normal } from '../random.js';
import { seasonalNaive } from './seasonalNaive.js';
import type { Series } from '../series.js';
import { mean } from '../series.js';

const HOUR_MS = 3_600_000;
const SEASONS = [24, 168];
const END = SHOP.values.length;
const TREES = boostedTrees(SEASONS);

interface Asked {
  series?: Series;
  origin?: number;
  horizon?: number;
  events?: readonly TimedEvent[];
  known?: readonly KnownSeries[];
}

function predict({ series = SHOP, origin = END, horizon = 48, events = [], known = [] }: Asked = {}): number[] {
  const predicted = predictFrom(TREES, series, origin, horizon, { events, known, seasons: SEASONS, seed: 1 });
  if (!predicted.ok) throw new Error(predicted.reason);
  return [...predicted.mean];
}

/** Demand of twelve weeks by the hour that falls with rain, whose hours are drawn; a day and a weekend besides. */
function rainy(steps: number): { series: Series; known: KnownSeries[] } {
  const random = createRandom(5);
  const rain: number[] = [];
  for (let step = 0; step < steps; step++) {
    const before = rain[step - 1] ?? 0;
    rain.push(random() < (before > 0 ? 0.85 : 0.05) ? 1 : 0);
  }
  const values = rain.map((wet, hour) => {
    const day = 1.2 + Math.sin((2 * Math.PI * hour) / 24);
    const week = hour % 168 >= 120 ? 0.7 : 1;
    return 50 * day * week * (wet > 0 ? 0.4 : 1) * Math.exp(0.05 * normal(random));
  });
  return { series: { startMs: 0, stepMs: HOUR_MS, values }, known: [{ name: 'rain', values: rain }] };
}

function errorOf(series: Series, origin: number, told: readonly number[]): number {
  return mean(told.map((value, step) => Math.abs(value - (series.values[origin + step] ?? 0))));
}

describe('boostedTrees', () => {
  it('is deterministic and never looks ahead', () => {
    const first = predict({ origin: END - 100 });
    const wild = { ...SHOP, values: SHOP.values.map((value, at) => (at >= END - 100 ? 1000 + value : value)) };
    expect(predict({ series: wild, origin: END - 100 })).toEqual(first);
  });

  it('scales with the data', () => {
    const base = predict();
    for (const factor of [0.001, 7]) {
      const scaled = predict({ series: { ...SHOP, values: SHOP.values.map((value) => value * factor) } });
      for (const [step, value] of base.entries()) expect((scaled[step] ?? 0) / factor).toBeCloseTo(value, 3);
    }
  });

  it('gives finite demand, or a reason, for any history', () => {
    const short = boostedTrees([4, 12]);
    const spiky = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(0));
    const outcomes = { forecasts: 0, reasons: 0 };
    fc.assert(
      fc.property(
        fc.array(spiky, { minLength: 1, maxLength: 260, size: 'max' }),
        fc.integer({ min: 1, max: 20 }),
        (values, steps) => {
          const wind = fc.sample(spiky, { numRuns: values.length + steps, seed: steps });
          const known = {
            name: 'w',
            train: wind.slice(0, values.length),
            future: wind.slice(values.length),
          } as const;
          const forecast = short.forecast({ startMs: 0, stepMs: HOUR_MS, values }, steps, [known], 1);
          outcomes[forecast.ok ? 'forecasts' : 'reasons']++;
          if (!forecast.ok) return expect(forecast.reason).not.toBe('');
          expect(forecast.mean).toHaveLength(steps);
          expect(forecast.mean.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
        },
      ),
      { numRuns: 16, seed: 3 },
    );
    expect(outcomes.forecasts).toBeGreaterThan(1);
    expect(outcomes.reasons).toBeGreaterThan(1);
  });

  it('continues what is constant, and nothing at all', () => {
    for (const level of [0, 3]) {
      const forecast = TREES.forecast({ ...SHOP, values: Array.from({ length: 600 }, () => level) }, 30, [], 1);
      expect(forecast.ok && forecast.mean.every((value) => Math.abs(value - level) < 1e-6)).toBe(true);
    }
  });

  it('says why there is none for a short history', () => {
    const forecast = TREES.forecast({ ...SHOP, values: SHOP.values.slice(0, 71) }, 30, [], 1);
    expect(forecast).toEqual({ ok: false, reason: 'the history is shorter than 3 seasons' });
  });

  it('knows what the weather ahead does, in the right direction and by about as much', () => {
    const { series, known } = rainy(12 * 168);
    const origin = series.values.length - 168;
    const told = predict({ series, origin, horizon: 168, known });
    const blind = predict({ series, origin, horizon: 168 });
    expect(errorOf(series, origin, told)).toBeLessThan(0.4 * errorOf(series, origin, blind));
    const weather = (wet: number): KnownSeries[] =>
      known.map(({ name, values }) => ({ name, values: values.map((value, at) => (at < origin ? value : wet)) }));
    const dry = predict({ series, origin, known: weather(0) });
    const wet = predict({ series, origin, known: weather(1) });
    const factor = mean(wet) / mean(dry);
    expect(factor).toBeGreaterThan(0.3);
    expect(factor).toBeLessThan(0.5);
  });

  it('follows a level that it has never seen', () => {
    const naive = seasonalNaive(SEASONS);
    const origins = [0, 9].map((days) => END - 48 - 24 * days);
    const errors = origins.map((origin) => {
      const values = SHOP.values.map((value, at) => (at >= origin - 336 ? value * 2 : value));
      const series = { ...SHOP, values };
      const told = predict({ series, origin });
      const before = predictFrom(naive, SHOP, origin, 48, { events: [], known: [], seasons: SEASONS, seed: 1 });
      const old = before.ok ? before.mean : [];
      return { told: errorOf(series, origin, told), old: errorOf(series, origin, old) };
    });
    expect(mean(errors.map(({ told }) => told))).toBeLessThan(0.5 * mean(errors.map(({ old }) => old)));
  });

  it('recovers a campaign of known uplift that it has seen twice', () => {
    const campaign = (start: number): TimedEvent => {
      const startMs = SHOP.startMs + start * HOUR_MS;
      return { id: String(start), kind: 'campaign', startMs, endMs: startMs + 24 * HOUR_MS, uplift: undefined };
    };
    const starts = [END - 24 * 20, END - 24 * 9];
    const inside = (at: number): boolean => starts.some((start) => at >= start && at < start + 24);
    const series = { ...SHOP, values: SHOP.values.map((value, at) => (inside(at) ? value * 1.8 : value)) };
    const past = starts.map(campaign);
    const plain = predict({ series, events: past });
    const ahead = predict({ series, events: [...past, campaign(END + 24)] });
    expect(ahead.slice(0, 24)).toEqual(plain.slice(0, 24));
    const uplift = mean(plain.slice(24).map((value, step) => (ahead[24 + step] ?? 0) / value));
    expect(uplift).toBeGreaterThan(1.5);
    expect(uplift).toBeLessThan(2.1);
  });
});
