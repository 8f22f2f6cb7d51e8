import { isCancellation } from '@temporalio/workflow';
import type { ActivationStage } from '../../core/spec/live.js';
import type { Phase } from '../../core/spec/lifecycle.js';
import { checkReceivers, failureOf, readBack, readTargets } from '../shared/activities.js';
import { nowIso } from '../shared/clock.js';
import { operatingPhase } from './approvals.js';
import { blockedBy } from './blocked.js';
import type { MessageBase, MessageOutcome } from './messages.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';
import { PHASE_OF, activationStages, intentOf } from './state.js';

/**
 * What a person wants to come of the region. A drain takes minutes, so that it is no command but work of the region's
 * own loop: `freeze`, `rollback` and `resume` are carried out in its middle, and each of them stops it.
 */
export interface Leaving {
  what: 'drain' | 'release' | 'retire';
  who: string;
  why: string;
  since: string;
  state: 'wanted' | 'running' | 'stopped' | 'done' | 'returning';
  /** What ran when it was asked for; the stages go down from there. */
  from: ActivationStage;
  /** Index of the one of `drainStages` that comes next. */
  next: number;
  /** The region is blocked by a judgement, which a person may pass over. */
  skippable?: true;
  /** What was reached last, in words. */
  detail: string;
}

/** Activation backwards: local weights fall by its steps, and nobody is refused meanwhile. Empty where they are 0. */
export function drainStages(steps: readonly number[], { localPercent: from }: ActivationStage): ActivationStage[] {
  if (from <= 0) return [];
  const lower = steps.filter((percent) => percent > 0 && percent < from).sort((a, b) => b - a);
  return [...lower, 0].map((localPercent) => ({ localPercent, enforceLimits: false }));
}

/** Whether the loop of the region has something to do for it now. */
export function isLeavingDue({ leaving, blocked }: LifecycleState): boolean {
  return blocked === null && (leaving?.state === 'wanted' || leaving?.state === 'running');
}

/** A drain that is asked for ends the activation where it is. */
export function endsActivation({ leaving }: LifecycleState): boolean {
  return leaving?.state === 'wanted';
}

/** Neither the schedule nor a person has anything planned anew for users who are elsewhere. */
export function holdsReplans({ leaving }: LifecycleState): boolean {
  return leaving !== undefined;
}

/** The right to write stays with the lifecycle until the users are back. */
export function keepsWriter({ leaving }: LifecycleState): boolean {
  return leaving !== undefined && leaving.state !== 'returning';
}

/** The region is nobody's of ours any more: the workflow ends. */
export function isGone({ leaving }: LifecycleState): boolean {
  return leaving?.state === 'done' && leaving.what !== 'drain';
}

/** The phase of a region that is not blocked. */
export function phaseNow(state: LifecycleState): Phase {
  const { leaving, step, entryMoved } = state;
  if (leaving === undefined || leaving.state === 'returning') {
    return step === 'operate' ? operatingPhase(state) : PHASE_OF[step];
  }
  if (leaving.state === 'done')
    return ({ drain: 'drained', release: 'released', retire: 'retired' } as const)[leaving.what];
  return leaving.what === 'retire' && !entryMoved ? 'retiring' : 'draining';
}

export async function drain(region: Region, message: MessageBase): Promise<MessageOutcome> {
  const refusal = hindranceOf('drain', region.state) ?? (await shortage(region)) ?? hindranceOf('drain', region.state);
  if (refusal !== null) return { accepted: false, detail: refusal };
  const stages = begin(region, 'drain', message);
  const way = [...stages.map(({ localPercent }) => `${localPercent} %`), 'the entry of the users'].join(', ');
  const words = 'status tells, freeze stops it, resume brings the users back';
  return { accepted: true, detail: `draining: ${way}; ${words}${keptWeights(region.state)}` };
}

/** A person's weights outrank every stage; who drains is told, since requests within the region go on by them. */
function keptWeights({ overrides }: LifecycleState): string {
  const kept = overrides.map(({ address }) => address).filter((address) => /\.weight\./.test(address));
  return kept.length === 0 ? '' : `; stays as people set it until clear-override: ${kept.join(', ')}`;
}

