import { describe, expect, it } from '@jest/globals';

import type { DemandSample } from '../spec/csvDemand.js';
import type { DemandForecast } from '../spec/forecast.js';
import type { ServiceChoice } from './ensemble/choice.js';
import { forecastDemand, forecastInSteps } from './forecast.js';
import type { ForecastInput } from './prepareRegion.js';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 5);
const NO_ENGINE = { fitPredict: () => ({ ok: false, reason: 'no engine here' }) as const };

/** Demand with a day's shape, busiest at one hour of the clock. */
function rows(service: string, hours: number, level = 10, from = 0, busiest = 18): DemandSample[] {
  return Array.from({ length: hours }, (_, index) => {
    const hour = from + index;
    const wave = 1 + 0.8 * Math.cos((2 * Math.PI * ((hour % 24) - busiest)) / 24) + 0.05 * Math.sin(hour * hour);
    return { at: START_MS + hour * HOUR_MS, service, rps: level * wave };
  });
}

const DAYS = 30;
const BASE: ForecastInput = {
  rows: rows('shop', 24 * DAYS),
  stepSeconds: 3600,
  horizonSteps: 24,
  seasons: [24],
  events: [],
  regionName: 'eu-west',
  models: ['lag-regression', 'seasonal-naive'],
};

function run(change: Partial<ForecastInput>): DemandForecast {
  const result = forecastDemand({ ...BASE, ...change }, { mstl: NO_ENGINE, prophet: NO_ENGINE });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

function codes(change: Partial<ForecastInput>): string[] {
  const result = forecastDemand({ ...BASE, ...change }, { mstl: NO_ENGINE, prophet: NO_ENGINE });
  return result.ok ? [] : result.problems.map(({ code, field }) => `${code} ${field}`);
}

function choicesOf(change: Partial<ForecastInput>): readonly ServiceChoice[] {
  const steps = forecastInSteps({ ...BASE, ...change }, { mstl: NO_ENGINE, prophet: NO_ENGINE });
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  if (!step.value.ok) throw new Error(JSON.stringify(step.value.problems));
  return step.value.value.choices;
}

function of(forecast: DemandForecast, service: string): DemandForecast['series'][number] {
  const series = forecast.series.find((one) => one.service === service);
  if (series === undefined) throw new Error(service);
  return series;
}

describe('a service with too little history of its own', () => {
  const recent = rows('app', 12, 30, 24 * DAYS - 12);

  it('borrows the shape of its sibling, scaled, with low trust and a word about it', () => {
    const forecast = run({ rows: [...BASE.rows, ...recent] });
    const app = of(forecast, 'app');
    const shop = of(forecast, 'shop').quantiles.p50;
    expect(app).toMatchObject({ trust: 'low', trustScore: 0, models: [{ name: 'borrowed' }] });
    expect(app.trustReason).toMatch(/only 12 steps of history.*borrows the shape of shop, times 3\.0/);
    for (const [step, value] of app.quantiles.p50.entries()) expect(value / (shop[step] ?? 1)).toBeCloseTo(3, 1);
  });

  it('borrows from its namesake elsewhere before any sibling', () => {
    const elsewhere = rows('app', 24 * DAYS, 60, 0, 6);
    const app = of(run({ rows: [...BASE.rows, ...recent], borrow: { rows: elsewhere } }), 'app');
    expect(app.trustReason).toContain('app in the other region');
    expect(app.quantiles.p50.indexOf(Math.max(...app.quantiles.p50))).toBeCloseTo(6, -1);
  });

  it('takes a stated scale before it has been seen at all', () => {
    const input = { rows: [], services: ['app'], borrow: { rows: rows('app', 24 * DAYS, 60), scale: 0.5 } };
    const app = of(run(input), 'app');
    expect(app.trust).toBe('low');
    expect(app.trustReason).toContain('times 0.500: as stated');
    expect(Math.max(...app.quantiles.p50)).toBeGreaterThan(45);
    expect(Math.max(...app.quantiles.p50)).toBeLessThan(60);
  });

  it('says that it cannot, and repeats its last value without trust, where nobody lends', () => {
    const app = of(run({ rows: recent }), 'app');
    expect(app).toMatchObject({ trust: 'none', models: [{ name: 'last-value' }] });
    expect(app.explanation?.join()).toContain('No forecast');
  });
});

describe('the clock that demand follows', () => {
  // Clocks in Berlin went forward on 29 March 2026 at 01:00 UTC.
  const beforeMs = Date.UTC(2026, 2, 28);
  const local = (at: number): number => at + (at >= Date.UTC(2026, 2, 29, 1) ? 2 : 1) * HOUR_MS;
  const demand = Array.from({ length: 24 * DAYS }, (_, index): DemandSample => {
    const at = beforeMs - (24 * DAYS - index) * HOUR_MS;
    return { at, service: 'shop', rps: new Date(local(at)).getUTCHours() === 9 ? 50 : 10 };
  });

  it('keeps the busy hour in its place when it changes', () => {
    const input = { rows: demand, horizonSteps: 72, models: ['seasonal-naive'] as const };
    const busy = (forecast: DemandForecast): string[] =>
      of(forecast, 'shop').timestamps.filter((_, step) => (of(forecast, 'shop').quantiles.p50[step] ?? 0) > 30);
    const berlin = run({ ...input, timeZone: 'Europe/Berlin' });
    expect(busy(berlin)).toEqual(['2026-03-28T08:00:00Z', '2026-03-29T07:00:00Z', '2026-03-30T07:00:00Z']);
    expect(of(berlin, 'shop').timestamps).toHaveLength(72);
    expect(busy(run(input))).toEqual(['2026-03-28T08:00:00Z', '2026-03-29T08:00:00Z', '2026-03-30T08:00:00Z']);
  });

  it('must be one of the world', () => {
    expect(codes({ timeZone: 'Europe/Atlantis' })).toEqual(['bad-value timeZone']);
  });
});

describe('regressors', () => {
  const samples = (hours: number): ForecastInput['regressors'] =>
    Array.from({ length: hours }, (_, hour) => ({ at: START_MS + hour * HOUR_MS, name: 'temp', value: hour % 7 }));

  it('must reach over history and horizon', () => {
    expect(codes({ regressors: samples(24 * DAYS) })).toEqual(['regressor-gap regressors.temp']);
    expect(codes({ regressors: samples(24 * DAYS + 24) })).toEqual([]);
  });
});

describe('forecasts along the graph', () => {
  it('agree where the back-test says that it helps', () => {
    // The cart is the shop's half with noise that no model can know.
    const noisy = rows('cart', 24 * DAYS, 5).map((row, index) => ({
      ...row,
      rps: row.rps * (1 + 0.6 * Math.sin(index * index * 1.7)),
    }));
    const calls = {
      byService: new Map([
        ['shop', new Map([['shop', 1]])],
        ['cart', new Map([['shop', 0.5]])],
      ]),
      entries: ['shop'],
    };
    const forecast = run({ rows: [...BASE.rows, ...noisy], calls });
    expect(forecast.notes.join()).toMatch(/made to agree along the service graph: back-test error \d+ % less/);
    const plain = run({ rows: [...BASE.rows, ...noisy] });
    expect(plain.notes.join()).not.toContain('made to agree');
    const again = run({
      rows: [...BASE.rows, ...noisy],
      calls,
      kept: choicesOf({ rows: [...BASE.rows, ...noisy], calls }),
    });
    expect(again.series.map((one) => one.quantiles)).toEqual(forecast.series.map((one) => one.quantiles));
  });
});

describe('joint paths', () => {
  it('come with every forecast, for each service that was forecast', () => {
    const { joint } = run({ rows: [...BASE.rows, ...rows('app', 24 * DAYS, 30)] });
    expect(joint?.services.map(({ service }) => service)).toEqual(['shop', 'app']);
    expect(joint?.paths).toBe(200);
  });
});
