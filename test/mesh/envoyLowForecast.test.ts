import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { readyInstances } from '../../activities/observeRegion.js';
import { liveMesh } from '../../core/plan/live.js';
import { planHash } from '../../core/spec/hash.js';
import type { LiveMesh } from '../../core/spec/live.js';
import type { ProxySnapshot } from '../../core/spec/observation.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { ADMIN_CLUSTERS_PATH, ADMIN_STATS_PATH, parseSnapshot } from '../../mesh/envoy/stats.js';
import { closeConnections, eventually, freePorts, get, startUpstream } from '../fixtures/envoyProcess.js';
import type { Upstream } from '../fixtures/envoyProcess.js';
import { planOf } from '../fixtures/planned.js';
import { bring, envoyHost, healthyIn, socket, startHost } from '../fixtures/proxiedRegion.js';
import type { EnvoyHost } from '../fixtures/proxiedRegion.js';
import { forecastOf, serviceSpec, shopRegion } from '../fixtures/regionSpec.js';

const DEMAND_RPS = 500;
const SERVICE_MS = 20;
const INSTANCES = 6;

/** A plan for three tenths of what comes; whoever owns the instances has started enough of them all the same. */
describe('a forecast that is too low', () => {
  let edge: EnvoyHost;
  let region: RegionSpec;
  let apps: Upstream[];

  const live = (ready?: Readonly<Record<string, number>>, isActive = true): LiveMesh => {
    const plan = planOf(region, forecastOf({ front: DEMAND_RPS * 0.3 }));
    return liveMesh(region, plan, planHash(plan), {
      stage: { localPercent: isActive ? 100 : 0, enforceLimits: isActive },
      ...(ready === undefined ? {} : { readyInstances: ready }),
      adjustments: [],
      overrides: [],
    });
  };

  const snapshot = async (): Promise<ProxySnapshot> => {
    const { port } = edge.host.proxy.admin;
    const [stats, clusters] = await Promise.all([get(port, ADMIN_STATS_PATH), get(port, ADMIN_CLUSTERS_PATH)]);
    return parseSnapshot('edge-1', 0, region, stats.body, clusters.body);
  };

  /** Statuses of three seconds of the whole demand, asked for at its rate whatever becomes of it. */
  const demand = async (): Promise<Record<string, number>> => {
    const answers: Promise<number>[] = [];
    const started = performance.now();
    const count = 3 * DEMAND_RPS;
    while (answers.length < count) {
      const due = Math.min(count, Math.ceil(((performance.now() - started) / 1000) * DEMAND_RPS));
      while (answers.length < due) answers.push(get(edge.host.proxy.ingress.port, '/').then(({ status }) => status));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const counts: Record<string, number> = {};
    for (const status of await Promise.all(answers)) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };

  beforeAll(async () => {
    apps = await Promise.all(Array.from({ length: INSTANCES }, (_, i) => startUpstream(`front-${i}`)));
    for (const app of apps) app.behaviour.delayMs = SERVICE_MS;
    edge = await envoyHost('edge-1', await freePorts(3));
    region = shopRegion({
      delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts: [edge.host] },
      services: [
        serviceSpec({
          name: 'front',
          entry: { pathPrefix: '/' },
          endpoints: apps.map(({ port }) => socket(port)),
          capacity: { concurrency: 4, serviceTimeMs: SERVICE_MS, startupSeconds: 1 },
        }),
      ],
      graph: {},
      neighbours: [],
    });
    await startHost(edge, live(undefined, false), region);
    await healthyIn(edge, 'front', live().services[0]?.endpoints.length ?? 0);
  }, 30_000);

  afterAll(async () => {
    closeConnections();
    await edge.envoy.stop();
    await Promise.all(apps.map((app) => app.stop()));
  });

  const counted = (): Promise<Readonly<Record<string, number>>> =>
    eventually('all are seen', async () => {
      const seen = readyInstances(region, [await snapshot()]);
      return seen['front'] === INSTANCES ? seen : undefined;
    });

  /** All of them, and no instance idles. */
  const serves = async (): Promise<void> => {
    for (const app of apps) app.hosts.length = 0;
    // On a busy machine an answer may come too late (504); nothing is refused (429, 503) either way.
    const { '200': served = 0, '504': late = 0, ...refused } = await demand();
    expect(refused).toEqual({});
    expect(served + late).toBe(3 * DEMAND_RPS);
    expect(late).toBeLessThan(0.1 * served);
    for (const app of apps) expect(app.hosts.length).toBeGreaterThan(0);
  };

  it('refuses nobody: what is ready is counted before users come, whatever was planned', async () => {
    expect(live().services[0]?.endpoints.length).toBeLessThan(INSTANCES / 2);
    await bring(edge, live(await counted()), region);
    await healthyIn(edge, 'front', INSTANCES);
    await serves();
  }, 20_000);

  it('refuses once instances come that nobody has counted yet, and nobody after', async () => {
    await bring(edge, live(), region);
    await healthyIn(edge, 'front', live().services[0]?.endpoints.length ?? 0);
    expect((await demand())['429']).toBeGreaterThan(0);
    await bring(edge, live(await counted()), region);
    await healthyIn(edge, 'front', INSTANCES);
    await serves();
  }, 20_000);
});
