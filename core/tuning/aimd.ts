import { doubt } from './doubt.js';
import { guard } from './guards.js';
import { BUSY_FROM, IDLE_BELOW, observed, serviceLoad, strugglingCallees } from './load.js';
import type { ServiceLoad } from './load.js';
import type { ServiceObservation } from '../spec/observation.js';
import type { Change, Consideration, Proposal, ServiceContext, TunedField, TuningContext } from './types.js';

/** Additive increase: this share of the planned value, whatever the value is now. */
const RAISE_SHARE_OF_PLAN = 0.05;
/** Multiplicative decrease; the step guard may shorten it. */
const LOWER_FACTOR = 0.9;

/** A change the numbers ask for, with how badly, and why. */
interface Wish {
  change: Change;
  urgency: number;
  reason: string;
}

/** At most one bounded change of one setting this tick, or `null`. */
export function proposeAdjustment(context: TuningContext): Proposal | null {
  return considerAdjustments(context).proposal;
}

/**
 * Guarded AIMD on rate and concurrency limits. A limit that refuses requests while latency and errors are inside the
 * SLO and ready capacity idles is raised by a fixed step; when a service is outside its SLO and is itself the
 * bottleneck, a limit is lowered by a fixed share. Relief of an overloaded service comes before raising anything.
 */
export function considerAdjustments(context: TuningContext): Consideration {
  const wishes = [...byUrgency(lowerWishes(context)), ...byUrgency(raiseWishes(context))];
  const refusals: { address: string | null; guard: string; reason: string }[] = [];
  for (const wish of wishes) {
    const address = `${wish.change.service}.${wish.change.field}`;
    const guarded = guard(wish.change, context);
    if (guarded.ok) return { proposal: propose(address, guarded.change, wish.reason, context), refusals };
    refusals.push({ address, guard: guarded.guard, reason: guarded.reason });
  }
  if (wishes.length === 0) refusals.push({ address: null, ...whyNothing(context) });
  return { proposal: null, refusals };
}

/** That nothing was seen is not that there is nothing to do. */
function whyNothing({ observation, services }: TuningContext): { guard: string; reason: string } {
  const doubted = doubt(
    observation,
    services.map(({ plan }) => plan.service),
  );
  return doubted === null
    ? { guard: 'nothing-to-do', reason: 'no limit binds and no service is outside its SLO' }
    : { guard: 'evidence', reason: doubted };
}

function propose(address: string, change: Change, why: string, context: TuningContext): Proposal {
  const direction = change.to > change.from ? 'raise' : 'lower';
  const done = direction === 'raise' ? 'raised' : 'lowered';
  const reason = `${why}: ${address} ${done} from ${change.from} to ${change.to} per proxy`;
  return { ...change, address, direction, reason, planHash: context.planHash };
}

function byUrgency(wishes: readonly Wish[]): readonly Wish[] {
  const name = (wish: Wish): string => `${wish.change.service}.${wish.change.field}`;
  return [...wishes].sort((a, b) => b.urgency - a.urgency || name(a).localeCompare(name(b)));
}

function lowerWishes(context: TuningContext): readonly Wish[] {
  return context.services.flatMap((service) => {
    const seen = observed(context, service.plan.service);
    if (seen === undefined) return [];
    const load = serviceLoad(context.observation.region, service, seen);
    if (!load.p99OverSlo && !load.errorsOverSlo) return [];
    if (load.busyFraction < BUSY_FROM || strugglingCallees(context, service).length > 0) return [];
    const urgency = Math.max((seen.p99Ms ?? 0) / service.slo.p99Ms, load.errorsOverSlo ? 2 : 0);
    const reason = `${service.plan.service} is outside its SLO (${facts(service, seen, load)}) and is itself the bottleneck`;
    // The concurrency limit cuts the queue directly and refuses only what would wait; so it comes first.
    return (['breaker.maxRequests', 'rateLimit.rps'] as const).map((field, index) => {
      const from = service.live[field];
      return {
        change: { service: service.plan.service, field, from, to: from * LOWER_FACTOR },
        urgency: urgency - index * 1e-6,
        reason,
      };
    });
  });
}

function raiseWishes(context: TuningContext): readonly Wish[] {
  return context.services.flatMap((service) => {
    const seen = observed(context, service.plan.service);
    if (seen === undefined) return [];
    const load = serviceLoad(context.observation.region, service, seen);
    const insideSlo = seen.p99Ms !== null && !load.p99OverSlo && !load.errorsOverSlo;
    if (!insideSlo || load.busyFraction >= IDLE_BELOW) return [];
    if (strugglingCallees(context, service).length > 0) return [];
    return [
      ...raise(service, seen, load, 'rateLimit.rps', seen.errors.rateLimited, 'its rate limit'),
      ...raise(service, seen, load, 'breaker.maxRequests', seen.errors.breaker, 'its concurrency limit'),
    ];
  });
}

function raise(
  service: ServiceContext,
  seen: ServiceObservation,
  load: ServiceLoad,
  field: TunedField,
  refused: number,
  limit: string,
): readonly Wish[] {
  if (refused <= 0) return [];
  const from = service.live[field];
  const planned = service.plan.settings[field].value;
  const name = service.plan.service;
  const step = Math.max(field === 'breaker.maxRequests' ? 1 : 0, planned * RAISE_SHARE_OF_PLAN);
  const reason = `${limit} refused ${refused} of ${seen.requests} requests to ${name} while it is inside its SLO (${facts(service, seen, load)}) and ready capacity idles`;
  return [{ change: { service: name, field, from, to: from + step }, urgency: refused / seen.requests, reason }];
}

function facts(service: ServiceContext, seen: ServiceObservation, load: ServiceLoad): string {
  const p99 = seen.p99Ms === null ? 'p99 unknown' : `p99 ${seen.p99Ms.toFixed(0)} ms, SLO ${service.slo.p99Ms} ms`;
  const rate = load.answered === 0 ? 0 : (load.genuineErrors / load.answered) * 100;
  const allowed = service.slo.maxErrorRate * 100;
  return `${p99}; errors ${rate.toFixed(2)} %, allowed ${allowed.toFixed(2)} %; ${(load.busyFraction * 100).toFixed(0)} % busy`;
}
