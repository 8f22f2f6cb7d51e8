import { condition, isCancellation } from '@temporalio/workflow';
import type { DeployOutcome } from '../../activities/contract.js';
import type { ActivationStage } from '../../core/spec/live.js';
import {
  exportTargets,
  forecastRegion,
  moveEntry,
  planRegion,
  readBack,
  timedActivities,
} from '../shared/activities.js';
import { nowIso, nowMs } from '../shared/clock.js';
import type { Region } from './region.js';
import type { LaunchWord } from './approvals.js';
import { awaitApproval, awaitWord, resumesLaunch } from './approvals.js';
import { blockedBy } from './blocked.js';
import { followCalendar, untilCalendarMs } from './calendar.js';
import { replanWhereFewer } from './fewerInstances.js';
import { endsActivation } from './leave.js';
import { NewRunDue, awaitPermit, isPermitted, returnPermit } from './permits.js';
import { replanLaunch } from './replan.js';
import { activationStages, intentOf, keepLast, takeDueWindow } from './state.js';
import type { BlockedReason, Step } from '../../core/spec/lifecycle.js';

/**
 * `null`: the step is done. Otherwise why the region parks before it; with `instead`, what ended a wait in which nothing
 * failed: a message to abort, still queued, or the end of the region.
 */
export type StepOutcome = { reason: BlockedReason; detail: string; instead?: 'abort' | 'ended' } | null;

/** Lets messages be carried out while the work goes on; steps that write do not offer it. */
export type During = <T>(work: Promise<T>) => Promise<T>;

type RunStep = (region: Region, during: During) => Promise<StepOutcome>;

export const RUN_STEP: Readonly<Record<Exclude<Step, 'operate'>, RunStep>> = {
  forecast,
  plan,
  'pre-deploy': preDeploy,
  'await-stack': awaitStack,
  activate,
};

/** What an activity fails with that has no reason of its own. */
export const FALLBACK_REASON: Readonly<Record<Step, BlockedReason>> = {
  forecast: 'forecast-failed',
  plan: 'plan-refused',
  'pre-deploy': 'deploy-failed',
  'await-stack': 'stack-not-ready',
  activate: 'activation-failed',
  operate: 'target-unreachable',
};

async function forecast({ state }: Region, during: During): Promise<StepOutcome> {
  state.forecast = await during(forecastRegion({ specRef: state.accepted.specRef }));
  if (state.forecast.trust !== 'none') return null;
  const untrusted = state.forecast.services.filter((service) => service.trust === 'none');
  return { reason: 'trust-none', detail: untrusted.map((s) => `${s.service}: ${s.trustReason}`).join('\n') };
}

async function plan(region: Region, during: During): Promise<StepOutcome> {
  const { state } = region;
  if (!resumesLaunch(state)) {
    if (state.forecast === null) return { reason: 'forecast-failed', detail: 'there is no forecast to plan from' };
    state.plan = await during(planRegion({ specRef: state.accepted.specRef, forecastRef: state.forecast.ref }));
  }
  let asked = state.plan;
  if (asked === null) return { reason: 'plan-refused', detail: 'there is no plan to approve' };
  const requestedBy = state.accepted.approvals?.requester ?? null;
  let word = await awaitApproval(region, { for: 'launch', plan: asked, requestedBy });
  while (word === 'replan') {
    const wantedBy = state.replan?.wantedBy ?? requestedBy;
    await replanLaunch(region, during);
    const isNew: boolean = state.plan !== asked;
    asked = state.plan ?? asked;
    word = isNew
      ? await awaitApproval(region, { for: 'launch', plan: asked, requestedBy: wantedBy })
      : await awaitWord(region);
  }
  return word === 'approved' ? null : unapproved(word, asked.plan.hash.slice(0, 12));
}

function unapproved(word: Exclude<LaunchWord, 'approved' | 'replan'>, hash: string): NonNullable<StepOutcome> {
  if (word === 'expired') return { reason: 'approval-expired', detail: `plan ${hash} was not approved in time` };
  if (word === 'rejected') return { reason: 'approval-rejected', detail: `plan ${hash} was rejected` };
  return { reason: 'approval-rejected', detail: `plan ${hash} was not approved: ${word}`, instead: word };
}

/** The playbook runs twice: the second run must change nothing, or what was deployed does not hold still. */
async function preDeploy(region: Region, during: During): Promise<StepOutcome> {
  const { state } = region;
  await permitted(region, during);
  if (state.deployments.length === 0) {
    await region.adoptTargetHash();
    const before = state.currentHash;
    region.record('baseline', before ?? '0');
    state.currentHash = before;
  }
  takeDueWindow(state, nowMs());
  const first = await deploy(region, 'apply');
  const second = await deploy(region, 'verify');
  const changed = Object.values(second.recap).reduce((sum, host) => sum + host.changed, 0);
  if (changed > 0) {
    return {
      reason: 'deploy-failed',
      detail: `a second run of the playbook changed ${changed} tasks; it must change none`,
    };
  }
  const { specRef } = state.accepted;
  const { mismatches } = await readBack({ specRef, plan: region.plan, intent: intentOf(state) });
  if (mismatches.length > 0) return { reason: 'readback-mismatch', detail: mismatches.join('\n') };
  state.preDeployment = {
    meshReadyAt: nowIso(),
    recaps: [first.recap, second.recap],
    reattached: first.reattached || second.reattached,
  };
  return null;
}

