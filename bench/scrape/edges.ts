import type { RegionSpec } from '../../core/spec/region.js';
import { flatten } from '../../mesh/envoy/flatten.js';
import { render } from '../../mesh/envoy/render.js';
import { freePorts, get, startUpstream } from '../../test/fixtures/envoyProcess.js';
import type { Upstream } from '../../test/fixtures/envoyProcess.js';
import { envoyHost, healthyIn, liveOf, socket } from '../../test/fixtures/proxiedRegion.js';
import type { EnvoyHost } from '../../test/fixtures/proxiedRegion.js';
import { serviceSpec, shopRegion } from '../../test/fixtures/regionSpec.js';

export interface Edges {
  region: RegionSpec;
  /** Sends so many requests to every service through every proxy, with latencies over two decades. */
  traffic(requests: number): Promise<void>;
  stop(): Promise<void>;
}

const INSTANCES = 4;
const LATENCIES_MS = [0, 1, 2, 5, 9, 20, 40, 70, 100];

/** Real proxies of one region in front of real servers: `services` clusters with four endpoints each at every one. */
export async function startEdges(proxies: number, services: number): Promise<Edges> {
  const instances = await Promise.all(Array.from({ length: INSTANCES }, (_, i) => startUpstream(`instance-${i}`)));
  const hosts: EnvoyHost[] = [];
  for (let i = 0; i < proxies; i += 1) hosts.push(await envoyHost(`edge-${i}`, await freePorts(3)));
  const region = regionOf(hosts, instances, services);
  const names = region.services.map(({ name }) => name);
  const open = { settings: { 'rateLimit.rps': 100_000, 'rateLimit.burst': 100_000 } };
  const live = liveOf(region, Object.fromEntries(names.map((name) => [name, open])));
  for (const { envoy, host } of hosts) {
    const files = render(live, region, host);
    // All of it in one file: each file that is watched takes an inotify instance, and a user has 128 of them.
    await envoy.move({ ...files, 'bootstrap.yaml': flatten(files) });
    await envoy.start(host.proxy.admin.port);
  }
  for (const host of hosts) await healthyIn(host, names.at(-1) ?? '', INSTANCES);
  return {
    region,
    traffic: async (requests) => {
      for (let sent = 0; sent < requests; sent += LATENCIES_MS.length) {
        for (const delayMs of LATENCIES_MS) {
          for (const instance of instances) instance.behaviour.delayMs = delayMs;
          await Promise.all(hosts.flatMap(({ host }) => names.map((name) => get(host.proxy.mesh.port, '/', name))));
        }
      }
    },
    stop: async () => {
      await Promise.all(hosts.map(({ envoy }) => envoy.stop()));
      await Promise.all(instances.map((instance) => instance.stop()));
    },
  };
}

function regionOf(hosts: readonly EnvoyHost[], instances: readonly Upstream[], services: number): RegionSpec {
  const names = Array.from({ length: services }, (_, i) => `service-${i}`);
  return shopRegion({
    delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts: hosts.map(({ host }) => host) },
    services: names.map((name, i) =>
      serviceSpec({
        name,
        ...(i === 0 ? { entry: { pathPrefix: '/' } } : {}),
        endpoints: instances.map(({ port }) => socket(port)),
        minInstances: INSTANCES,
      }),
    ),
    graph: { edges: names.slice(1).map((callee) => ({ caller: 'service-0', callee, callsPerRequest: 1 })) },
    neighbours: [],
  });
}
