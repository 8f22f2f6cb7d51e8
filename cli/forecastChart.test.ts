import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { curvesOf } from '../core/forecast/curves.js';
import type { ForecastSeries } from '../core/spec/forecast.js';
import { forecastChart } from './forecastChart.js';

function series(p50: readonly number[], factor = { p50: 1, p80: 1.2, p90: 1.3, p95: 1.5, p99: 2 }): ForecastSeries {
  return {
    service: 'shop',
    step: '1h',
    models: [],
    trust: 'high',
    trustReason: '',
    timestamps: p50.map((_, step) => new Date(Date.UTC(2026, 0, 5, step)).toISOString()),
    quantiles: curvesOf((name) => p50.map((value) => value * factor[name])),
  };
}

describe('forecastChart', () => {
  const flat = forecastChart({
    series: series(Array.from({ length: 20 }, () => 50)),
    history: Array.from({ length: 20 }, () => 50),
    events: [{ kind: 'campaign', fromStep: 5, toStep: 10 }],
    columns: 60,
    rows: 10,
  });

  it('draws what came, then p50 with the fan above it, on one scale', () => {
    const lines = flat.split('\n');
    expect(lines[0]).toMatch(/^ 100│ {20}░{20}$/);
    expect(lines[4]).toMatch(/│ {20}▓{20}$/);
    expect(lines[5]).toMatch(/^ +50│•{20}─{20}$/);
    expect(lines[6]).toMatch(/│$/);
    expect(lines[9]).toMatch(/^ +0│$/);
    expect(lines[10]).toMatch(/└─{20}┴─{19}$/);
    expect(lines[11]).toContain('↑ 2026-01-05 00:00');
  });

  it('shows events under the steps that they cover', () => {
    const line = flat.split('\n').find((text) => text.endsWith('campaign')) ?? '';
    expect(line.indexOf('▔')).toBe(5 + 25);
    expect(line.match(/▔/g)).toHaveLength(5);
  });

  it('keeps the peak when many steps share a column', () => {
    const spike = Array.from({ length: 400 }, (_, step) => (step === 333 ? 100 : 10));
    const text = forecastChart({ series: series(spike), history: [], events: [], columns: 50, rows: 10 });
    expect(text.split('\n')[0]).toContain('░');
  });

  it('never breaks, and never leaves its width', () => {
    const rates = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 300 });
    fc.assert(
      fc.property(rates, rates, fc.integer({ min: 1, max: 200 }), (history, p50, columns) => {
        const text = forecastChart({ series: series(p50), history, events: [], columns, rows: 8 });
        expect(text).not.toMatch(/NaN|undefined|Infinity/);
        const chart = text.split('\n').slice(0, 8);
        for (const line of chart) expect(line.length).toBeLessThanOrEqual(Math.max(columns, 60));
      }),
    );
  });
});
