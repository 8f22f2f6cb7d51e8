import { autonomyOf, goesAsFarAs } from '../spec/autonomy.js';
import type { Autonomy } from '../spec/region.js';
import { SETTING_FIELDS } from '../spec/settings.js';
import { doubt, unmeasured } from './doubt.js';
import { observed, plannedCallees, serviceContext } from './load.js';
import type { AnsweredChange, AutonomyContext, Change, TuningContext } from './types.js';

/** A guard lets a change through, perhaps shortened (never lengthened, never turned round), or refuses it. */
export type GuardResult = { ok: true; to: number } | { ok: false; reason: string };
export type Guard = (change: Change, context: TuningContext) => GuardResult;

/** Nothing moves while a person has frozen the region. */
export function frozenGuard(change: Change, context: TuningContext): GuardResult {
  return context.frozen ? refuse('the region is frozen') : allow(change);
}

/** One adjustment at a time: the next waits for the verdict on the last. */
export function inFlightGuard(change: Change, context: TuningContext): GuardResult {
  const address = context.inFlight?.adjustment.address;
  return address === undefined ? allow(change) : refuse(`the adjustment of ${address} has no verdict yet`);
}

/** A partial, stale or contradicted picture is no ground for a change, nor is one that lacks what the change rests on. */
export function evidenceGuard(change: Change, context: TuningContext): GuardResult {
  const { observation, services } = context;
  const concerned = [change.service, ...plannedCallees(change.service, services)];
  const doubted = doubt(observation, concerned) ?? unmeasured(observation, concerned);
  if (doubted !== null) return refuse(doubted);
  const ready = observed(context, change.service)?.readyInstances ?? null;
  return ready === null ? refuse(`nobody knows how many instances of ${change.service} are ready`) : allow(change);
}

/** Too few requests say nothing. */
export function trafficGuard(change: Change, context: TuningContext): GuardResult {
  const requests = observed(context, change.service)?.requests ?? 0;
  const needed = context.operate.minRequestsPerTick;
  return requests >= needed ? allow(change) : refuse(`${requests} requests in the tick, ${needed} are needed`);
}

/** A person's value is not the policy's to move. */
export function overrideGuard(change: Change, context: TuningContext): GuardResult {
  const address = `${change.service}.${change.field}`;
  const override = context.overrides.find((o) => o.address === address);
  return override === undefined ? allow(change) : refuse(`${override.who} has set ${address} by hand`);
}

/** Trust low may raise, never lower; trust none applies nothing. No forecast for now counts as low. */
export function trustGuard(change: Change, context: TuningContext): GuardResult {
  const service = serviceContext(context, change.service);
  if (service === undefined) return refuse(`${change.service} is not in the plan`);
  if (service.trust === 'none') return refuse('the forecast has earned no trust');
  if (change.to > change.from) return allow(change);
  if (service.forecast === null) return refuse('the forecast does not reach this far, so nothing is lowered');
  return service.trust === 'low' ? refuse('trust in the forecast is low, so nothing is lowered') : allow(change);
}

/** No adjustment is longer than the region file's `maxStepFraction`. */
export function stepGuard(change: Change, context: TuningContext): GuardResult {
  const longest = Math.abs(change.from) * context.operate.maxStepFraction;
  const low = change.from - longest;
  const high = change.from + longest;
  return allow({ ...change, to: Math.min(high, Math.max(low, change.to)) });
}

/** Only the range that the plan's gates covered. */
export function boundsGuard(change: Change, context: TuningContext): GuardResult {
  const bounds = serviceContext(context, change.service)?.plan.bounds[change.field];
  if (bounds === undefined) return refuse(`the plan gives no range for ${change.service}.${change.field}`);
  const to = change.to > change.from ? Math.min(change.to, bounds.max) : Math.max(change.to, bounds.min);
  if (to < bounds.min || to > bounds.max) {
    return refuse(`${change.from} is outside the plan's range ${bounds.min}–${bounds.max} by more than one step`);
  }
  return allow({ ...change, to });
}

/**
 * Little's law, L = λ·W, is the floor of a lowered limit. Concurrency: the requests per second that come now, or are
 * forecast to, each in the service for its service time. Rate: the ready instances' slots, each request taking as long
 * as the SLO allows; below that rate slots would idle even then.
 */
export function littlesLawGuard(change: Change, context: TuningContext): GuardResult {
  if (change.to >= change.from) return allow(change);
  const service = serviceContext(context, change.service);
  const seen = observed(context, change.service);
  if (service === undefined || seen === undefined) return refuse(`${change.service} was not observed`);
  if (change.field === 'rateLimit.rps') {
    const slots = (seen.readyInstances ?? 0) * service.capacity.concurrency;
    return floor(change, slots / (service.slo.p99Ms / 1000) / context.proxies, "Little's law");
  }
  const admittedRps = seen.windowSeconds > 0 ? (seen.requests - seen.errors.rateLimited) / seen.windowSeconds : 0;
  const rps = Math.max(admittedRps, service.forecast?.p50 ?? 0);
  const typicalMs = Math.max(service.capacity.serviceTimeMs, Math.min(seen.p50Ms ?? 0, service.slo.p99Ms));
  return floor(change, (rps * typicalMs) / 1000 / context.proxies, "Little's law");
}

