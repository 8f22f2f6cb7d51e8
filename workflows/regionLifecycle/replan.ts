import { isCancellation } from '@temporalio/workflow';
import { exportTargets, failureOf, forecastRegion, planRegion } from '../shared/activities.js';
import { nowIso, nowMs } from '../shared/clock.js';
import { dueWindow } from '../shared/windows.js';
import { shortHash, windowsPassed } from './approvalParts.js';
import type { ApprovalState, Made } from './approvals.js';
import { askApproval, expireWhereDue, isWaiting } from './approvals.js';
import { heldByPeople } from './autonomy.js';
import { blockedBy } from './blocked.js';
import { followCalendar, readSoon } from './calendar.js';
import { FEWER_INSTANCES } from './fewerInstances.js';
import type { MessageOutcome } from './messages.js';
import { NewRunDue, awaitPermit, returnPermit } from './permits.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';
import type { During } from './steps.js';

const SCHEDULE = 'the schedule';

function personOf(by: string): string | null {
  return by === SCHEDULE || by === FEWER_INSTANCES ? null : by;
}

/** Notes that a person wants one; it takes minutes, so that its outcome is in `status` and not in the answer. */
export function askForReplan(state: LifecycleState, who: string): MessageOutcome {
  const waiting = isWaiting(state) ? (state.approval ?? null) : null;
  const reason = waiting?.for === 'launch' ? null : hindrance(state);
  if (reason !== null) return { accepted: false, detail: reason };
  state.replan = { startedMs: nowMs(), last: null, ...state.replan, wantedBy: who };
  const replaced = waiting === null ? '' : `; plan ${waiting.planHash.slice(0, 12)}, which waits, is replaced`;
  return { accepted: true, detail: `forecasting and planning anew; status tells what comes of it${replaced}` };
}

/** Milliseconds until one is due, or a plan that waited for a person is decided; `null` when nothing will bring one. */
export function untilReplanMs(state: LifecycleState): number | null {
  const isFree = hindrance(state) === null;
  const { approval } = state;
  if (approval?.made !== undefined && approval.state !== 'wanted') {
    return approval.state === 'approved' && !isFree ? null : 0;
  }
  if (isFree && (state.replan?.wantedBy ?? null) !== null) return 0;
  // A plan that waits is not replaced by the schedule: whoever judges it would find another each time.
  if (isWaiting(state)) return untilExpiryMs(state);
  const { replanMs } = state.accepted.tunables;
  if (!isFree || replanMs === undefined || heldByPeople(state) !== null) return null;
  return Math.max(0, (state.replan?.startedMs ?? 0) + replanMs - nowMs());
}

function untilExpiryMs({ approval }: LifecycleState): number | null {
  const expiresMs = approval?.expiresMs ?? null;
  return expiresMs === null ? null : Math.max(0, expiresMs - nowMs());
}

function hindrance(state: LifecycleState): string | null {
  if (state.step !== 'operate') return `a region that is ${state.phase} plans by itself; this is for one that operates`;
  if (state.blocked !== null) return `the region is blocked (${state.blocked.reason}): retry first`;
  if (state.rolledBack !== null) return `deployment ${state.rolledBack.to} runs until resume`;
  if (state.drained !== undefined) return `drained by ${state.drained.who}: resume first`;
  return state.freeze === null ? null : `frozen by ${state.freeze.who}: resume first`;
}

/**
 * Forecasts and plans anew while messages go on being carried out, then puts the plan in force under a new epoch, with
 * everything that people set. Until then, and when any of it fails, what runs stays: a failure here is told, and blocks
 * nothing but itself; only a target that refuses the write blocks the region. A plan that needs a person's word is kept
 * in the state; once there is one, or the time is over, this is called again and makes of it what was said.
 */
export async function replan(region: Region, during: During): Promise<void> {
  const { approval, replan: wanted } = region.state;
  const isDecided = expireWhereDue(region) || approval?.state !== 'wanted' || (wanted?.wantedBy ?? null) === null;
  const made = approval?.made;
  if (approval !== undefined && made !== undefined && isDecided) await conclude(region, approval, made, during);
  else await planAndAsk(region, during);
}

/** Keeps what came of one for `status` and the audit. */
function tell(region: Region, by: string, told: 'running' | 'done' | 'failed', detail: string): void {
  const { state } = region;
  const startedMs = state.replan?.startedMs ?? nowMs();
  state.replan = { wantedBy: null, startedMs, last: { state: told, at: nowIso(), by, detail } };
  if (told !== 'running') {
    readSoon(state);
    if (state.step === 'operate') void returnPermit(region, told, detail);
  }
  const isOver = state.step === 'operate' && state.phase === 'awaiting-approval' && !isWaiting(state);
  region.show(isOver ? 'operating' : state.phase);
}

function noteReplanned(region: Region, by: string, before: string | null, result: string): void {
  const after = region.state.plan?.plan.hash ?? null;
  const fact = { kind: 'replanned', why: `for ${by}`, subject: 'plan', from: before, to: after } as const;
  const who = personOf(by);
  region.audit.note({ ...fact, ...(who === null ? {} : { who }), result });
}

/** Takes up what is wanted; `end` tells and notes what came of it. */
function begin(region: Region): { by: string; end(told: 'done' | 'failed', detail: string): void } {
  const { state } = region;
  const by = state.replan?.wantedBy ?? SCHEDULE;
  const before = state.plan?.plan.hash ?? null;
  state.replan = { wantedBy: null, last: null, ...state.replan, startedMs: nowMs() };
  tell(region, by, 'running', 'forecasting');
  return {
    by,
    end: (told, detail) => {
      noteReplanned(region, by, before, `${told}: ${detail}`);
      tell(region, by, told, detail);
    },
  };
}

