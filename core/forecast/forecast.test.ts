import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { parseDemandCsv } from '../spec/csvDemand.js';
import type { DemandSample } from '../spec/csvDemand.js';
import type { DemandForecast, ForecastSeries } from '../spec/forecast.js';
import { QUANTILES } from '../spec/forecast.js';
import type { EventSpec } from '../spec/region.js';
import type { ForecastEngines } from './forecast.js';
import type { ForecastInput } from './prepareRegion.js';
import { forecastDemand } from './forecast.js';

const HOUR_MS = 3_600_000;
const HISTORY = parseDemandCsv(readFileSync('examples/eu-west/history.csv', 'utf8')).rows;
const SHOP = HISTORY.filter((row) => row.service === 'storefront');
const END_MS = (SHOP.at(-1)?.at ?? 0) + HOUR_MS;

/** Engines that always fail: what is tested here is everything around MSTL and Prophet. */
const NO_ENGINE = { fitPredict: () => ({ ok: false, reason: 'no engine here' }) as const };
const ENGINES: ForecastEngines = { mstl: NO_ENGINE, prophet: NO_ENGINE };
const BASE: ForecastInput = {
  models: ['arima', 'lag-regression', 'mstl', 'prophet', 'seasonal-naive', 'short-naive'],
  rows: SHOP,
  stepSeconds: 3600,
  horizonSteps: 48,
  seasons: [24, 168],
  events: [],
  regionName: 'eu-west',
};