async function deploy(region: Region, run: 'apply' | 'verify'): Promise<DeployOutcome> {
  const { state } = region;
  const { accepted } = state;
  const outcome = await timedActivities(accepted.tunables).deployRelease({
    specRef: accepted.specRef,
    plan: region.plan,
    intent: intentOf(state),
    deploymentId: `${state.epoch}-${region.plan.hash.slice(0, 8)}-${state.deployRetries}-${run}`,
    epoch: state.epoch,
    expectedHash: state.currentHash,
  });
  if (run === 'apply') region.record('pre-deploy', outcome.releaseHash);
  return outcome;
}

async function awaitStack(region: Region, during: During): Promise<StepOutcome> {
  const { state, plan: planned } = region;
  const { specRef, tunables } = state.accepted;
  const window = state.window === undefined ? {} : { window: state.window };
  await exportTargets({ specRef, plan: planned, ...window });
  state.stack = await during(timedActivities(tunables).awaitStack({ specRef, plan: planned, ...window }));
  replanWhereFewer(region);
  return null;
}

async function activate(region: Region, during: During): Promise<StepOutcome> {
  const { state } = region;
  const stages = activationStages(state.accepted.activationSteps);
  while (state.stageIndex < stages.length) {
    await permitted(region, during);
    if (endsActivation(state)) {
      await returnPermit(region, 'failed', 'the users are sent away');
      return null;
    }
    const stage = stages[state.stageIndex];
    if (stage === undefined) break;
    await enterStage(region, stage);
    const outcome = await judgeUntilClear(region, stage, during);
    if (outcome === 'interrupted') continue;
    if (outcome !== null) {
      await leaveStage(region, stages[state.stageIndex - 1]);
      return outcome;
    }
    state.stageIndex += 1;
  }
  await returnPermit(region, 'done', 'activated');
  return null;
}

async function enterStage(region: Region, stage: ActivationStage): Promise<void> {
  const { state } = region;
  state.stage = stage;
  await writeStage(region);
  if (state.entryMoved) return;
  await moveEntry({ specRef: state.accepted.specRef, phase: 'activate' });
  state.entryMoved = true;
  region.show();
}

async function writeStage(region: Region): Promise<void> {
  await region.followWindow();
  await region.write('stage');
}

/** A failed stage goes back by itself: to the weights of the one before, or the users to where they came from. */
async function leaveStage(region: Region, previous: ActivationStage | undefined): Promise<void> {
  const { state } = region;
  if (previous === undefined) {
    await moveEntry({ specRef: state.accepted.specRef, phase: 'drain' });
    state.entryMoved = false;
    region.show();
    return;
  }
  state.stage = previous;
  await writeStage(region);
}

/** An inconclusive stage is judged again a stated number of times; a rollback or a drain in the middle voids the judgement. */
async function judgeUntilClear(
  region: Region,
  stage: ActivationStage,
  during: During,
): Promise<StepOutcome | 'interrupted'> {
  const { state } = region;
  const { specRef, tunables, maxInconclusive } = state.accepted;
  for (let attempt = 1; ; attempt += 1) {
    const { judgeStage } = timedActivities(tunables);
    const judged = await during(judgeStage({ specRef, plan: region.plan, localPercent: stage.localPercent }));
    if (state.rolledBack !== null || endsActivation(state)) return 'interrupted';
    const { verdict, reason } = judged;
    keepLast(state.activation, { ...stage, attempt, verdict, reason, at: nowIso() });
    region.show();
    if (verdict === 'successful') return null;
    if (verdict === 'failed') return { reason: 'activation-failed', detail: reason };
    if (attempt >= maxInconclusive) return { reason: 'activation-inconclusive', detail: reason };
  }
}

/** A freeze holds back every automatic change, one of the calendar too; messages are carried out meanwhile. */
async function unfrozen(region: Region): Promise<void> {
  const { state, mailbox } = region;
  for (;;) {
    if (state.accepted.hasCalendar === true) await followCalendar(region);
    if (state.freeze === null || endsActivation(state)) return;
    const isCalled = (): boolean => state.freeze === null || mailbox.queue.length > 0;
    const untilMs = untilCalendarMs(state);
    if (untilMs === null) await condition(isCalled);
    else await condition(isCalled, Math.max(1, untilMs));
    await region.carryOutQueued();
  }
}

/** A permit may run out in a freeze, or between two stages; nothing is written under one that has. */
async function permitted(region: Region, during: During): Promise<void> {
  const { state } = region;
  await unfrozen(region);
  if (state.accepted.fleet === undefined) return;
  do {
    if (endsActivation(state)) return;
    await awaitPermit(region, 'launch', during);
    await unfrozen(region);
  } while (!isPermitted(state, 'launch'));
}

/** @throws `NewRunDue` from a wait that the next run goes on with */
export async function attempt(region: Region, step: Exclude<Step, 'operate'>, during: During): Promise<StepOutcome> {
  try {
    return await RUN_STEP[step](region, during);
  } catch (error) {
    if (isCancellation(error) || error instanceof NewRunDue) throw error;
    return blockedBy(error, FALLBACK_REASON[step]);
  }
}
