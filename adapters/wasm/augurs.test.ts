import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { loadForecastEngines } from './augurs.js';
import type { ForecastEngines } from '../../core/forecast/forecast.js';
import type { ForecastInput } from '../../core/forecast/prepareRegion.js';
import { forecastDemand } from '../../core/forecast/forecast.js';
import { MODEL_NAMES } from '../../core/forecast/members/members.js';
import { parseDemandCsv } from '../../core/spec/csvDemand.js';
import type { DemandForecast, ForecastSeries } from '../../core/spec/forecast.js';
import { prophet } from '../../core/forecast/members/prophet.js';
import type { EventSpec } from '../../core/spec/region.js';

const HOUR_MS = 3_600_000;
const HISTORY = parseDemandCsv(readFileSync('examples/eu-west/history.csv', 'utf8')).rows;
const SHOP = HISTORY.filter((row) => row.service === 'storefront');
const END_MS = (SHOP.at(-1)?.at ?? 0) + HOUR_MS;
const BASE: Omit<ForecastInput, 'rows'> = {
  stepSeconds: 3600,
  horizonSteps: 72,
  seasons: [24, 168],
  events: [],
  regionName: 'eu-west',
};

let engines: ForecastEngines;
beforeAll(async () => {
  engines = await loadForecastEngines();
});

function run(input: Partial<ForecastInput> = {}): DemandForecast {
  const result = forecastDemand({ ...BASE, rows: SHOP, ...input }, engines);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

function only(forecast: DemandForecast): ForecastSeries {
  const [series] = forecast.series;
  if (series === undefined) throw new Error('no series');
  return series;
}

describe('Prophet on real demand', () => {
  it('has its say where the back-test says that it is good, and only there', () => {
    const shares = [0, 83, 166, 249, 332].map((hours) => {
      const { models } = only(run({ at: END_MS - hours * HOUR_MS, models: ['prophet', 'seasonal-naive'] }));
      expect(models.map((model) => model.name).sort()).toEqual(['prophet', 'seasonal-naive']);
      expect(models.reduce((sum, model) => sum + model.weight, 0)).toBeCloseTo(1, 9);
      expect(models[0]?.weight).toBeGreaterThanOrEqual(0.5);
      return models.find((model) => model.name === 'prophet')?.weight ?? 0;
    });
    expect(Math.max(...shares)).toBeGreaterThan(0.5);
    expect(Math.min(...shares)).toBeLessThan(0.5);
  });

  it('gives the same numbers every time, though its features come in random order', () => {
    const first = run({ models: ['prophet'] });
    expect(only(first).models[0]?.mase).toBeLessThan(1);
    for (let again = 0; again < 3; again++) expect(run({ models: ['prophet'] })).toEqual(first);
  });

  it('scales with the data', () => {
    const base = only(run({ models: ['prophet'] })).quantiles.p95;
    const rows = SHOP.map((row) => ({ ...row, rps: row.rps * 1024 }));
    const scaled = only(run({ rows, models: ['prophet'] })).quantiles.p95;
    for (const [step, value] of base.entries()) expect((scaled[step] ?? 0) / 1024 / value).toBeCloseTo(1, 3);
  });

  it('recovers a campaign of known uplift that it has seen twice', () => {
    const campaign = (id: string, startMs: number): EventSpec => ({
      id,
      kind: 'campaign',
      start: new Date(startMs).toISOString(),
      end: new Date(startMs + 24 * HOUR_MS).toISOString(),
    });
    const past = [campaign('one', END_MS - 24 * 20 * HOUR_MS), campaign('two', END_MS - 24 * 9 * HOUR_MS)];
    const inside = (at: number): boolean => past.some((e) => at >= Date.parse(e.start) && at < Date.parse(e.end));
    const rows = SHOP.map((row) => (inside(row.at) ? { ...row, rps: row.rps * 1.8 } : row));
    const options = { rows, models: ['prophet'] } as const;
    const plain = only(run({ ...options, events: past })).quantiles.p50;
    const lifted = only(run({ ...options, events: [...past, campaign('ahead', END_MS + 24 * HOUR_MS)] })).quantiles.p50;
    const busy = Array.from({ length: 24 }, (_, hour) => 24 + hour).filter((step) => (plain[step] ?? 0) > 20);
    expect(busy.length).toBeGreaterThan(5);
    const uplift = busy.reduce((sum, step) => sum + (lifted[step] ?? 0) / (plain[step] ?? 1), 0) / busy.length;
    expect(uplift).toBeGreaterThan(1.5);
    expect(uplift).toBeLessThan(2.1);
  });

  it('leaves itself out, with the reason, where it cannot be fitted', () => {
    const forecast = run({ rows: SHOP.slice(0, 40), horizonSteps: 6, seasons: [12, 24] });
    expect(only(forecast).models.reduce((sum, model) => sum + model.weight, 0)).toBeCloseTo(1, 9);
    const broken = engines.prophet.fitPredict({
      trainSeconds: [0, 3600],
      train: [Number.NaN, Number.NaN],
      futureSeconds: [7200],
      seasonalities: [],
      regressors: [],
      changepoints: 0,
      changepointPriorScale: 0.01,
      seed: 1,
    });
    expect(broken.ok).toBe(false);
  });
});

describe('Prophet after a trap', () => {
  it('stays out of use until the engines are loaded again', async () => {
    // Two pure waves on which this build of Stan throws, which it cannot: WebAssembly ends in a trap.
    const values = Array.from(
      { length: 453 },
      (_, hour) =>
        6000 +
        1500 * Math.sin((2 * Math.PI * hour) / 24) +
        300 * 1.9222634136676788 * Math.sin((2 * Math.PI * hour) / 168),
    );
    const waves = { startMs: Date.UTC(2024, 0, 1), stepMs: HOUR_MS, values };
    const shop = { ...waves, values: SHOP.slice(-400).map((row) => row.rps) };
    const made = prophet(engines.prophet, [24, 168]);
    expect(made.forecast(shop, 5, [], 1)).toMatchObject({ ok: true });
    expect(made.forecast(waves, 48, [], 1)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('RuntimeError'),
    });
    expect(made.forecast(shop, 5, [], 1)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('until it is loaded again'),
    });
    engines = await loadForecastEngines();
    expect(prophet(engines.prophet, [24, 168]).forecast(shop, 5, [], 1)).toMatchObject({ ok: true });
  });
});