async function planAndAsk(region: Region, during: During): Promise<void> {
  const { state } = region;
  const { by, end } = begin(region);
  try {
    const made = await during(planAnew(region));
    if (typeof made === 'string') return end('failed', made);
    if (state.accepted.hasCalendar === true) await followCalendar(region);
    const reason = hindrance(state) ?? (by === SCHEDULE ? heldByPeople(state) : null);
    if (reason !== null) return end('failed', `the new plan is not put in force: ${reason}`);
    const { approval } = state;
    if (approval?.made !== undefined && approval.state === 'approved') {
      return end('failed', `plan ${approval.planHash.slice(0, 12)} was approved meanwhile`);
    }
    const requestedBy = personOf(by);
    if (askApproval(region, { for: 'replan', plan: made.plan, requestedBy, made }) === 'wanted') {
      return tell(region, by, 'running', `plan ${shortHash(made.plan)} waits for approval`);
    }
    await awaitPermit(region, 'replan', during, made.plan.plan.hash);
    const isDone = await putInForce(region, made);
    end(isDone ? 'done' : 'failed', `plan ${shortHash(made.plan)}`);
  } catch (error) {
    if (isCancellation(error)) throw error;
    // The next run plans anew, and keeps its place with the fleet.
    if (!(error instanceof NewRunDue)) end('failed', failureOf(error).detail);
    else if (state.replan !== undefined) state.replan.wantedBy = by;
  }
}

/** Makes of a plan that waited what was said of it. */
async function conclude(region: Region, approval: ApprovalState, made: Made, during: During): Promise<void> {
  const { state } = region;
  const by = approval.requestedBy ?? SCHEDULE;
  const before = state.plan?.plan.hash ?? null;
  const plan = `plan ${shortHash(made.plan)}`;
  const wantedBy = state.replan?.wantedBy ?? null;
  const end = (told: 'done' | 'failed', detail: string, next: string | null = wantedBy): void => {
    delete approval.made;
    noteReplanned(region, by, before, `${told}: ${detail}`);
    tell(region, by, told, detail);
    if (state.replan !== undefined) state.replan.wantedBy = next;
  };
  if (approval.state !== 'approved') {
    const word = approval.state === 'expired' ? 'not approved in time' : approval.state;
    return end('failed', `${plan} is not put in force: ${word}`);
  }
  // What a freeze held for so long is of no use; a new one asks again where it has to.
  if (windowsPassed(made.plan, nowMs())) return end('failed', `${plan}: its windows passed while it was held`, by);
  try {
    await awaitPermit(region, 'replan', during, made.plan.plan.hash);
    if (hindrance(state) !== null) return await returnPermit(region, 'failed', hindrance(state) ?? '');
    const isDone = await putInForce(region, made);
    end(isDone ? 'done' : 'failed', `${plan}, approved by ${approval.by?.who ?? 'nobody'}`);
  } catch (error) {
    if (isCancellation(error)) throw error;
    // What is approved stays so: until resume, or for the next run.
    if (error instanceof NewRunDue || hindrance(state) !== null) return;
    end('failed', failureOf(error).detail);
  }
}

/**
 * Before anything is applied: a person wants another plan than the one that waits. Where none can be made, or that one
 * was decided meanwhile, it stays as it is.
 */
export async function replanLaunch(region: Region, during: During): Promise<void> {
  const { state } = region;
  const { end } = begin(region);
  try {
    const made = await during(planAnew(region));
    if (typeof made === 'string') return end('failed', `${made}; the plan before goes on waiting`);
    if (state.approval?.state === 'approved') return end('failed', 'the plan before was approved meanwhile');
    state.forecast = made.forecast;
    state.plan = made.plan;
    end('done', `plan ${shortHash(made.plan)}`);
  } catch (error) {
    if (isCancellation(error)) throw error;
    end('failed', `${failureOf(error).detail}; the plan before goes on waiting`);
  }
}

/** A plan that only waits is none to compare with, nor one below which nothing may be taken. */
async function planAnew({ state, notifier }: Region): Promise<Made | string> {
  const { accepted, plan: running, step } = state;
  const { specRef } = accepted;
  const forecast = await forecastRegion({ specRef });
  notifier.forecast(forecast);
  const untrusted = forecast.services.filter((service) => service.trust === 'none');
  if (forecast.trust === 'none') return untrusted.map((one) => `${one.service}: ${one.trustReason}`).join('; ');
  const previous = running === null || step !== 'operate' ? {} : { previousRef: running.plan.ref };
  return { forecast, plan: await planRegion({ specRef, forecastRef: forecast.ref, ...previous }) };
}

async function putInForce(region: Region, { forecast, plan }: Made): Promise<boolean> {
  const { state } = region;
  const before = { forecast: state.forecast, plan: state.plan, window: state.window };
  try {
    await region.takeWriter();
    state.forecast = forecast;
    state.plan = plan;
    // Whoever may put a plan in force may put its window in force that is due; its first may be long past.
    delete state.window;
    const due = dueWindow(plan.windows, nowMs());
    if (due !== undefined) state.window = due;
    const { specRef } = state.accepted;
    const window = state.window === undefined ? {} : { window: state.window };
    await exportTargets({ specRef, plan: region.plan, ...window });
    await region.write('replan');
    await region.handOver();
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    state.forecast = before.forecast;
    state.plan = before.plan;
    if (before.window === undefined) delete state.window;
    else state.window = before.window;
    const { reason, detail } = blockedBy(error, 'target-unreachable');
    region.block(reason, detail);
    return false;
  }
}
