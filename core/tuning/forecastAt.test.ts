import { describe, expect, it } from '@jest/globals';
import { forecastAt, forecastError } from './forecastAt.js';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const rising = [10, 20];
const forecast = {
  series: [
    {
      service: 'shop',
      step: '1h',
      models: [],
      trust: 'fair' as const,
      trustReason: '',
      timestamps: ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z'],
      quantiles: { p50: rising, p80: [12, 24], p90: [13, 26], p95: [14, 28], p99: [15, 30] },
    },
  ],
  notes: [],
};

describe('forecastAt', () => {
  it('holds a step until the next', () => {
    expect(forecastAt(forecast, 'shop', T0)).toEqual({ p50: 10, p80: 12, p90: 13, p95: 14, p99: 15, trust: 'fair' });
    expect(forecastAt(forecast, 'shop', T0 + 3_599_999)?.p50).toBe(10);
    expect(forecastAt(forecast, 'shop', T0 + 3_600_000)?.p99).toBe(30);
  });

  it('knows nothing outside its horizon or of other services', () => {
    expect(forecastAt(forecast, 'shop', T0 - 1)).toBeNull();
    expect(forecastAt(forecast, 'shop', T0 + 2 * 3_600_000)).toBeNull();
    expect(forecastAt(forecast, 'pay', T0)).toBeNull();
  });

  it('reads the length of a lone step from its name', () => {
    const [series] = forecast.series;
    const quantiles = { p50: [1], p80: [1], p90: [1], p95: [1], p99: [1] };
    const lone = { ...forecast, series: [{ ...series!, timestamps: ['2026-01-01T00:00:00Z'], step: '5m', quantiles }] };
    expect(forecastAt(lone, 'shop', T0 + 299_999)?.p50).toBe(1);
    expect(forecastAt(lone, 'shop', T0 + 300_000)).toBeNull();
  });
});

describe('forecastError', () => {
  const quantiles = { p50: 10, p80: 12, p90: 13, p95: 14, p99: 15 };
  it.each([
    [8, -0.2, 'p50'],
    [12.5, 0.25, 'p90'],
    [16, 0.6, 'above'],
  ])('%d rps', (actual, relative, within) => {
    expect(forecastError(quantiles, actual)).toMatchObject({ relative, within, forecastRps: 10, actualRps: actual });
  });

  it('has no relative error of nothing', () => {
    expect(forecastError({ p50: 0, p80: 0, p90: 0, p95: 0, p99: 0 }, 1).relative).toBeNull();
  });
});
