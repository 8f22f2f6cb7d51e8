import { EdgeAdmission } from '../../tuning/bandit/edgeAdmission.js';
import type { AdmissionFactory, InstanceView } from '../control.js';
import type { Knowledge, KnownService } from './knowledge.js';

/** Part of a reading that is believed at once. */
const BELIEVED = 0.3;
/** Envoy's overprovisioning: so much below this share of healthy endpoints is what goes to those that stand by. */
const OVERPROVISIONING = 1.4;
/** Fewer requests in an interval tell nothing of how long one takes. */
const FEWEST_ANSWERED = 20;

/** Shadow-price admission where users enter our own region, told by the tick what its services can do. */
export class Edge {
  private readonly knowledge: Knowledge;
  private readonly admission: EdgeAdmission;
  private readonly workMs: number[];

  constructor(knowledge: Knowledge, slackShare: number) {
    this.knowledge = knowledge;
    const { services, model } = knowledge;
    this.workMs = services.map(({ workMs }) => workMs);
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
   * By the utilisation law: busy worker time over requests answered is what one took.
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
    this.knowledge.services.forEach((service, s) => {
      const ready = views.filter(
        (one) => one.service === service.name && one.region === this.knowledge.own && one.state === 'ready',
      );
      const answered = ready.reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0);
      const busyMs = ready.reduce((sum, { utilisation }) => sum + utilisation * service.workers * intervalMs, 0);
      if (answered >= FEWEST_ANSWERED) {
        this.workMs[s] = (1 - BELIEVED) * this.workMs[s]! + BELIEVED * (busyMs / answered);
      }
      const workers = this.workersFor(service, views, stays(service.name));
      this.admission.measured(s, workers * margin(service.name), this.workMs[s]!);
    });
  }

  /** All that work for it, here and where what finds nobody here goes: a service that is lost at home is not closed. */
  private workersFor(service: KnownService, views: readonly InstanceView[], stays: number): number {
    const { own, model } = this.knowledge;
    const places = model.services[service.index]!.places;
    const others = standingBy(service, own, stays);
    let [ready, listed, away] = [0, 0, 0];
    for (const one of views) {
      if (one.service !== service.name || one.state === 'off') continue;
      if (one.region === own) {
        listed++;
        if (one.state === 'ready') ready++;
      } else if (one.state === 'ready' && others(one.region)) away += places[one.region]?.instances[0]?.workers ?? 0;
    }
    const here = ready * service.workers;
    if (away === 0) return here;
    const kept = stays * Math.min(1, (OVERPROVISIONING * ready) / Math.max(1, listed));
    if (kept >= 1) return here;
    return kept <= 0 ? away : Math.min(here / kept, away / (1 - kept));
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
