import { EdgeAdmission } from '../../tuning/bandit/edgeAdmission.js';
import type { AdmissionFactory, InstanceView } from '../control.js';
import type { Knowledge, KnownService } from './knowledge.js';

/** Part of a reading that is believed at once. */
const BELIEVED = 0.3;
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

  /** By the utilisation law: busy worker time over requests answered is what one took. `factor`: of what is reckoned. */
  see(views: readonly InstanceView[], intervalMs: number, factor: (service: string) => number): void {
    this.knowledge.services.forEach((service, s) => {
      const ready = views.filter(
        (one) => one.service === service.name && one.region === this.knowledge.own && one.state === 'ready',
      );
      const answered = ready.reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0);
      const busyMs = ready.reduce((sum, { utilisation }) => sum + utilisation * service.workers * intervalMs, 0);
      if (answered >= FEWEST_ANSWERED) {
        this.workMs[s] = (1 - BELIEVED) * this.workMs[s]! + BELIEVED * (busyMs / answered);
      }
      this.admission.measured(s, ready.length * service.workers * factor(service.name), this.workMs[s]!);
    });
  }
}

function readyWorkers({ place, workers }: KnownService): number {
  return workers * place.instances.filter(({ state }) => state !== 'starting').length;
}