describe('MSTL on real demand', () => {
  it('beats the seasonal naive, the same way every time and at every size', () => {
    const first = only(run({ models: ['mstl', 'seasonal-naive'], horizonSteps: 24 }));
    expect(run({ models: ['mstl', 'seasonal-naive'], horizonSteps: 24 }).series[0]).toEqual(first);
    expect(first.models.find((model) => model.name === 'mstl')?.mase).toBeLessThan(0.8);
    const rows = SHOP.map((row) => ({ ...row, rps: row.rps * 7 }));
    const scaled = only(run({ rows, models: ['mstl', 'seasonal-naive'], horizonSteps: 24 }));
    for (const [step, value] of first.quantiles.p95.entries()) {
      expect((scaled.quantiles.p95[step] ?? 0) / 7 / value).toBeCloseTo(1, 3);
    }
  });

  it('refuses with a reason what it cannot fit', () => {
    expect(engines.mstl.fitPredict([1, 2], [24], 3)).toMatchObject({ ok: false });
    expect(
      engines.mstl.fitPredict(
        Array.from({ length: 60 }, (_, hour) => hour % 24),
        [24],
        3,
      ),
    ).toMatchObject({ ok: true });
  });
});

describe('all members together', () => {
  it('never look ahead of the moment the forecast is made at', () => {
    const at = END_MS - 100 * HOUR_MS;
    const known = SHOP.filter((row) => row.at + HOUR_MS <= at);
    const wild = SHOP.map((row) => (row.at + HOUR_MS > at ? { ...row, rps: 1000 + row.rps } : row));
    expect(run({ rows: wild, at, horizonSteps: 24 })).toEqual(run({ rows: known, horizonSteps: 24 }));
  });

  it('are not worse in the back-test than the best of them by more than 3 %', () => {
    const forecast = only(run({ horizonSteps: 24 }));
    expect(forecast.models.map((model) => model.name).sort()).toEqual(
      // No network was trained for these services.
      MODEL_NAMES.filter((name) => name !== 'lstm').sort(),
    );
    const best = Math.min(...forecast.models.map((model) => model.mase));
    const together = Number(/MASE ([\d.]+)/.exec(forecast.trustReason)?.[1]);
    expect(together).toBeLessThanOrEqual(1.03 * best + 0.005);
  });
});
