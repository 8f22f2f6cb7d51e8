import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { takeSnapshots } from '../../activities/observeRegion.js';
import type { ActivityRun, Ports } from '../../activities/ports.js';
import { openTarget } from '../../adapters/mesh/targets.js';
import type { FileSet } from '../../core/spec/artifact.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { observe } from '../../core/tuning/observe.js';
import { render } from '../../mesh/envoy/render.js';
import { closeConnections, eventually, get } from '../fixtures/envoyProcess.js';
import type { Upstream } from '../fixtures/envoyProcess.js';
import { healthyIn, liveOf } from '../fixtures/proxiedRegion.js';
import type { EnvoyHost } from '../fixtures/proxiedRegion.js';
import { frontRegion, stopEdges, twoEdges } from '../fixtures/twoEdges.js';

const run: ActivityRun = { signal: new AbortController().signal, progress: () => undefined, lastProgress: null };
const ports = { openTarget, now: () => Date.now() } as Partial<Ports> as Ports;
/** Apart from each other by proxy, so that a quantile of either alone, or a mean of the two, would be far off. */
const DELAYS_MS = [
  [0, 2, 3, 5, 8, 12],
  [60, 90, 140, 200, 280, 400],
] as const;
const PARALLEL = 5;

/** Each proxy also writes down every latency that it counts, to the microsecond. */
function withLog(files: FileSet, file: string): FileSet {
  const listeners = parse(files['dyn/lds.yaml'] ?? '') as {
    resources: { filter_chains: { filters: { typed_config: { access_log: unknown[] } }[] }[] }[];
  };
  for (const { typed_config: manager } of listeners.resources.flatMap((l) => l.filter_chains[0]?.filters ?? [])) {
    manager.access_log.push({
      name: 'envoy.access_loggers.file',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
        path: file,
        log_format: { text_format_source: { inline_string: '%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%\n' } },
      },
    });
  }
  return { ...files, 'dyn/lds.yaml': stringify(listeners) };
}

describe('latency quantiles over two real proxies', () => {
  let edges: EnvoyHost[];
  let apps: Upstream[];
  let region: RegionSpec;
  const logOf = ({ envoy }: EnvoyHost): string => path.join(envoy.directory, 'latencies.log');

  beforeAll(async () => {
    ({ edges, apps } = await twoEdges());
    region = frontRegion({ edges, apps });
    const settings = { 'rateLimit.rps': 100_000, 'rateLimit.burst': 100_000, 'timeout.requestMs': 20_000 };
    const live = liveOf(region, { front: { settings } });
    for (const edge of edges) {
      await edge.envoy.move(withLog(render(live, region, edge.host), logOf(edge)));
      await edge.envoy.start(edge.host.proxy.admin.port);
      await healthyIn(edge, 'front', 2);
    }
  }, 60_000);

  afterAll(async () => {
    closeConnections();
    await stopEdges({ edges, apps });
  });

  async function requests(edge: EnvoyHost, delaysMs: readonly number[]): Promise<void> {
    for (const delayMs of delaysMs) {
      for (const app of apps) app.behaviour.delayMs = delayMs;
      await Promise.all(Array.from({ length: PARALLEL }, () => get(edge.host.proxy.ingress.port, '/')));
    }
  }

  /** Envoy writes its log every ten seconds. */
  async function logged(count: number): Promise<number[][]> {
    return eventually(
      'all is written down',
      async () => {
        const texts = await Promise.all(edges.map((edge) => readFile(logOf(edge), 'utf8')));
        const all = texts.map((text) => text.trim().split('\n').map(Number));
        return all.every((one) => one.length === count) && all;
      },
      25_000,
    );
  }

  it('are those of all requests of the window, within the width of the bucket that is said', async () => {
    // Of before the window: they must not count.
    for (const edge of edges) await requests(edge, [30]);
    const settle = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1500));
    await settle();
    const before = await takeSnapshots(ports, region, run);
    for (const [i, edge] of edges.entries()) await requests(edge, DELAYS_MS[i] ?? []);
    await settle();
    const after = await takeSnapshots(ports, region, run);
    const names = edges.map(({ host }) => host.name);
    const at = new Date().toISOString();
    const [seen] = observe(region.name, names, before.snapshots, after.snapshots, at).services;

    const counted = await logged(PARALLEL * (1 + DELAYS_MS[0].length));
    const exactMs = counted.flatMap((all) => all.slice(PARALLEL).map((us) => us / 1000)).sort((a, b) => a - b);
    expect(seen?.requests).toBe(exactMs.length);
    for (const [q, value, error] of [
      [0.5, seen?.p50Ms, seen?.p50ErrorMs],
      [0.9, seen?.p90Ms, seen?.p90ErrorMs],
      [0.99, seen?.p99Ms, seen?.p99ErrorMs],
    ] as const) {
      const exact = exactMs[Math.ceil(q * exactMs.length) - 1] ?? Number.NaN;
      expect(Math.abs((value ?? Number.NaN) - exact)).toBeLessThanOrEqual(error ?? 0);
      // Two digits: at most a tenth of the lower bound.
      expect(error ?? Infinity).toBeLessThanOrEqual(Math.max(0.1, exact) * 0.1 + 1e-6);
    }
  }, 60_000);
});
