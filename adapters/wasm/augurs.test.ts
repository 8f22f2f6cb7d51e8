import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { loadForecastEngines } from './augurs.js';
import type { ForecastEngines, ForecastInput } from '../../core/forecast/forecast.js';
import { forecastDemand } from '../../core/forecast/forecast.js';
import { parseDemandCsv } from '../../core/spec/csvDemand.js';
import type { DemandForecast, ForecastSeries } from '../../core/spec/forecast.js';
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

describe('Prophet on real demand', () => {
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

  it('is chosen where the back-test says that it is better, and only there', () => {
    const winners = [0, 83, 166, 249, 332].map((hours) => {
      const { models } = only(run({ at: END_MS - hours * HOUR_MS }));
      expect(models.map((model) => model.name).sort()).toEqual(['prophet', 'seasonal-naive']);
      const best = Math.min(...models.map((model) => model.mase));
      expect(models.filter((model) => model.weight === 1).map((model) => model.mase)).toEqual([best]);
      return models.find((model) => model.weight === 1)?.name;
    });
    expect(new Set(winners)).toEqual(new Set(['prophet', 'seasonal-naive']));
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

  it('forecasts two services with ten back-test fits each in seconds', () => {
    const from = performance.now();
    expect(run({ rows: HISTORY }).series).toHaveLength(2);
    expect(performance.now() - from).toBeLessThan(30_000);
  });

  it('leaves itself out, with the reason, where it cannot be fitted', () => {
    const forecast = run({ rows: SHOP.slice(0, 40), horizonSteps: 6, seasons: [12, 24] });
    expect(only(forecast).models.find((model) => model.weight === 1)).toBeDefined();
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
