import type { ServiceSettings } from '../../core/spec/settings.js';
import { ADMIN_CLUSTERS_PATH } from '../../mesh/envoy/stats.js';
import { freePortRange } from '../../testbed/ports.js';
import { eventually, get, startUpstream } from '../../test/fixtures/envoyProcess.js';
import type { Upstream } from '../../test/fixtures/envoyProcess.js';
import { envoyHost, healthyIn, liveOf, socket, startHost } from '../../test/fixtures/proxiedRegion.js';
import type { EnvoyHost } from '../../test/fixtures/proxiedRegion.js';
import { serviceSpec, shopRegion } from '../../test/fixtures/regionSpec.js';

/** Failures in a row that take an instance out. */
export const CONSECUTIVE = 3;
/** How often hosts are looked at: no duration here is known better. */
const LOOK_MS = 10;

/** A real Envoy with our configuration before so many instances of one service that nothing limits or repeats. */
export interface Ejecting {
  apps: readonly Upstream[];
  ask(): Promise<number>;
  /** Ports of instances that outlier detection has out at this moment. */
  ejected(): Promise<number[]>;
  stop(): Promise<void>;
}

export async function startEjecting(instances: number, settings: Partial<ServiceSettings>): Promise<Ejecting> {
  const first = await freePortRange(instances + 3);
  const apps = await Promise.all(Array.from({ length: instances }, (_, i) => startUpstream(`app-${i}`, first + i)));
  const ports = [0, 1, 2].map((i) => first + instances + i);
  const edge: EnvoyHost = await envoyHost('edge-1', ports);
  const endpoints = apps.map(({ port }) => socket(port));
  const region = shopRegion({
    delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts: [edge.host] },
    services: [serviceSpec({ name: 'front', entry: { pathPrefix: '/' }, endpoints, minInstances: instances })],
    graph: {},
    neighbours: [],
  });
  const open = { 'rateLimit.rps': 100_000, 'rateLimit.burst': 100_000, 'retry.maxPerRequest': 0 };
  const detection = { 'outlier.consecutive5xx': CONSECUTIVE, 'outlier.intervalMs': 100 };
  await startHost(edge, liveOf(region, { front: { settings: { ...open, ...detection, ...settings } } }), region);
  await healthyIn(edge, 'front', instances);
  return {
    apps,
    ask: async () => (await get(edge.host.proxy.ingress.port, '/')).status,
    ejected: async () => ejectedIn((await get(edge.host.proxy.admin.port, ADMIN_CLUSTERS_PATH)).body),
    stop: async () => {
      await edge.envoy.stop();
      await Promise.all(apps.map((app) => app.stop()));
    },
  };
}

interface Cluster {
  name: string;
  host_statuses?: {
    address: { socket_address: { port_value: number } };
    health_status: { failed_outlier_check?: boolean };
  }[];
}

function ejectedIn(body: string): number[] {
  const { cluster_statuses: clusters } = JSON.parse(body) as { cluster_statuses: Cluster[] };
  const hosts = clusters.find(({ name }) => name === 'front')?.host_statuses ?? [];
  return hosts
    .filter(({ health_status: health }) => health.failed_outlier_check === true)
    .map(({ address }) => address.socket_address.port_value);
}

/** How many of so many instances, all of which fail every request, are out at most under a `max_ejection_percent`. */
export async function mostEjected(instances: number, percent: number): Promise<number> {
  const far = { 'outlier.baseEjectionMs': 600_000, 'health.intervalMs': 600_000 };
  const running = await startEjecting(instances, { ...far, 'outlier.maxEjectionPercent': percent });
  try {
    for (const app of running.apps) app.behaviour.status = 500;
    let most = 0;
    for (let i = 0; i < 40 * instances; i++) {
      await running.ask();
      if (i % 8 === 7) most = Math.max(most, (await running.ejected()).length);
    }
    return most;
  } finally {
    await running.stop();
  }
}

/** How long each of `times` ejections of an instance lasts, ms, that fails all requests and passes its health checks. */
export async function ejectionsLast(every: { healthMs: number; baseMs: number }, times: number): Promise<number[]> {
  const running = await startEjecting(2, {
    'health.intervalMs': every.healthMs,
    'outlier.baseEjectionMs': every.baseMs,
    'outlier.maxEjectionPercent': 50,
  });
  try {
    const [bad] = running.apps;
    if (bad === undefined) throw new Error('no instance');
    const found: number[] = [];
    bad.behaviour.status = 500;
    while (found.length < times) {
      await eventually('ejected', async () => {
        await running.ask();
        return (await running.ejected()).includes(bad.port);
      });
      const since = performance.now();
      while ((await running.ejected()).includes(bad.port)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      found.push(performance.now() - since);
    }
    return found;
  } finally {
    await running.stop();
  }
}

/**
 * How many requests an instance that fails all of them is asked after its return until it is out again, where
 * `underway` others that fail later than it was taken out do not count: fewer than `CONSECUTIVE` where they do.
 */
export async function failuresAfterReturn(underway: number): Promise<number> {
  const running = await startEjecting(1, {
    'health.intervalMs': 1000,
    'outlier.baseEjectionMs': 600_000,
    'outlier.maxEjectionPercent': 100,
  });
  try {
    const [bad] = running.apps;
    if (bad === undefined) throw new Error('no instance');
    Object.assign(bad.behaviour, { status: 500, delayMs: 100 });
    await Promise.all(Array.from({ length: CONSECUTIVE + underway }, () => running.ask()));
    bad.behaviour.delayMs = 0;
    await eventually('back', async () => (await running.ejected()).length === 0);
    const before = bad.hosts.length;
    await eventually('out again', async () => {
      await running.ask();
      return (await running.ejected()).length > 0;
    });
    return bad.hosts.length - before;
  } finally {
    await running.stop();
  }
}
