import { isCancellation } from '@temporalio/workflow';
import type { ForecastOutcome, PlanOutcome } from '../../activities/contract.js';
import { exportTargets, failureOf, forecastRegion, planRegion } from '../shared/activities.js';
import { nowIso, nowMs } from '../shared/clock.js';
import { dueWindow } from '../shared/windows.js';
import { awaitApproval } from './approvals.js';
import { blockedBy } from './blocked.js';
import type { MessageOutcome } from './messages.js';
import { awaitPermit } from './permits.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';
import type { During } from './steps.js';

const SCHEDULE = 'the schedule';

/** Notes that a person wants one; it takes minutes, so that its outcome is in `status` and not in the answer. */
export function askForReplan(state: LifecycleState, who: string): MessageOutcome {
  const reason = hindrance(state);
  if (reason !== null) return { accepted: false, detail: reason };
  state.replan = { startedMs: nowMs(), last: null, ...state.replan, wantedBy: who };
  return { accepted: true, detail: 'forecasting and planning anew; status tells what comes of it' };
}

/** Milliseconds until one is due; 0 when it is, and `null` when nothing will bring one. */
export function untilReplanMs(state: LifecycleState): number | null {
  if (hindrance(state) !== null) return null;
  if ((state.replan?.wantedBy ?? null) !== null) return 0;
  const { replanMs } = state.accepted.tunables;
  if (replanMs === undefined || state.accepted.autonomy !== 'act') return null;
  return Math.max(0, (state.replan?.startedMs ?? 0) + replanMs - nowMs());
}

function hindrance(state: LifecycleState): string | null {
  if (state.step !== 'operate') return `a region that is ${state.phase} plans by itself; this is for one that operates`;
  if (state.blocked !== null) return `the region is blocked (${state.blocked.reason}): retry first`;
  if (state.rolledBack !== null) return `deployment ${state.rolledBack.to} runs until resume`;
  return state.freeze === null ? null : `frozen by ${state.freeze.who}: resume first`;
}

/**
 * Forecasts and plans anew while messages go on being carried out, then puts the plan in force under a new epoch, with
 * everything that people set. Until then, and when any of it fails, what runs stays: a failure here is told, and blocks
 * nothing but itself; only a target that refuses the write blocks the region.
 */
export async function replan(region: Region, during: During): Promise<void> {
  const { state } = region;
  const by = state.replan?.wantedBy ?? SCHEDULE;
  const before = state.plan?.plan.hash ?? null;
  const tell = (told: 'running' | 'done' | 'failed', detail: string): void => {
    const startedMs = told === 'running' ? nowMs() : (state.replan?.startedMs ?? nowMs());
    state.replan = { wantedBy: null, startedMs, last: { state: told, at: nowIso(), by, detail } };
    if (told !== 'running') {
      const after = state.plan?.plan.hash ?? null;
      const fact = { kind: 'replanned', why: `for ${by}`, subject: 'plan', from: before, to: after } as const;
      region.audit.note({ ...fact, ...(by === SCHEDULE ? {} : { who: by }), result: `${told}: ${detail}` });
    }
    region.show();
  };
  tell('running', 'forecasting');
  try {
    const made = await during(planAnew(state));
    if (typeof made === 'string') return tell('failed', made);
    const reason = hindrance(state);
    if (reason !== null) return tell('failed', `the new plan is not put in force: ${reason}`);
    const requestedBy = by === SCHEDULE ? null : by;
    const word = await awaitApproval(region, { for: 'replan', plan: made.plan, requestedBy }, during);
    if (word !== 'approved') return tell('failed', `the new plan is not put in force: ${word}`);
    await awaitPermit(region, 'replan', during);
    tell((await putInForce(region, made)) ? 'done' : 'failed', `plan ${made.plan.plan.hash.slice(0, 12)}`);
  } catch (error) {
    if (isCancellation(error)) throw error;
    tell('failed', failureOf(error).detail);
  }
}

interface Made {
  forecast: ForecastOutcome;
  plan: PlanOutcome;
}

async function planAnew({ accepted, plan: running }: LifecycleState): Promise<Made | string> {
  const { specRef } = accepted;
  const forecast = await forecastRegion({ specRef });
  const untrusted = forecast.services.filter((service) => service.trust === 'none');
  if (forecast.trust === 'none') return untrusted.map((one) => `${one.service}: ${one.trustReason}`).join('; ');
  const previous = running === null ? {} : { previousRef: running.plan.ref };
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
