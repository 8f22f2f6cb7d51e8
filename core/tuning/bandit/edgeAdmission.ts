/**
 * The fast loop: overload does not wait for a tick. At the edge a request is let in while it is worth more than what it
 * takes from others on its way. Each service has a virtual queue: what was let in and is not worked off yet if its
 * workers do what they were last seen to do. The longer it is, the dearer the service: at a wait of `slackMs` it costs
 * as much as the request that is worth the most for its work, and nobody is let in; the fourth power keeps short
 * queues, of which every service has one, from adding up to a price on a long way. (Drift plus penalty, Neely 2010.)
 */
export interface EdgeService {
  name: string;
  /** Requests worked on at a time by all ready instances. */
  workers: number;
  /** Mean work of one request, ms. */
  workMs: number;
  /** Wait at which it costs the most that anybody would pay, ms. */
  slackMs: number;
}

export interface EdgeRoute {
  /** Currency of one request answered in time. */
  value: number;
  /** Requests to each service, in the order of the services, for one of this route. */
  visits: readonly number[];
  /** Share of this route's requests that need the service here at all, 0–1. Absent: visits, at most 1. */
  reach?: readonly number[];
}

/** Slower than this a service is not thought to be, whatever was read: it would be shut for good. */
const LEAST_WORKERS = 0.1;
/** Of the slack. More is not waited for: the service's own limits refuse it. */
const MOST_BACKLOG = 2;

export class EdgeAdmission {
  private routes: readonly EdgeRoute[];
  private readonly slackMs: Float64Array;
  /** Work that is let in and not done, worker-ms. */
  private readonly backlog: Float64Array;
  /** Worker-ms per ms. */
  private readonly rate: Float64Array;
  private readonly workMs: Float64Array;
  /** Currency per worker-ms that the best route pays. */
  private readonly density: Float64Array;
  /** Turned away since the last look, by the service that was the dearest on the way. */
  private readonly refused: Float64Array;
  private lastMs = 0;

  constructor(services: readonly EdgeService[], routes: readonly EdgeRoute[]) {
    this.routes = routes;
    this.slackMs = Float64Array.from(services, ({ slackMs }) => slackMs);
    this.backlog = new Float64Array(services.length);
    this.rate = Float64Array.from(services, ({ workers }) => Math.max(LEAST_WORKERS, workers));
    this.workMs = Float64Array.from(services, ({ workMs }) => workMs);
    this.density = new Float64Array(services.length);
    this.refused = new Float64Array(services.length);
    this.reprice();
  }

  /** What was seen: ready workers, and the work of one request, ms. */
  measured(service: number, workers: number, workMs: number): void {
    this.rate[service] = Math.max(LEAST_WORKERS, workers);
    this.workMs[service] = workMs;
    this.reprice();
  }

  /** Where requests of each route go has changed; in the order of the routes. */
  routed(ways: readonly Required<Pick<EdgeRoute, 'visits' | 'reach'>>[]): void {
    this.routes = this.routes.map((route, r) => ({ ...route, ...ways[r] }));
    this.reprice();
  }

  /** One that comes now: whether it is let in. */
  admits(route: number, nowMs: number): boolean {
    this.drain(nowMs);
    const { value, visits } = this.routes[route]!;
    if (value < this.priceOf(this.routes[route]!)) {
      this.refused[this.fullest(visits)]!++;
      return false;
    }
    for (let s = 0; s < visits.length; s++) {
      const most = MOST_BACKLOG * this.slackMs[s]! * this.rate[s]!;
      const added = this.backlog[s]! + visits[s]! * this.workMs[s]!;
      this.backlog[s] = Math.max(this.backlog[s]!, Math.min(most, added));
    }
    return true;
  }

  /** Requests turned away because of a service since this was last asked. */
  takeRefused(service: number): number {
    const count = this.refused[service]!;
    this.refused[service] = 0;
    return count;
  }

  /** Currency that one more request of the route costs others. */
  price(route: number, nowMs: number): number {
    this.drain(nowMs);
    return this.priceOf(this.routes[route]!);
  }

  private fullest(visits: readonly number[]): number {
    let [best, most] = [0, -1];
    for (let s = 0; s < visits.length; s++) {
      const full = visits[s] === 0 ? -1 : this.backlog[s]! / this.rate[s]! / this.slackMs[s]!;
      if (full > most) [best, most] = [s, full];
    }
    return best;
  }

  /** Of a service that only some requests of the route need here, what the others are worth is not at stake. */
  private priceOf({ value, visits, reach }: EdgeRoute): number {
    let price = 0;
    for (let s = 0; s < visits.length; s++) {
      if (visits[s] === 0) continue;
      const full = this.backlog[s]! / this.rate[s]! / this.slackMs[s]!;
      const needed = reach?.[s] ?? Math.min(1, visits[s]!);
      const most = needed < 1 ? needed * value : Infinity;
      price += Math.min(most, visits[s]! * this.workMs[s]! * this.density[s]! * full ** 4);
    }
    return price;
  }

  private drain(nowMs: number): void {
    const passed = nowMs - this.lastMs;
    if (passed <= 0) return;
    this.lastMs = nowMs;
    for (let s = 0; s < this.backlog.length; s++) {
      this.backlog[s] = Math.max(0, this.backlog[s]! - passed * this.rate[s]!);
    }
  }

  private reprice(): void {
    for (let s = 0; s < this.density.length; s++) {
      let most = 0;
      for (const { value, visits } of this.routes) {
        if (visits[s]! > 0) most = Math.max(most, value / (visits[s]! * this.workMs[s]!));
      }
      this.density[s] = most;
    }
  }
}
