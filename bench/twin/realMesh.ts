import type { LiveMesh } from '../../core/spec/live.js';
import type { RegionSpec, SocketSpec } from '../../core/spec/region.js';
import type { ServiceSettings } from '../../core/spec/settings.js';
import { freePortRange } from '../../testbed/ports.js';
import { deriveSeed } from '../../testbed/random.js';
import { envoyHost, healthyIn, liveOf, socket, startHost } from '../../test/fixtures/proxiedRegion.js';
import type { Change, EnvoyHost } from '../../test/fixtures/proxiedRegion.js';
import { serviceSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { startApps } from './apps.js';
import type { Apps, AppsConfig } from './apps.js';
import type { SetUp, SetUpService } from './setUps.js';

const PORTS_A_PROXY = 3;
/** Nothing waits in vain: what is let in is answered. */
const MOST_QUEUED = 100_000;

/** Where things of a set-up listen. */
export interface Placed {
  region: RegionSpec;
  /** Sockets of the instances themselves, by service. */
  apps: Readonly<Record<string, readonly SocketSpec[]>>;
  ingress: readonly SocketSpec[];
  mesh: readonly SocketSpec[];
}

/** Sample services that go on while the Envoys before them are started anew for each measurement. */
export interface RealMesh extends Placed {
  utilisation: Apps['utilisation'];
  /** Fresh Envoys, once nobody is at work any more. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface MeshOptions {
  seed: number;
  /** Alone: no service calls another, none fails, and settings are these instead of the set-up's. */
  alone?: Partial<ServiceSettings>;
}

export async function startRealMesh(setUp: SetUp, { seed, alone }: MeshOptions): Promise<RealMesh> {
  const count = setUp.services.reduce((sum, one) => sum + 2 * one.instances, PORTS_A_PROXY * setUp.proxies);
  const first = await freePortRange(count);
  let hosts = await hostsOf(setUp, first);
  const placed = placedOf(setUp, first, hosts);
  const apps = await startApps(appsOf(setUp, placed, { seed, ...(alone === undefined ? {} : { alone }) }));
  const live = liveSetUp(setUp, placed.region, alone);
  const stopEnvoys = async (): Promise<void> => {
    await Promise.all(hosts.map(({ envoy }) => envoy.stop()));
  };
  return {
    ...placed,
    utilisation: apps.utilisation,
    restart: async () => {
      await stopEnvoys();
      await apps.idle();
      hosts = await hostsOf(setUp, first);
      const { region } = placedOf(setUp, first, hosts);
      await Promise.all(hosts.map((one) => startHost(one, live, region)));
      for (const host of hosts) for (const one of setUp.services) await healthyIn(host, one.name, one.instances);
    },
    stop: async () => {
      await stopEnvoys();
      await apps.stop();
    },
  };
}

/** The settings as planned for the set-up's capacity, with what it states of its own. */
export function liveSetUp(setUp: SetUp, region: RegionSpec, alone?: Partial<ServiceSettings>): LiveMesh {
  const changes = setUp.services.map(({ name, settings }): [string, Change] => [name, { settings: alone ?? settings }]);
  return liveOf(region, Object.fromEntries(changes));
}

async function hostsOf(setUp: SetUp, first: number): Promise<EnvoyHost[]> {
  const { doors, apps } = portsOf(setUp, first);
  const inbound = setUp.services.flatMap(({ name, behindInbound }) =>
    behindInbound !== true
      ? []
      : (doors[name] ?? []).map((door, i) => ({ service: name, socket: door, app: apps[name]?.[i] ?? door })),
  );
  const names = Array.from({ length: setUp.proxies }, (_, i) => `edge-${i + 1}`);
  return Promise.all(
    names.map((name, i) => {
      const from = first + PORTS_A_PROXY * i;
      return envoyHost(name, [from, from + 1, from + 2], i === 0 ? inbound : []);
    }),
  );
}

function portsOf(setUp: SetUp, first: number): Record<'doors' | 'apps', Record<string, SocketSpec[]>> {
  let next = first + PORTS_A_PROXY * setUp.proxies;
  const take = (): Record<string, SocketSpec[]> =>
    Object.fromEntries(
      setUp.services.map(({ name, instances }) => [name, Array.from({ length: instances }, () => socket(next++))]),
    );
  return { doors: take(), apps: take() };
}

export function placedOf(setUp: SetUp, first: number, hosts: readonly Pick<EnvoyHost, 'host'>[]): Placed {
  const { doors, apps } = portsOf(setUp, first);
  const region = shopRegion({
    delivery: { tool: 'ansible', hostWaitSeconds: 1, hosts: hosts.map(({ host }) => host) },
    services: setUp.services.map((one, i) =>
      serviceSpec({
        name: one.name,
        ...(i === 0 ? { entry: { pathPrefix: '/' } } : {}),
        ...(one.idempotent === true ? { idempotent: true } : {}),
        endpoints: (one.behindInbound === true ? doors : apps)[one.name] ?? [],
        minInstances: one.instances,
        capacity: { concurrency: one.workers, serviceTimeMs: one.meanMs, startupSeconds: 1 },
        slo: { p99Ms: setUp.deadlineMs, maxErrorRate: 0.01 },
      }),
    ),
    graph: {
      edges: setUp.services.slice(1).map(({ name }, i) => {
        return { caller: setUp.services[i]?.name ?? '', callee: name, callsPerRequest: 1 };
      }),
    },
    neighbours: [],
  });
  return {
    region,
    apps,
    ingress: hosts.map(({ host }) => host.proxy.ingress),
    mesh: hosts.map(({ host }) => host.proxy.mesh),
  };
}

function appsOf(setUp: SetUp, { apps, mesh }: Placed, { seed, alone }: MeshOptions): AppsConfig {
  const [firstMesh = socket(0)] = mesh;
  const calleeOf = (one: SetUpService): string | undefined => setUp.services[setUp.services.indexOf(one) + 1]?.name;
  return {
    instances: setUp.services.flatMap((one) =>
      (apps[one.name] ?? []).map((listens, i) => {
        const callee = alone === undefined ? calleeOf(one) : undefined;
        const options = {
          service: one.name,
          region: 'north',
          instance: `${one.name}-${i}`,
          socket: listens,
          healthPath: '/healthz',
          concurrency: one.workers,
          serviceTimeMs: one.meanMs,
          distribution: one.distribution,
          seed: deriveSeed(seed, `${one.name} ${i}`),
          startupSeconds: 0,
          maxQueue: MOST_QUEUED,
          callees: callee === undefined ? [] : [{ service: callee, callsPerRequest: 1 }],
          mesh: firstMesh,
          drainMs: 0,
        };
        return { options, failRate: alone === undefined ? (one.failRate ?? 0) : 0 };
      }),
    ),
  };
}
