import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { METRICS } from '../../adapters/telemetry/catalogue.js';
import { waitFor } from '../../testbed/http.js';
import { freePort } from '../../testbed/ports.js';
import { bundleWorkflows } from '../../workers/bundle.js';
import { keepStdoutForResults, replayHistories } from '../../workers/replay.js';
import { fetchHistory } from '../../workers/verify.js';
import type { Place } from '../capability/world.js';
import { startPlace } from '../capability/world.js';
import type { CollectedSpan, Collector } from './collector.js';
import { startCollector } from './collector.js';

jest.setTimeout(240_000);

let collector: Collector;
let place: Place;
let health: string;

/** Children take their environment from here. */
const environment: Record<string, string> = {};

beforeAll(async () => {
  keepStdoutForResults();
  collector = await startCollector();
  const port = await freePort();
  health = `http://127.0.0.1:${port}`;
  Object.assign(environment, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
    PSMG_HEALTH_PORT: String(port),
  });
  Object.assign(process.env, environment);
  place = await startPlace();
  await place.startWorker();
  const launched = await place.psmg('region', 'start', place.world.regionFile);
  expect(launched).toMatchObject({ code: 0 });
  await place.until('operating with a tick', 180_000, (status) => (status.tuner.report?.ticks ?? 0) > 0);
});

afterAll(async () => {
  await place.stop();
  await collector.stop();
  for (const name of Object.keys(environment)) delete process.env[name];
});

async function metrics(): Promise<string> {
  const response = await fetch(`${health}/metrics`, { signal: AbortSignal.timeout(5000) });
  return response.text();
}

describe('a region in operation, as its worker shows it', () => {
  /** Not in every region: a plan of one window, adjustments and failures that nothing gave a reason for. */
  const NOT_HERE = [
    'psmg_region_window_start_timestamp_seconds',
    'psmg_worker_visibility_errors_total',
    'psmg_activity_failures_total',
  ];

  it('has a series of every metric of the catalogue', async () => {
    const names = Object.keys(METRICS).filter((name) => !NOT_HERE.includes(name));
    await waitFor('every metric', 60_000, async () => {
      const text = await metrics();
      const missing = names.filter((name) => !new RegExp(`^${name}(_bucket)?[{ ]`, 'm').test(text));
      if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
      return text.includes('phase="operating"} 1');
    });
    const text = await metrics();
    const { name } = place.world.spec;
    expect(text).toContain(`psmg_region_phase{region="${name}",phase="operating"} 1`);
    expect(text).toContain(`psmg_region_phase{region="${name}",phase="blocked"} 0`);
    expect(text).toMatch(/^psmg_region_trust\{region="[^"]+",trust="\w+"\} 1$/m);
    expect(text).toMatch(/^psmg_service_forecast_error_ratio\{region="[^"]+",service="storefront"\} -?\d/m);
  });

  it('is ready', async () => {
    const response = await fetch(`${health}/readyz?format=json`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ state: 'ok', ready: true, live: true });
  });
});

describe('the trace of a region that was launched by the command line', () => {
  let spans: readonly CollectedSpan[];
  const named = (name: string): CollectedSpan => {
    const found = spans.find((span) => span.name === name);
    if (found === undefined) throw new Error(`no span ${name} among ${spans.map((span) => span.name).join(', ')}`);
    return found;
  };

  beforeAll(async () => {
    // The span of a workflow is as long as its life.
    await place.region.cancel();
    await waitFor('the span of the lifecycle', 60_000, async () =>
      Promise.resolve(collector.spans.some((span) => span.name === 'RunWorkflow:regionLifecycle')),
    );
    const root = collector.spans.find((span) => span.name === 'StartWorkflow:regionLifecycle');
    spans = collector.spans.filter((span) => span.traceId === root?.traceId);
  });

  it('holds the client, the workflow and its activities, from parent to child', () => {
    const client = named('StartWorkflow:regionLifecycle');
    expect(client.service).toBe('psmg-cli');
    expect(client.parentSpanId ?? '').toBe('');
    const workflow = named('RunWorkflow:regionLifecycle');
    expect(workflow).toMatchObject({ service: 'psmg-worker', parentSpanId: client.spanId });
    for (const activity of ['acceptRegion', 'forecastRegion', 'planRegion', 'deployRelease']) {
      const asked = named(`StartActivity:${activity}`);
      expect(asked.parentSpanId).toBe(workflow.spanId);
      expect(named(`RunActivity:${activity}`).parentSpanId).toBe(asked.spanId);
    }
  });

  it('goes on in the adjustment of the region, which is its child', () => {
    const child = named('StartChildWorkflow:meshAdjustment');
    expect(child.parentSpanId).toBe(named('RunWorkflow:regionLifecycle').spanId);
    const tick = spans.find((span) => span.name === 'RunActivity:tick');
    expect(tick?.attributes['psmg.region']).toBe(place.world.spec.name);
  });

  it('says region, phase and plan, and nothing else of what the workflow knows', () => {
    const { name } = place.world.spec;
    expect(named('StartActivity:forecastRegion').attributes).toMatchObject({
      'psmg.region': name,
      'psmg.phase': 'forecasting',
    });
    expect(named('RunActivity:deployRelease').attributes).toMatchObject({
      'psmg.region': name,
      'psmg.plan_hash': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    for (const { attributes } of spans) {
      expect(Object.keys(attributes)).toEqual(expect.not.arrayContaining(['memo', 'searchAttributes', 'unsafe']));
    }
  });

  it('leaves a history that replays with the spans and without', async () => {
    const { workflowId } = place.region;
    const histories = [
      await fetchHistory(place.client, workflowId),
      await fetchHistory(place.client, `${workflowId}/adjustment`),
    ];
    for (const spansOn of [true, false]) {
      const results = await replayHistories(await bundleWorkflows({ spans: spansOn }), histories);
      expect(results.filter(({ error }) => error !== null)).toEqual([]);
    }
  });
});

describe('a region that has closed', () => {
  it('takes its series with it', async () => {
    await waitFor('nothing left of the region', 60_000, async () => !(await metrics()).includes('region="'));
  });
});
