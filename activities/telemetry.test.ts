import { describe, expect, it } from '@jest/globals';
import { createPrometheusMeter } from '../adapters/telemetry/prometheus.js';
import type { TickOutcome } from './contract.js';
import { openRegion, recordActivity, regionOfWorkflow } from './telemetry.js';

const TICK: TickOutcome = {
  at: new Date(10_000).toISOString(),
  completeness: 0.5,
  services: [
    { service: 'shop', rps: 150, forecastP50: 100, forecastP95: 130, errorRate: 0.1, p99Ms: 250, rateLimited: 7 },
    { service: 'idle', rps: 0, forecastP50: 0, forecastP95: null, errorRate: null, p99Ms: null, rateLimited: 0 },
  ],
  readyInstances: { shop: 3 },
  verdict: { verdict: 'failed', reason: 'errors rose' },
  decision: { kind: 'revert', reason: 'errors rose' },
};

async function shown(record: (meter: ReturnType<typeof createPrometheusMeter>) => void): Promise<string> {
  const meter = createPrometheusMeter({ now: () => 12_500 });
  record(meter);
  return meter.text();
}

describe('recordActivity', () => {
  it('shows what a tick saw and decided; what it did not see is absent and not zero', async () => {
    const text = await shown((meter) => {
      const outcome = { kind: 'completed', output: TICK } as const;
      recordActivity(meter, { name: 'tick', region: 'north', outcome, seconds: 0.2 });
    });
    for (const line of [
      'psmg_region_observation_age_seconds{region="north"} 2.5',
      'psmg_region_completeness_ratio{region="north"} 0.5',
      'psmg_observations_total{region="north",result="partial"} 1',
      'psmg_service_forecast_error_ratio{region="north",service="shop"} 0.5',
      'psmg_service_latency_p99_seconds{region="north",service="shop"} 0.25',
      'psmg_service_ready_instances{region="north",service="shop"} 3',
      'psmg_service_rate_limited_requests_total{region="north",service="shop"} 7',
      'psmg_adjustment_decisions_total{region="north",decision="revert"} 1',
      'psmg_adjustment_verdicts_total{region="north",verdict="failed"} 1',
      'psmg_service_requests_per_second{region="north",service="idle"} 0',
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
    expect(text).not.toMatch(/_(error_ratio|p99_seconds|ready_instances)\{region="north",service="idle"\}/);
  });

  it('counts failures by reasons of the closed list, and the rest as other', async () => {
    const text = await shown((meter) => {
      for (const reason of ['drift', 'a stack trace']) {
        recordActivity(meter, {
          name: 'applyIntent',
          region: 'north',
          outcome: { kind: 'failed', reason },
          seconds: 1,
        });
      }
    });
    expect(text).toContain('psmg_activity_failures_total{activity="applyIntent",reason="drift"} 1');
    expect(text).toContain('psmg_activity_failures_total{activity="applyIntent",reason="other"} 1');
    expect(text).toContain('psmg_deployments_total{region="north",kind="swap",result="failed"} 2');
  });

  it('times the activities of other workflows, and says nothing of a region', async () => {
    const text = await shown((meter) => {
      recordActivity(meter, { name: 'tick', region: null, outcome: { kind: 'cancelled' }, seconds: 1 });
    });
    expect(text).toContain('psmg_activity_duration_seconds_count{activity="tick",outcome="cancelled"} 1');
    expect(text).not.toContain('region="');
  });
});

it('counts of a region are there before its first event', async () => {
  const text = await shown((meter) => openRegion(meter, 'north'));
  expect(text).toContain('psmg_adjustment_decisions_total{region="north",decision="revert"} 0');
});

it('knows a region by the ids of its workflows', () => {
  expect(['region/north', 'region/north/adjustment', 'region/', 'order/1', ''].map(regionOfWorkflow)).toEqual([
    'north',
    'north',
    null,
    null,
    null,
  ]);
});