export async function retire(region: Region, message: MessageBase): Promise<MessageOutcome> {
  const { state } = region;
  const refusal = hindranceOf('retire', state) ?? (await shortage(region)) ?? hindranceOf('retire', state);
  if (refusal !== null) return { accepted: false, detail: refusal };
  const stages = begin(region, 'retire', message);
  const first = state.entryMoved ? `the users leave in ${stages.length + 1} steps, then ` : '';
  return { accepted: true, detail: `retiring: ${first}deployment 0 is put back and the workflow ends; status tells` };
}

function begin(region: Region, what: 'drain' | 'retire', { who, why }: MessageBase): readonly ActivationStage[] {
  const { state } = region;
  const stages = state.entryMoved ? drainStages(state.accepted.activationSteps, state.stage) : [];
  state.leaving = {
    ...{ what, who, why, since: nowIso(), state: 'wanted', from: state.stage, next: 0 },
    detail: state.entryMoved ? `asked for at ${state.stage.localPercent} %` : 'the users are elsewhere',
  };
  // Only a block that is about to be left behind lets a drain through.
  state.blocked = null;
  region.show(phaseNow(state));
  return stages;
}

/** Where an activation parked, users may be half here: they can be sent away without a decision on the stage. */
const LEFT_BEHIND: readonly string[] = ['activation-failed', 'activation-inconclusive'];

function hindranceOf(what: 'drain' | 'retire', state: LifecycleState): string | null {
  const { blocked, leaving, rolledBack, step } = state;
  if (step !== 'activate' && step !== 'operate') {
    return `a region that is ${state.phase} has no users yet; abort ends one that is blocked or waits for approval`;
  }
  if (blocked !== null && !(step === 'activate' && LEFT_BEHIND.includes(blocked.reason))) {
    return `the region is blocked (${blocked.reason}): retry first, or abort, which sends the users back at once`;
  }
  if (leaving?.state === 'wanted' || leaving?.state === 'running') {
    return `${leaving.what} is under way, asked for by ${leaving.who}: ${leaving.detail}`;
  }
  if (rolledBack !== null && state.entryMoved) {
    return `deployment ${rolledBack.to} runs until resume: resume first, or roll back to 0, which sends the users away at once`;
  }
  if (what === 'retire') return null;
  if (leaving?.state === 'done')
    return `drained by ${leaving.who} since ${leaving.since}; resume brings the users back`;
  return state.entryMoved ? null : 'no users enter here';
}

/** What others lack to take the users, by service and region; `null`: nothing, or no users are here. */
async function shortage({ state, plan }: Region): Promise<string | null> {
  if (!state.entryMoved) return null;
  try {
    const window = state.window === undefined ? {} : { window: state.window };
    const { shortfalls } = await checkReceivers({ specRef: state.accepted.specRef, plan, ...window });
    if (shortfalls.length === 0) return null;
    const words = shortfalls.map(
      ({ service, region, wantedRps, spareRps }) =>
        `${service}: ${region} would get ${wantedRps} rps and has room for ${spareRps}`,
    );
    return `others cannot take the users (receivers-short), nothing was changed: ${words.join('; ')}. Raise spareRps there, or lower the demand`;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return `whether others can take the users is not known, nothing was changed: ${failureOf(error).detail}`;
  }
}

/** A freeze or a rollback in the middle: what runs stays, half-way. Says so, for the outcome of the message. */
export function stopLeaving(region: Region): string {
  const { leaving, stage } = region.state;
  if (leaving === undefined || (leaving.state !== 'wanted' && leaving.state !== 'running')) return '';
  leaving.state = 'stopped';
  leaving.detail = `stopped at ${stage.localPercent} %`;
  return `; ${leaving.what} has stopped at ${stage.localPercent} %: ${leaving.what} goes on with it, resume brings the users back`;
}

/** Resume: the users come back through the stages of activation, from the one that runs, each judged. */
export async function comeBack(region: Region): Promise<MessageOutcome> {
  const { state } = region;
  const { leaving } = state;
  if (leaving === undefined) return { accepted: false, detail: 'nobody left' };
  try {
    // What runs may be anything after a part that failed.
    if (state.blocked !== null) await region.adoptTargetHash();
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { accepted: false, detail: failureOf(error).detail };
  }
  state.freeze = null;
  state.blocked = null;
  delete state.drained;
  state.leaving = { ...leaving, state: 'returning', detail: 'the users come back' };
  // Whoever starts instances may have taken them in since.
  state.step = state.entryMoved ? 'activate' : 'await-stack';
  state.completed = state.completed.filter((step) => step !== 'activate' && step !== state.step);
  state.stageIndex = stageToComeBackTo(state);
  await region.followWindow();
  region.show(phaseNow(state));
  return { accepted: true, detail: `the users come back, first by ${state.step}; each stage is judged, status tells` };
}

