import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JudgeInput, TickInput, TickOutcome } from '../../activities/contract.js';
import { judgeStage } from '../../activities/judgeStage.js';
import type { ActivityRun, Ports } from '../../activities/ports.js';
import { tick } from '../../activities/tick.js';
import { createFileArtifactStore } from '../../adapters/artifacts/fileStore.js';
import { openTarget } from '../../adapters/mesh/targets.js';
import { createSqliteMetricsStore } from '../../adapters/metrics/sqlite.js';
import type { SignalSource } from '../../adapters/signals/port.js';
import { graphOfRegion } from '../../core/graph/build.js';
import { liveMesh } from '../../core/plan/live.js';
import { planHash } from '../../core/spec/hash.js';
import type { Adjustment, LiveIntent } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import type { ServiceSignals } from '../../core/spec/signals.js';
import { UNKNOWN_SIGNALS, seen } from '../../core/tuning/fixtures.js';
import { render } from '../../mesh/envoy/render.js';
import { closeConnections, eventually, tally } from '../fixtures/envoyProcess.js';
import type { Upstream } from '../fixtures/envoyProcess.js';
import { dumpOf, healthyIn } from '../fixtures/proxiedRegion.js';
import type { EnvoyHost } from '../fixtures/proxiedRegion.js';
import { planOf } from '../fixtures/planned.js';
import { forecastOf } from '../fixtures/regionSpec.js';
import { frontRegion, stopEdges, twoEdges } from '../fixtures/twoEdges.js';

const TICK_SECONDS = 4;
const REQUESTS = 60;
const ADDRESS = 'front.rateLimit.rps';
const run: ActivityRun = { signal: new AbortController().signal, progress: () => undefined, lastProgress: null };

/** Without the bootstrap, which never changes and in which Envoy tells of its build in an order of chance. */
function running(dump: string): string {
  const { configs } = JSON.parse(dump) as { configs: { '@type': string }[] };
  return JSON.stringify(configs.filter((config) => !config['@type'].endsWith('.BootstrapConfigDump')));
}

/**
 * Two real proxies of one region, whose rate limit refuses while instances idle: what is seen truly leads to a change.
 * Whatever the tick decides is done at once to the files that the proxies watch, so that a change would be seen there.
 */