function run(change: Partial<ForecastInput> = {}): DemandForecast {
  const result = forecastDemand({ ...BASE, ...change }, ENGINES);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

function only(forecast: DemandForecast): ForecastSeries {
  const [series] = forecast.series;
  if (series === undefined) throw new Error('no series');
  return series;
}

function codes(change: Partial<ForecastInput>): string[] {
  const result = forecastDemand({ ...BASE, ...change }, ENGINES);
  return result.ok ? [] : result.problems.map((problem) => `${problem.code} ${problem.field}`);
}

describe('forecastDemand', () => {
  it('gives every service quantiles over the whole horizon, from where the history ends', () => {
    const forecast = run({ rows: HISTORY });
    expect(forecast.series.map((series) => series.service)).toEqual(['storefront', 'checkout']);
    for (const series of forecast.series) {
      expect(series.step).toBe('1h');
      expect(series.timestamps).toHaveLength(48);
      expect(series.timestamps[0]).toBe('2012-04-18T00:00:00Z');
      expect(series.trust).toBe('high');
      for (const name of QUANTILES) expect(series.quantiles[name]).toHaveLength(48);
    }
  });

  it('says which model was left out and why', () => {
    expect(run().notes).toContain('storefront: prophet was left out: no engine here');
    expect(only(run()).models.map((model) => model.name)).not.toContain('prophet');
  });

  it('shows how much each model has to say, best first, 1 together', () => {
    const { models } = only(run());
    expect(models.map((model) => model.name).sort()).toEqual([
      'arima',
      'lag-regression',
      'seasonal-naive',
      'short-naive',
    ]);
    expect(models.reduce((sum, model) => sum + model.weight, 0)).toBeCloseTo(1, 9);
    expect(models.map((model) => model.mase)).toEqual(models.map((model) => model.mase).sort((a, b) => a - b));
    expect(models.map((model) => model.weight)).toEqual(models.map((model) => model.weight).sort((a, b) => b - a));
    expect(models.filter((model) => model.weight > 0).length).toBeGreaterThan(1);
  });

  it('does without a model that fails only when the forecast is made', () => {
    const calls = { count: 0 };
    const flaky: ForecastEngines = {
      ...ENGINES,
      mstl: {
        fitPredict: (values, _seasons, horizonSteps) => {
          calls.count++;
          if (calls.count > 5) return { ok: false, reason: 'worn out' };
          return { ok: true, mean: Array.from({ length: horizonSteps }, (_, step) => values.at(step - 168) ?? 0) };
        },
      },
    };
    const result = forecastDemand({ ...BASE, models: ['mstl', 'seasonal-naive'] }, flaky);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(result.value.notes).toContain('storefront: mstl was left out: worn out');
    const weightOf = (name: string): number | undefined =>
      only(result.value).models.find((model) => model.name === name)?.weight;
    expect([weightOf('mstl'), weightOf('seasonal-naive')]).toEqual([0, 1]);
    expect(only(result.value).quantiles).toEqual(only(run({ models: ['seasonal-naive'] })).quantiles);
  });

  it('gives a costly model up early where it is far behind, and says so', () => {
    const asked: number[] = [];
    const wild: ForecastEngines = {
      ...ENGINES,
      prophet: {
        fitPredict: ({ futureSeconds }) => {
          asked.push(futureSeconds.length);
          return { ok: true, mean: futureSeconds.map(() => 3) };
        },
      },
    };
    const result = forecastDemand({ ...BASE, models: ['prophet', 'seasonal-naive'] }, wild);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(asked).toHaveLength(2);
    expect(result.value.notes.join()).toMatch(/prophet was left out: after 2 of 5 back-test origins: MASE/);
  });

  it('covers what really came as often as its quantiles promise', () => {
    const came = parseDemandCsv(readFileSync('examples/eu-west/demand.csv', 'utf8')).rows.filter(
      (row) => row.service === 'storefront',
    );
    const { quantiles } = only(run({ horizonSteps: 72 }));
    const share = (name: 'p50' | 'p90' | 'p99'): number =>
      came.filter((row, step) => row.rps <= (quantiles[name][step] ?? 0)).length / 72;
    expect(share('p90')).toBeGreaterThan(0.75);
    expect(share('p99')).toBeGreaterThan(0.95);
    expect(share('p50')).toBeLessThan(share('p90'));
  });

  it('is deterministic', () => {
    expect(run()).toEqual(run());
  });

  it('scales with the data', () => {
    const base = only(run()).quantiles;
    for (const factor of [0.001, 7, 10_000]) {
      const scaled = only(run({ rows: SHOP.map((row) => ({ ...row, rps: row.rps * factor })) })).quantiles;
      for (const name of QUANTILES) {
        for (const [step, value] of base[name].entries())
          expect((scaled[name][step] ?? 0) / factor).toBeCloseTo(value, 3);
      }
    }
  });

  it('never looks ahead of the moment it is made at', () => {
    const at = END_MS - 100 * HOUR_MS;
    const known = SHOP.filter((row) => row.at + HOUR_MS <= at);
    const wild = SHOP.map((row) => (row.at + HOUR_MS > at ? { ...row, rps: 1000 + row.rps } : row));
    expect(run({ rows: wild, at })).toEqual(run({ rows: known }));
    expect(run({ rows: SHOP, at })).toEqual(run({ rows: known }));
  });

  it('bridges the time between the end of the history and the moment, and trusts it less', () => {
    const series = only(run({ at: END_MS + 50 * HOUR_MS }));
    expect(series.timestamps[0]).toBe('2012-04-20T02:00:00Z');
    expect(series.trust).toBe('fair');
    expect(codes({ at: END_MS + 400 * HOUR_MS })).toEqual(['stale-history history.storefront']);
  });

  it('takes an endless moment as the end of the history', () => {
    expect(run({ at: Number.POSITIVE_INFINITY })).toEqual(run());
  });

  it('gives monotone, non-negative, finite quantiles for any history', () => {
    const demand = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 90 });
    fc.assert(
      fc.property(demand, fc.integer({ min: 1, max: 60 }), (values, horizonSteps) => {
        const rows = values.map((rps, hour) => ({ at: END_MS + hour * HOUR_MS, service: 's', rps }));
        const series = only(run({ rows, horizonSteps, seasons: [6, 24] }));
        for (let step = 0; step < horizonSteps; step++) {
          const at = QUANTILES.map((name) => series.quantiles[name][step] ?? Number.NaN);
          expect(at.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
          expect(at).toEqual([...at].sort((a, b) => a - b));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('answers a history that is too short with its last value and no trust', () => {
    const series = only(run({ rows: SHOP.slice(0, 20) }));
    expect(series).toMatchObject({ trust: 'none', models: [{ name: 'last-value', weight: 1 }] });
    expect(series.trustReason).toContain('only 20 steps of history');
    expect(series.quantiles.p50[0]).toBe(SHOP[19]?.rps);
  });

  it('trusts three weeks less than eight', () => {
    expect(only(run({ rows: SHOP.slice(-21 * 24) })).trust).not.toBe('high');
    expect(only(run({ rows: SHOP.slice(-10 * 24) })).trust).toBe('low');
  });

  it('forecasts zero for a service that has no demand', () => {
    const series = only(run({ rows: SHOP.map((row) => ({ ...row, rps: 0 })) }));
    expect(series.quantiles.p99.every((value) => value === 0)).toBe(true);
  });

  it('refuses with every problem found', () => {
    const broken: DemandSample[] = [...SHOP.slice(0, 100), ...SHOP.slice(200), { at: END_MS, service: 'b', rps: -1 }];
    expect(codes({ rows: broken })).toEqual(['long-gap history.storefront', 'bad-value history.b']);
    expect(codes({ services: ['storefront', 'ghost'] })).toEqual(['no-history history.ghost']);
    expect(codes({ rows: [] })).toEqual(['no-history history']);
    expect(codes({ horizonSteps: 0, stepSeconds: 1.5, seasons: [] })).toEqual([
      'bad-value stepSeconds',
      'bad-value horizonSteps',
      'missing seasons',
    ]);
  });
});

describe('events', () => {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const event = (id: string, startMs: number, hours: number, more: Partial<EventSpec> = {}): EventSpec => ({
    id,
    kind: 'campaign',
    start: iso(startMs),
    end: iso(startMs + hours * HOUR_MS),
    ...more,
  });
  const ahead = event('ahead', END_MS + 12 * HOUR_MS, 12);
  const ratios = (a: ForecastSeries, b: ForecastSeries, name: 'p50' | 'p95'): number[] =>
    Array.from({ length: 12 }, (_, hour) => (a.quantiles[name][12 + hour] ?? 0) / (b.quantiles[name][12 + hour] ?? 1));

  it('learns the effect of a kind that the history shows', () => {
    const past = [event('one', END_MS - 500 * HOUR_MS, 24), event('two', END_MS - 245 * HOUR_MS, 24)];
    const inside = (at: number): boolean => past.some((one) => at >= Date.parse(one.start) && at < Date.parse(one.end));
    const rows = SHOP.map((row) => (inside(row.at) ? { ...row, rps: row.rps * 1.8 } : row));
    const forecast = run({ rows, events: [...past, ahead] });
    const plain = only(run({ rows, events: past }));
    for (const ratio of ratios(only(forecast), plain, 'p50')) {
      expect(ratio).toBeGreaterThan(1.5);
      expect(ratio).toBeLessThan(2.1);
    }
    expect(forecast.notes.join()).toContain('effect learned from 48 steps');
    expect(only(forecast).quantiles.p50.slice(24)).toEqual(plain.quantiles.p50.slice(24));
  });

  it('applies the stated uplift of a kind never seen, wider, and says so', () => {
    const plain = only(run());
    const forecast = run({ events: [{ ...ahead, uplift: 0.5 }] });
    for (const ratio of ratios(only(forecast), plain, 'p50')) expect(ratio).toBeCloseTo(1.5, 4);
    for (const ratio of ratios(only(forecast), plain, 'p95')) expect(ratio).toBeGreaterThan(1.6);
    expect(forecast.notes.join()).toContain('never seen; its stated +50 % was applied');
  });

  it('does not lower the upper quantiles by all of a stated fall', () => {
    const forecast = only(run({ events: [{ ...ahead, uplift: -0.5 }] }));
    for (const ratio of ratios(forecast, only(run()), 'p95')) expect(ratio).toBeGreaterThan(0.7);
  });

  it('trusts low where the effect of what is ahead is unknown', () => {
    const forecast = run({ events: [ahead] });
    expect(only(forecast)).toMatchObject({ trust: 'low', trustReason: 'the effect of campaign ahead is unknown' });
    expect(only(forecast).quantiles).toEqual(only(run()).quantiles);
  });

  it('concerns only the regions and services it names', () => {
    const elsewhere = { ...ahead, uplift: 0.5, regions: ['us-east'] };
    const other = { ...ahead, uplift: 0.5, services: ['checkout'] };
    expect(run({ events: [elsewhere, other] })).toEqual(run());
    expect(
      only(run({ events: [{ ...ahead, uplift: 0.5, regions: ['eu-west'], services: ['storefront'] }] })),
    ).not.toEqual(only(run()));
  });
});
