import type { ServiceObservation } from '../spec/observation.js';
import type { ServiceContext, TuningContext } from './types.js';
import { wilsonLowerBound } from './wilson.js';

/** The busier of the two readings of capacity, 0–1 and above: work in progress, and rate against planned rate. */
export const IDLE_BELOW = 0.8;
/** Below this the instances have time to spare, and slowness has another cause than their load. */
export const BUSY_FROM = 0.5;

export interface ServiceLoad {
  /** Requests per second that the rate limit let through, in the whole region. */
  admittedRps: number;
  /** Share of the ready instances' capacity in use. */
  busyFraction: number;
  /** Requests answered, refusals of the rate limit left out. */
  answered: number;
  /** Errors that the service or the way to it made; refusals of our own limits left out. */
  genuineErrors: number;
  p99OverSlo: boolean;
  /** Genuine errors above the SLO beyond chance. */
  errorsOverSlo: boolean;
}

/** What a service's window says about its load. `region` is the one whose instances we limit. */
export function serviceLoad(region: string, context: ServiceContext, seen: ServiceObservation): ServiceLoad {
  const answered = Math.max(0, seen.requests - seen.errors.rateLimited);
  const admittedRps = seen.windowSeconds > 0 ? answered / seen.windowSeconds : 0;
  const localRps = admittedRps * (seen.shareByRegion[region] ?? 1);
  // Unknown instances idle nowhere; a guard refuses every change while they are.
  const ready = seen.readyInstances ?? 0;
  const slots = ready * context.capacity.concurrency;
  const working = Math.max(seen.active * (seen.shareByRegion[region] ?? 1), localRps * workSeconds(context, seen));
  const ratedRps = ready * context.plan.perInstanceRps;
  const failures = Math.round((seen.errorRate ?? 0) * answered);
  const genuineErrors = Math.min(answered, Math.max(0, failures - seen.errors.breaker));
  return {
    admittedRps,
    busyFraction: slots === 0 || ratedRps === 0 ? Infinity : Math.max(working / slots, localRps / ratedRps),
    answered,
    genuineErrors,
    p99OverSlo: seen.p99Ms !== null && seen.p99Ms > context.slo.p99Ms,
    errorsOverSlo: wilsonLowerBound(genuineErrors, answered) > context.slo.maxErrorRate,
  };
}

/** Seconds that a request stays in the service: calls to others are included, and hold its slot. */
function workSeconds(context: ServiceContext, seen: ServiceObservation): number {
  const planned = context.capacity.serviceTimeMs;
  return Math.max(planned, Math.min(seen.p50Ms ?? planned, context.slo.p99Ms)) / 1000;
}

export function observed(context: TuningContext, service: string): ServiceObservation | undefined {
  return context.observation.services.find((s) => s.service === service);
}

export function serviceContext(context: TuningContext, service: string): ServiceContext | undefined {
  return context.services.find((s) => s.plan.service === service);
}

/** Callees that are planned here, and so have to be observed. */
export function plannedCallees(service: string, services: readonly ServiceContext[]): readonly string[] {
  const callees = services.find((s) => s.plan.service === service)?.callees ?? [];
  return callees.filter((name) => services.some((s) => s.plan.service === name));
}

/** Callees that are outside their own SLO: then the caller's slowness is theirs. */
export function strugglingCallees(context: TuningContext, service: ServiceContext): readonly string[] {
  return service.callees.filter((name) => {
    const callee = serviceContext(context, name);
    const seen = observed(context, name);
    if (callee === undefined || seen === undefined) return false;
    const load = serviceLoad(context.observation.region, callee, seen);
    return load.p99OverSlo || load.errorsOverSlo;
  });
}
