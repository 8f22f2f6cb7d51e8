import { OVERPROVISIONING } from '../../plan/limits.js';
import { EdgeAdmission } from '../../tuning/bandit/edgeAdmission.js';
import type { AdmissionFactory, InstanceView } from '../control.js';
import { reachOf, visitsOf } from './knowledge.js';
import type { Knowledge, KnownService } from './knowledge.js';
import { readyHere } from './reading.js';

/** Part of a reading that is believed at once. */
const BELIEVED = 0.3;
/** Requests in an interval that tell how long one takes. */
const FEWEST_ANSWERED = 10;

/** Shadow-price admission where users enter our own region, told by the tick what its services can do. */
export class Edge {
  private readonly knowledge: Knowledge;
  private readonly admission: EdgeAdmission;
  /** What one request was seen to take, ms, by service and instance. */
  private readonly workMs: Map<number, number>[];

  constructor(knowledge: Knowledge, slackShare: number) {
    this.knowledge = knowledge;
    const { services, model } = knowledge;
    this.workMs = services.map(() => new Map<number, number>());
    this.admission = new EdgeAdmission(
      services.map((one) => ({
        name: one.name,
        workers: readyWorkers(one),
        workMs: one.workMs,
        slackMs: Number.isFinite(one.deadlineMs) ? slackShare * one.deadlineMs : 1000,
      })),
      model.entries.map(({ value }, e) => ({ value, visits: services.map(({ visits }) => visits[e]!) })),
    );
  }

  get factory(): AdmissionFactory {
    return ({ side, region }) => {
      if (side !== 'entry' || region !== this.knowledge.own) return undefined;
      return { onRequest: ({ entry, nowMs }) => this.admission.admits(entry, nowMs), onResponse: () => undefined };
    };
  }

  /** Turned away at the edge since this was last asked, by the service that had no room. */
  takeRefused(): ReadonlyMap<string, number> {
    return new Map(this.knowledge.services.map(({ name }, s) => [name, this.admission.takeRefused(s)]));
  }

  /**
   * By the utilisation law, instance by instance: busy worker time over requests answered is what one took. Of all
   * together a slow instance that is busy would make it look as if the others, which idle, were as slow.
   *
   * @param margin what is let in, of what is reckoned to be possible
   * @param stays of a service's requests, what is to be answered here, 0–1
   */
  see(
    views: readonly InstanceView[],
    intervalMs: number,
    margin: (service: string) => number,
    stays: (service: string) => number,
  ): void {
    this.route(views, stays);
    this.knowledge.services.forEach((service, s) => {
      const ready = readyHere(views, this.knowledge, service);
      let perWorker = 0;
      for (const one of ready) perWorker += 1 / this.workOf(s, service, one, intervalMs);
      const workMs = ready.length === 0 ? service.workMs : ready.length / perWorker;
      this.admission.measured(s, ready.length * service.workers * margin(service.name), workMs);
    });
  }

  private workOf(s: number, { workers, workMs }: KnownService, one: InstanceView, intervalMs: number): number {
    const known = this.workMs[s]!.get(one.instance) ?? workMs;
    const answered = one.succeeded + one.failed;
    const seen = answered > 0 ? (one.utilisation * workers * intervalMs) / answered : known;
    // Of few requests less is believed.
    const believed = BELIEVED * Math.min(1, answered / FEWEST_ANSWERED);
    const work = Math.max(1e-3, (1 - believed) * known + believed * seen);
    this.workMs[s]!.set(one.instance, work);
    return work;
  }

  /** What goes elsewhere, calls and all, takes nothing here: a service that is lost at home is not closed. */
  private route(views: readonly InstanceView[], stays: (service: string) => number): void {
    const { services, model } = this.knowledge;
    const kept = new Map(services.map((one) => [one.name, this.keptOf(one, views, stays(one.name))]));
    this.admission.routed(
      model.entries.map(({ name, service: first }) => {
        const stay = (service: string): number => kept.get(service) ?? 1;
        const [visits, reach] = [visitsOf(model, name, first, stay), reachOf(model, name, first, stay)];
        const inOrder = (of: ReadonlyMap<string, number>): number[] => services.map((one) => of.get(one.name) ?? 0);
        return { visits: inOrder(visits), reach: inOrder(reach) };
      }),
    );
  }

  private keptOf(service: KnownService, views: readonly InstanceView[], stays: number): number {
    const { own } = this.knowledge;
    const others = standingBy(service, own, stays);
    let [ready, listed, away] = [0, 0, 0];
    for (const { service: name, region, state } of views) {
      if (name !== service.name || state === 'off') continue;
      if (region === own) {
        listed++;
        if (state === 'ready') ready++;
      } else if (state === 'ready' && others(region)) away++;
    }
    return away === 0 ? 1 : stays * Math.min(1, (OVERPROVISIONING * ready) / Math.max(1, listed));
  }
}

/** Those of other regions where our proxies look for the service when none of our own will do. */
function standingBy({ place }: KnownService, own: string, stays: number): (region: string) => boolean {
  const named = new Set([...(place.failover ?? []), ...Object.keys(place.weights)]);
  return (region) => region !== own && (stays < 1 || named.has(region));
}

function readyWorkers({ place, workers }: KnownService): number {
  return workers * place.instances.filter(({ state }) => state !== 'starting').length;
}