/** A rate limit is never lowered below the demand that is forecast for now. */
export function forecastFloorGuard(change: Change, context: TuningContext): GuardResult {
  if (change.to >= change.from || change.field !== 'rateLimit.rps') return allow(change);
  const forecast = serviceContext(context, change.service)?.forecast;
  if (forecast === undefined || forecast === null) return refuse('there is no forecast to stay above');
  return floor(change, forecast.p50 / context.proxies, 'the forecast demand');
}

/** Whole numbers where the setting counts things, hundredths elsewhere, rounded towards where it stands. */
export function roundingGuard(change: Change): GuardResult {
  const unit = SETTING_FIELDS[change.field].integer === true ? 1 : 0.01;
  const steps = change.to / unit;
  const towards = change.to > change.from ? Math.floor(steps + 1e-9) : Math.ceil(steps - 1e-9);
  const to = unit === 1 ? towards : Number((towards * unit).toFixed(2));
  return allow({ ...change, to });
}

/**
 * Only what the level of its service and class allows. A change that a person has approved may be made as far as they
 * approved it, from the value that they saw; one that they have rejected is not shown again while that value stands.
 */
export function autonomyGuard(change: Change, context: TuningContext): GuardResult {
  const { autonomy, planHash } = context;
  if (autonomy === undefined) return allow(change);
  const address = `${change.service}.${change.field}`;
  const level = effectiveLevel(autonomy, change);
  const answer = level === 'approve' ? answerTo(change, address, planHash, autonomy.answers) : undefined;
  if (answer?.answer === 'rejected')
    return refuse(`${answer.who} has rejected ${address} ${answer.from} → ${answer.to}`);
  if (answer !== undefined) return allow({ ...change, to: nearer(change, answer.to) });
  return goesAsFarAs(level, autonomy.least) ? allow(change) : refuse(`autonomy of ${address} is ${level}`);
}

/** Of one change: while a person has the region nothing goes further than a suggestion. */
export function effectiveLevel({ level, rules, takenOver }: AutonomyContext, { service, field }: Change): Autonomy {
  const own = autonomyOf(level, rules, service, field);
  return takenOver && goesAsFarAs(own, 'suggest') ? 'suggest' : own;
}

/** The newest word on a change of the same value in the same direction. */
function answerTo(
  { from, to }: Change,
  address: string,
  planHash: string,
  answers: readonly AnsweredChange[],
): AnsweredChange | undefined {
  return answers.findLast(
    (one) =>
      one.address === address && one.planHash === planHash && one.from === from && one.to > one.from === to > from,
  );
}

function nearer({ from, to }: Change, approved: number): number {
  return to > from ? Math.min(to, approved) : Math.max(to, approved);
}

/**
 * In the order in which they are asked: refusals first, then what shortens, then rounding. Autonomy comes last, since a
 * person is asked about the change as it would be made.
 */
export const GUARDS = {
  frozen: frozenGuard,
  inFlight: inFlightGuard,
  evidence: evidenceGuard,
  traffic: trafficGuard,
  override: overrideGuard,
  trust: trustGuard,
  step: stepGuard,
  bounds: boundsGuard,
  littlesLaw: littlesLawGuard,
  forecastFloor: forecastFloorGuard,
  rounding: roundingGuard,
  autonomy: autonomyGuard,
} as const satisfies Readonly<Record<string, Guard>>;
export type GuardName = keyof typeof GUARDS;

export type GuardedChange = { ok: true; change: Change } | { ok: false; guard: GuardName; reason: string };

/** Asks every guard in turn. The change that comes out is never larger than the one that went in. */
export function guard(change: Change, context: TuningContext): GuardedChange {
  let current = change;
  for (const [name, ask] of Object.entries(GUARDS) as [GuardName, Guard][]) {
    const result = ask(current, context);
    if (!result.ok) return { ok: false, guard: name, reason: result.reason };
    const remains = change.to > change.from ? result.to > change.from : result.to < change.from;
    if (!remains) return { ok: false, guard: name, reason: `${name} leaves no room to move from ${change.from}` };
    current = { ...current, to: result.to };
  }
  // A floor or the rounding may have moved a value that came from outside the range out of it again.
  const settled = boundsGuard(current, context);
  return settled.ok ? { ok: true, change: current } : { ok: false, guard: 'bounds', reason: settled.reason };
}

function floor(change: Change, least: number, what: string): GuardResult {
  if (change.from <= least) return refuse(`${what} needs ${least.toFixed(1)}, and it stands at ${change.from}`);
  return allow({ ...change, to: Math.max(change.to, least) });
}

function allow(change: Change): GuardResult {
  return { ok: true, to: change.to };
}

function refuse(reason: string): GuardResult {
  return { ok: false, reason };
}