describe('the tick, of a region that asks for a change', () => {
  let folder: string;
  let edges: EnvoyHost[];
  let apps: Upstream[];
  let spec: RegionSpec;
  let ports: Ports;
  let input: TickInput;
  let behindMs = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'psmg-untrue-'));
    ({ edges, apps } = await twoEdges());
    // Of a busy machine; what is slow is none of this test.
    spec = frontRegion(
      { edges, apps },
      { slo: { p99Ms: 10_000, maxErrorRate: 0.5 } },
      {
        activation: { steps: [100], judgeSeconds: 1, minRequests: 20, maxErrorRate: 0.5, maxInconclusive: 2 },
        operate: { tickSeconds: TICK_SECONDS, maxStepFraction: 0.5, maxInconclusiveTicks: 3, minRequestsPerTick: 20 },
        demandClock: { demandFrom: '2026-01-01T00:00:00Z', wallFrom: new Date().toISOString(), speed: 1 },
      },
    );
    const forecast = forecastOf({ front: 60 });
    const plan = planOf(spec, forecast);
    const graph = graphOfRegion(spec, {});
    const artifacts = createFileArtifactStore(path.join(folder, 'artifacts'));
    const metrics = createSqliteMetricsStore(path.join(folder, 'metrics.db'));
    ports = { artifacts, metrics, openTarget, now: () => Date.now() - behindMs } as Partial<Ports> as Ports;
    const [first] = plan.windows;
    const bounds = first?.services[0]?.bounds['rateLimit.rps'];
    const planned = first?.services[0]?.settings['rateLimit.rps'].value ?? 0;
    const low = bounds?.min ?? 1;
    const intent: LiveIntent = {
      stage: { localPercent: 100, enforceLimits: true },
      adjustments: [{ ...adjustmentOf(planned, low), planHash: planHash(plan) }],
      overrides: [{ address: 'front.rateLimit.burst', value: 1, who: 'ada', why: 'so that little is refused' }],
      readyInstances: { front: 2 },
    };
    input = {
      specRef: await artifacts.putJson('spec', spec),
      plan: {
        ref: await artifacts.putJson('plan', { plan, graph: graph.ok ? graph.value : {} }),
        hash: planHash(plan),
      },
      forecastRef: await artifacts.putJson('forecast', forecast),
      intent,
      autonomy: 'act',
      frozen: false,
      inFlight: null,
    };
    for (const edge of edges) {
      await move(edge, intent);
      await edge.envoy.start(edge.host.proxy.admin.port);
      await healthyIn(edge, 'front', 2);
    }

    async function move({ envoy, host }: EnvoyHost, wanted: LiveIntent): Promise<void> {
      await envoy.move(render(liveMesh(spec, plan, planHash(plan), wanted), spec, host));
    }
    obey = async ({ decision }) => {
      if (decision.kind === 'none' || decision.kind === 'keep') return;
      const adjustments = decision.kind === 'adjust' ? [...intent.adjustments, decision.adjustment] : [];
      for (const edge of edges) await move(edge, { ...intent, adjustments });
    };
  }, 60_000);

  let obey: (outcome: TickOutcome) => Promise<void>;

  afterAll(async () => {
    closeConnections();
    await ports?.metrics.close();
    await stopEdges({ edges, apps });
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  function adjustmentOf(from: number, to: number): Adjustment {
    return { address: ADDRESS, from, to, reason: 'test', planHash: '', madeAt: '2026-01-01T00:00:00.000Z' };
  }

  /** A reading, and after it requests of which both proxies refuse many. */
  async function baseline(): Promise<void> {
    await tick(ports)(input, run);
    await requests();
  }

  async function requests(): Promise<void> {
    await Promise.all(
      edges.map(({ host }) => tally(host.proxy.ingress.port, REQUESTS, { parallel: 8 }).catch(() => undefined)),
    );
    // Envoy adds up its histograms once a second.
    await new Promise((resolve) => setTimeout(resolve, 1200));
  }

  /** Every file, and what every proxy that answers says it runs. */
  async function mesh(): Promise<Record<string, string>> {
    const bytes: Record<string, string> = {};
    for (const { envoy, host } of edges) {
      const files = readdirSync(envoy.directory, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
      for (const file of files) {
        const name = path.join(file.parentPath, file.name);
        bytes[name] = readFileSync(name, 'utf8');
      }
      bytes[host.name] = await dumpOf(host).then(running, () => 'down');
    }
    return bytes;
  }

  /** Both kinds of tick on what is there now, from the same reading: with a change in flight, and free to propose one. */
  async function decide(more: Partial<Ports> = {}): Promise<{ judged: TickOutcome; free: TickOutcome }> {
    const inFlight = {
      adjustment: adjustmentOf(1, 2),
      service: 'front',
      baseline: seen('front'),
      inconclusiveTicks: 0,
    };
    const previous = await ports.metrics.latestSnapshots(spec.name, ports.now());
    const metrics = { ...ports.metrics, latestSnapshots: () => Promise.resolve(previous) };
    const both = { ...ports, metrics, ...more };
    const judged = await tick(both)({ ...input, inFlight }, run);
    const free = await tick(both)(input, run);
    await obey(judged);
    await obey(free);
    return { judged, free };
  }

  async function expectNoVerdict(why: string, more: Partial<Ports> = {}): Promise<void> {
    const before = await mesh();
    const { judged, free } = await decide(more);
    expect(judged).toMatchObject({ verdict: { verdict: 'inconclusive' }, decision: { kind: 'none' } });
    expect(judged.verdict?.reason).toContain(why);
    expect(free).toMatchObject({ verdict: null, decision: { kind: 'none' } });
    expect(JSON.stringify(free.decision)).toContain(why);
    expect(await mesh()).toEqual(before);
  }

  /** The same window as the tick's; each source that is a fault keeps to the port. */
  function source(told: Partial<ServiceSignals>): SignalSource {
    return {
      read: (_, fromMs, toMs) => {
        const services = [{ service: 'front', ...UNKNOWN_SIGNALS, ageSeconds: 0, ...told }];
        return Promise.resolve({ source: 'prometheus', fromMs, toMs, services, problems: [] });
      },
    };
  }

  const judgeInput = (): JudgeInput => ({ specRef: input.specRef, plan: input.plan, localPercent: 100 });

  it('judges nothing by a reading of long ago, and changes nothing', async () => {
    behindMs = 60_000;
    await baseline();
    behindMs = 0;
    await expectNoVerdict('no baseline');
  }, 60_000);

  it('judges nothing by a reading of another plan', async () => {
    await baseline();
    const read = await ports.metrics.latestSnapshots(spec.name, ports.now());
    await ports.metrics.putSnapshots(
      spec.name,
      read.map((snapshot) => ({ ...snapshot, planHash: 'another' })),
    );
    await expectNoVerdict('another plan');
  }, 60_000);

  it('judges nothing when another source counted something else, and names both numbers', async () => {
    await baseline();
    await expectNoVerdict('prometheus says 900.0 rps', { signals: source({ rps: 900 }) });
    const judging = judgeStage({ ...ports, signals: source({ rps: 900 }) })(judgeInput(), run);
    await requests();
    const judged = await judging;
    expect(judged.verdict).toBe('inconclusive');
    expect(judged.reason).toContain('prometheus says 900.0 rps');
  }, 60_000);

  it('goes on without a source that fails or never answers, and says so', async () => {
    await baseline();
    const failing = { read: () => Promise.reject(new Error('connection refused')) };
    const previous = await ports.metrics.latestSnapshots(spec.name, ports.now());
    const metrics = { ...ports.metrics, latestSnapshots: () => Promise.resolve(previous) };
    for (const [signals, words] of [
      [failing, 'connection refused'],
      [{ read: () => new Promise<never>(() => undefined) }, 'no answer in 2000 ms'],
    ] as const) {
      const outcome = await tick({ ...ports, metrics, signals })(input, run);
      expect(outcome.decision).toMatchObject({ kind: 'adjust' });
      expect(outcome.problems?.join()).toContain(words);
    }
  }, 60_000);

  it('changes the mesh when all is seen truly, and another source agrees', async () => {
    await baseline();
    const before = await mesh();
    const { judged, free } = await decide({ signals: source({ rps: null, cpuCores: 1 }) });
    expect(judged.verdict?.verdict).toBe('successful');
    expect(free.decision).toMatchObject({ kind: 'adjust', adjustment: { address: ADDRESS } });
    expect(await mesh()).not.toEqual(before);
    const [row] = await ports.metrics.query({
      measurement: 'service',
      fromMs: Date.parse(free.at),
      toMs: Date.parse(free.at) + 1,
    });
    expect(row?.fields).toMatchObject({ completeness: 1, cpu_cores: 1, ready_instances: 2, ready_instances_most: 2 });
  }, 60_000);

  it('judges nothing while one proxy is down', async () => {
    await baseline();
    const admin = `http://127.0.0.1:${edges[1]?.host.proxy.admin.port}`;
    await fetch(`${admin}/quitquitquit`, { method: 'POST' });
    await eventually('it is down', async () =>
      fetch(admin).then(
        () => false,
        () => true,
      ),
    );
    await requests();
    await expectNoVerdict('50.00 % of the proxies');
    const judged = await judgeStage(ports)(judgeInput(), run);
    expect(judged).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('edge-2: did not answer'),
    });
  }, 60_000);
});