function stageToComeBackTo({ accepted, stage, entryMoved }: LifecycleState): number {
  if (!entryMoved) return 0;
  const stages = activationStages(accepted.activationSteps);
  const same = stages.findIndex(
    ({ localPercent, enforceLimits }) => localPercent === stage.localPercent && enforceLimits === stage.enforceLimits,
  );
  if (same >= 0) return same;
  return Math.max(
    0,
    stages.findIndex(({ localPercent }) => localPercent >= stage.localPercent),
  );
}

/** Goes for good, provided that what runs is what we believe; otherwise everything stays as it was. */
export async function release(region: Region, message: MessageBase): Promise<MessageOutcome> {
  const { state } = region;
  const busy = hindranceOfRelease(state);
  if (busy !== null) return { accepted: false, detail: busy };
  const handsBack = state.tuner.state === 'running';
  try {
    if (handsBack) await region.takeWriter();
    const unlike = await unlikeBelieved(region);
    if (unlike !== null) {
      if (handsBack) await region.handOver();
      return {
        accepted: false,
        detail: `not released, since what runs is not what should: ${unlike}. Mend it, then release again`,
      };
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    // Without the right to write nobody looks after the region: that is for a person.
    const { reason, detail } = blockedBy(error, 'release-failed');
    region.block(reason, detail);
    return { accepted: false, detail: `not released: ${detail}` };
  }
  await region.cancelAdjustment();
  state.tuner.state = 'tuner-stopped';
  const { who, why } = message;
  const runs = `release ${state.currentHash?.slice(0, 12) ?? '0'} runs on at ${state.accepted.hosts.join(', ')}`;
  state.leaving = {
    what: 'release',
    who,
    why,
    since: nowIso(),
    state: 'done',
    from: state.stage,
    next: 0,
    detail: runs,
  };
  region.show('released');
  return {
    accepted: true,
    detail: `released: ${runs}; its files are yours to edit, no hold is left there, and a new launch takes what it finds as deployment 0`,
  };
}

function hindranceOfRelease(state: LifecycleState): string | null {
  const { blocked, leaving, replan, step, tuner } = state;
  if (step !== 'operate') return `in flight: the region is ${state.phase}; wait until it operates or is drained`;
  if (blocked !== null) return `the region is blocked (${blocked.reason}): retry first`;
  if (leaving !== undefined && leaving.state !== 'done')
    return `in flight: ${leaving.what} (${leaving.detail}); drain or resume first`;
  if (replan?.last?.state === 'running') return 'in flight: a new plan is being made; wait until status shows it done';
  const inFlight = tuner.state === 'running' ? tuner.report?.inFlight : undefined;
  return inFlight === undefined
    ? null
    : `in flight: an adjustment of ${inFlight} is not judged yet; try again after a few ticks`;
}

/** How what the targets run differs from what we believe, in words; `null`: it does not. */
async function unlikeBelieved(region: Region): Promise<string | null> {
  const { state } = region;
  const { specRef } = state.accepted;
  const found = (await readTargets({ specRef })).flatMap(({ host, hash, drifted }) => [
    ...((hash ?? '0') === (state.currentHash ?? '0')
      ? []
      : [`${host} runs release ${hash ?? '0'}, not ${state.currentHash ?? '0'}`]),
    ...(drifted.length === 0 ? [] : [`${host}: changed by hand: ${drifted.join(', ')}`]),
  ]);
  // What the adjustment wrote last is known by its hash alone; it was read back when it was written.
  const isOurs = state.rolledBack === null && state.deployments.at(-1)?.hash === state.currentHash;
  if (isOurs) found.push(...(await readBack({ specRef, plan: region.plan, intent: intentOf(state) })).mismatches);
  return found.length === 0 ? null : found.join('; ');
}
