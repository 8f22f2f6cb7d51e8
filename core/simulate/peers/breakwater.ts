import type { AdmissionFactory, InstanceView, ProxyView, TwinView } from '../control.js';
import type { TwinModel } from '../model.js';
import type { PolicyInput, PolicyParams, PolicyRun, TwinPolicy } from '../policy.js';
import { istioModel, ownRegion } from './istioModel.js';
import { param } from '../policy.js';
import { deadlineByService } from './serving.js';

/** Credits that one client may hold at one server. */
const MOST_PER_CLIENT = 64;
/** A queue of so many target delays drops what arrives. */
const DROP_OVER_TARGET = 2;
/** No step takes away more than this share. */
const LEAST_FACTOR = 0.5;

/**
 * A Breakwater-like credit scheme: each instance keeps a pool of credits by its queueing delay (one more while it is
 * below the target, a share less above), the region's proxies send a request only on a credit, and an instance whose
 * queue is beyond twice the target drops what arrives.
 */
export const breakwater: TwinPolicy = {
  name: 'breakwater',
  source: 'Breakwater (OSDI 2020), sections 4.1–4.4: α 0.1 %, β 2 %, target 40 % of the SLO, drops at twice the target',
  grid: [
    set({}),
    set({ targetShare: 0.2 }),
    set({ targetShare: 0.1 }),
    set({ targetShare: 0.1, beta: 0.1 }),
    set({ targetShare: 0.2, beta: 0.1 }),
    set({ intervalMs: 10, targetShare: 0.1 }),
  ],
  create: ({ model, params }: PolicyInput): PolicyRun => {
    const credits = new Credits(model, params);
    return {
      model: istioModel(model, () => ({ place: { retryOn: ['connect'] } })),
      control: { intervalMs: param(params, 'intervalMs'), onTick: (view) => credits.update(view) },
      admission: credits.factory(),
    };
  },
};

/** `intervalMs`: a round trip, by which pools are updated. `targetShare`: of the shortest deadline that rests on the service. */
function set(change: PolicyParams): PolicyParams {
  return { intervalMs: 20, targetShare: 0.4, alpha: 0.001, beta: 0.02, ...change };
}

interface Server {
  service: string;
  instance: number;
  workers: number;
  credits: number;
  delayMs: number;
  ready: boolean;
}

class Credits {
  private readonly own: string;
  private readonly params: PolicyParams;
  private readonly clients: number;
  private readonly targets: ReadonlyMap<string, number>;
  private readonly servers = new Map<string, Server[]>();
  /** By service: what each proxy may have in flight. */
  private readonly held = new Map<string, number[]>();

  constructor(model: TwinModel, params: PolicyParams) {
    this.own = ownRegion(model);
    this.params = params;
    this.clients = model.regions[0]?.proxies ?? 1;
    this.targets = deadlineByService(model);
    for (const service of model.services) {
      const place = service.places[this.own];
      if (place === undefined) continue;
      const { instances } = place;
      const most = Math.max(instances.length, place.maxInstances ?? 0);
      const servers = Array.from({ length: most }, (_, i): Server => {
        const workers = (instances[i] ?? instances.at(-1))?.workers ?? 1;
        const ready = i < instances.length && instances[i]!.state !== 'starting';
        return { service: service.name, instance: i, workers, credits: workers, delayMs: 0, ready };
      });
      this.servers.set(service.name, servers);
      this.grant(service.name, []);
    }
  }

  update({ instances, proxies }: TwinView): [] {
    for (const one of instances) if (one.region === this.own) this.updateServer(one);
    for (const service of this.servers.keys()) {
      this.grant(
        service,
        proxies.filter((one) => one.service === service),
      );
    }
    return [];
  }

  private updateServer(seen: InstanceView): void {
    const server = this.servers.get(seen.service)?.[seen.instance];
    if (server === undefined) return;
    server.ready = seen.state === 'ready';
    // Nobody was taken from the queue: the wait goes on.
    server.delayMs = seen.queuedMostMs > 0 || seen.queued === 0 ? seen.queuedMostMs : server.delayMs;
    const target = this.targetOf(seen.service);
    const beyond = (server.delayMs - target) / target;
    const next =
      beyond < 0
        ? server.credits + Math.max(1, Math.floor(param(this.params, 'alpha') * this.clients))
        : Math.floor(server.credits * Math.max(1 - param(this.params, 'beta') * beyond, LEAST_FACTOR));
    server.credits = Math.max(server.workers, Math.min(next, MOST_PER_CLIENT * this.clients));
  }

  private targetOf(service: string): number {
    return param(this.params, 'targetShare') * (this.targets.get(service) ?? 1000);
  }

  /** By demand: what a proxy holds and asked for; one at least, so that a proxy that was silent may begin. */
  private grant(service: string, views: readonly ProxyView[]): void {
    let pool = 0;
    for (const { ready, credits } of this.servers.get(service)!) if (ready) pool += credits;
    const demands = Array.from({ length: this.clients }, (_, proxy) => {
      const view = views.find((one) => one.proxy === proxy);
      return view === undefined ? 0 : view.offered + view.inFlight;
    });
    const sum = demands.reduce((all, one) => all + one, 0);
    const shares = demands.map((demand) => (sum > 0 ? (pool * demand) / sum : pool / this.clients));
    this.held.set(
      service,
      shares.map((share) => Math.max(1, Math.round(share))),
    );
  }

  factory(): AdmissionFactory {
    const onResponse = (): void => undefined;
    return ({ side, region, service, proxy, instance }) => {
      if (region !== this.own || side === 'entry') return undefined;
      if (side === 'client') {
        return { onRequest: ({ inFlight }) => inFlight < this.held.get(service)![proxy]!, onResponse };
      }
      const server = this.servers.get(service)![instance]!;
      const most = DROP_OVER_TARGET * this.targetOf(service);
      return { onRequest: () => server.delayMs < most, onResponse };
    };
  }
}
