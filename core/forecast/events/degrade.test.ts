import { describe, expect, it } from '@jest/globals';

import type { DemandForecast, Trust } from '../../spec/forecast.js';
import { degradeForecast, eventsWindow } from './degrade.js';

const steps = { p50: [1], p80: [1], p90: [1], p95: [1], p99: [1] };
const forecastOf = (...trusts: Trust[]): DemandForecast => ({
  series: trusts.map((trust) => ({
    service: trust,
    step: '1h',
    models: [],
    trust,
    trustReason: 'as measured',
    timestamps: ['2026-03-01T00:00:00Z'],
    quantiles: steps,
  })),
  notes: [],
});
const trusts = (forecast: DemandForecast): Trust[] => forecast.series.map(({ trust }) => trust);

describe('degradeForecast', () => {
  const all = forecastOf('high', 'fair', 'low', 'none');

  it('lowers trust where events are missing, and less where a copy stands in', () => {
    const missing = degradeForecast(all, [{ source: 'team', reason: 'is down', missing: true }]);
    expect(trusts(missing)).toEqual(['low', 'low', 'low', 'none']);
    const stale = degradeForecast(all, [{ source: 'team', reason: 'is down', missing: false }]);
    expect(trusts(stale)).toEqual(['fair', 'fair', 'low', 'none']);
    expect(stale.degraded).toEqual(['event source team is down']);
    expect(stale.series[0]?.trustReason).toBe('as measured; at most fair without team');
    expect(stale.series[1]).toBe(all.series[1]);
  });

  it('leaves a forecast alone that lacks nothing', () => {
    expect(degradeForecast(all, [])).toBe(all);
  });
});

describe('eventsWindow', () => {
  const rows = [3, 1, 2].map((hour) => ({ at: hour * 3_600_000, service: 'a', rps: 1 }));

  it('spans history and horizon', () => {
    expect(eventsWindow(rows, 3600, 24)).toEqual({ fromMs: 3_600_000, toMs: 28 * 3_600_000 });
    expect(eventsWindow(rows, 3600, 24, Number.POSITIVE_INFINITY)).toEqual(eventsWindow(rows, 3600, 24));
    expect(eventsWindow(rows, 3600, 24, 5 * 3_600_000)).toEqual({
      fromMs: 3_600_000,
      toMs: 30 * 3_600_000,
      atMs: 5 * 3_600_000,
    });
    expect(eventsWindow([], 3600, 24)).toEqual({ fromMs: 0, toMs: 0 });
  });
});
