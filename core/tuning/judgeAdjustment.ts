import type { Observation, ServiceObservation, Verdict } from '../spec/observation.js';
import type { OperateSpec } from '../spec/region.js';
import { doubt, unmeasured } from './doubt.js';
import { plannedCallees, serviceLoad } from './load.js';
import type { AdjustmentVerdict, InFlightAdjustment, ServiceContext } from './types.js';

export interface AdjustmentJudgeInput {
  inFlight: InFlightAdjustment;
  /** The window after the adjustment. */
  observation: Observation;
  services: readonly ServiceContext[];
  operate: OperateSpec;
}

/** p99 has to move by this share before it counts as better or worse. */
const NOTICEABLE = 0.05;

/**
 * Verdict on the adjustment in flight: successful → keep, failed → revert in this tick, inconclusive → wait, and
 * revert once `maxInconclusiveTicks` ticks in a row said nothing. The first window began before the adjustment, and
 * mixes what was and what is: it gives no verdict, and alone it never reverts.
 */
export function judgeAdjustment(input: AdjustmentJudgeInput): AdjustmentVerdict {
  const { inFlight, operate } = input;
  const judged = judge(input);
  if (judged.verdict === 'successful') return { ...judged, action: 'keep' };
  if (judged.verdict === 'failed') return { ...judged, action: 'revert' };
  const ticks = inFlight.inconclusiveTicks + 1;
  const settles = inFlight.inconclusiveTicks === 0 && beganBefore(input);
  if (settles || ticks < operate.maxInconclusiveTicks) return { ...judged, action: 'wait' };
  const reason = `${judged.reason}; ${ticks} ticks without a verdict, back to ${inFlight.adjustment.from}`;
  return { verdict: 'inconclusive', action: 'revert', reason };
}

function judge(input: AdjustmentJudgeInput): { verdict: Verdict; reason: string } {
  const { inFlight, observation, services, operate } = input;
  const name = inFlight.service;
  const service = services.find((s) => s.plan.service === name);
  const seen = observation.services.find((s) => s.service === name);
  const concerned = [name, ...plannedCallees(name, services)];
  const doubted = doubt(observation, concerned) ?? unmeasured(observation, concerned);
  if (doubted !== null) return inconclusive(doubted);
  if (service === undefined || seen === undefined) return inconclusive(`${name} was not observed`);
  if (beganBefore(input)) return inconclusive(`the window began before ${inFlight.adjustment.address} was adjusted`);
  if (seen.requests < operate.minRequestsPerTick) {
    return inconclusive(`${seen.requests} requests, ${operate.minRequestsPerTick} are needed`);
  }
  const raised = inFlight.adjustment.to > inFlight.adjustment.from;
  return raised ? judgeRaise(input, service, seen) : judgeLowering(input, service, seen);
}

/** False where nobody knows when the adjustment was made. */
function beganBefore({ inFlight, observation }: AdjustmentJudgeInput): boolean {
  const seen = observation.services.find((s) => s.service === inFlight.service);
  if (seen === undefined) return false;
  const beganAt = Date.parse(observation.at) - (seen.ageSeconds + seen.windowSeconds) * 1000;
  return beganAt < Date.parse(inFlight.adjustment.madeAt);
}

/** A raised limit has failed when it brought the service, or what it calls, out of the SLO. */
function judgeRaise(
  input: AdjustmentJudgeInput,
  service: ServiceContext,
  seen: ServiceObservation,
): { verdict: Verdict; reason: string } {
  const region = input.observation.region;
  const hurt = [service.plan.service, ...service.callees].filter((name) => {
    const context = input.services.find((s) => s.plan.service === name);
    const window = input.observation.services.find((s) => s.service === name);
    if (context === undefined || window === undefined) return false;
    const load = serviceLoad(region, context, window);
    return load.p99OverSlo || load.errorsOverSlo;
  });
  if (hurt.length > 0) return failed(`${hurt.join(', ')} outside the SLO after the limit was raised`);
  return successful(`p99 ${(seen.p99Ms ?? 0).toFixed(0)} ms within ${service.slo.p99Ms} ms after the limit was raised`);
}

/** A lowered limit must buy latency or errors; refusing more requests for nothing has failed. */
function judgeLowering(
  input: AdjustmentJudgeInput,
  service: ServiceContext,
  seen: ServiceObservation,
): { verdict: Verdict; reason: string } {
  const region = input.observation.region;
  const { baseline } = input.inFlight;
  const load = serviceLoad(region, service, seen);
  if (!load.p99OverSlo && !load.errorsOverSlo) return successful('back inside the SLO');
  const before = serviceLoad(region, service, baseline);
  const p99Change = seen.p99Ms === null || baseline.p99Ms === null ? null : seen.p99Ms / baseline.p99Ms - 1;
  const errorsNow = load.answered === 0 ? 0 : load.genuineErrors / load.answered;
  const errorsBefore = before.answered === 0 ? 0 : before.genuineErrors / before.answered;
  const change = p99Change === null ? 'p99 unknown' : `p99 changed by ${(p99Change * 100).toFixed(0)} %`;
  if (before.errorsOverSlo && errorsNow < errorsBefore) return successful(`fewer errors, ${change}`);
  if (p99Change === null) return inconclusive(change);
  if (before.p99OverSlo && p99Change < -NOTICEABLE) return successful(`${change}, still over the SLO`);
  const refusedNow = refusedShare(seen);
  const refusedBefore = refusedShare(baseline);
  if (p99Change > NOTICEABLE || refusedNow > refusedBefore) {
    const shares = `${(refusedBefore * 100).toFixed(1)} % → ${(refusedNow * 100).toFixed(1)} % refused`;
    return failed(`${change} and ${shares}: the lower limit did not help`);
  }
  return inconclusive(`${change}, nothing refused more than before`);
}

function refusedShare(seen: ServiceObservation): number {
  return seen.requests === 0 ? 0 : (seen.errors.rateLimited + seen.errors.breaker) / seen.requests;
}

function successful(reason: string): { verdict: Verdict; reason: string } {
  return { verdict: 'successful', reason };
}

function failed(reason: string): { verdict: Verdict; reason: string } {
  return { verdict: 'failed', reason };
}

function inconclusive(reason: string): { verdict: Verdict; reason: string } {
  return { verdict: 'inconclusive', reason };
}
