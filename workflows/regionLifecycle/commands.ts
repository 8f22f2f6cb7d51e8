import { failureOf, moveEntry, restoreDeployment } from '../shared/activities.js';
import { nowMs } from '../shared/clock.js';
import type { Override } from '../../core/spec/live.js';
import { approve, reject } from './approvals.js';
import { approveProposal, handBack, rejectProposal, setAutonomy, takeOver } from './autonomy.js';
import { askForNewRun, repair } from './breakGlass.js';
import { comeBack, drain, holdsReplans, isGone, release, retire, stopLeaving } from './leave.js';
import type { Command } from './mailbox.js';
import type { MessageOutcome, OverrideMessage, RollbackMessage } from './messages.js';
import type { Region } from './region.js';
import { blockedBy } from './blocked.js';
import { askForReplan } from './replan.js';
import type { DeploymentRecord } from './status.js';
import { overrideOf } from './together.js';

/** What a person decided at a block; the step loop reads it. */
export type BlockDecision = 'retry' | 'skip' | 'abort';

/** Carries out one message and says what came of it; never throws for what the outside does. */
export async function carryOut(region: Region, command: Command): Promise<MessageOutcome> {
  const { state } = region;
  if (isGone(state)) return { accepted: false, detail: `the region is ${state.phase}` };
  switch (command.name) {
    case 'override':
      return setOverride(region, command.message);
    case 'clear-override':
      return clearOverride(region, command.message.address);
    case 'freeze':
      return freeze(region);
    case 'resume':
      return resume(region);
    case 'rollback':
      return rollback(region, command.message);
    case 'replan':
      return holdsReplans(state)
        ? { accepted: false, detail: `the region is ${state.phase}: resume first` }
        : askForReplan(state, command.message.who);
    case 'approve':
      return approveProposal(region, command.message) ?? approve(region, command.message);
    case 'reject':
      return rejectProposal(region, command.message) ?? reject(region, command.message);
    case 'drain':
      return drain(region, command.message);
    case 'release':
      return release(region, command.message);
    case 'retire':
      return retire(region, command.message);
    case 'set-autonomy':
      return setAutonomy(region, command.message);
    case 'take-over':
      return takeOver(region, command.message);
    case 'hand-back':
      return handBack(region, command.message);
    case 'continue-as-new':
      return askForNewRun(region);
    case 'repair':
      return repair(region, command.message);
    case 'retry':
    case 'skip':
    case 'abort':
      // A block's own loop takes these before they come here.
      return {
        accepted: false,
        detail: `${command.name} is for a blocked region; this one is ${state.phase} (step ${state.step})`,
      };
  }
}

async function setOverride(region: Region, message: OverrideMessage): Promise<MessageOutcome> {
  const override = overrideOf(message);
  if (typeof override === 'string') return { accepted: false, detail: override };
  const { address, value } = override;
  const before = region.state.overrides;
  region.state.overrides = [...before.filter((o) => o.address !== address), override];
  return enforceOverrides(region, before, `${address} = ${value}`);
}

async function clearOverride(region: Region, address: string): Promise<MessageOutcome> {
  const before = region.state.overrides;
  if (!before.some((o) => o.address === address)) return { accepted: false, detail: `no override of ${address}` };
  region.state.overrides = before.filter((o) => o.address !== address);
  return enforceOverrides(region, before, `${address} is the program's again`);
}

/** Removes what has expired; nothing does in a freeze. Returns whether anything changed. */
export async function expireOverrides(region: Region): Promise<boolean> {
  const { state } = region;
  if (state.freeze !== null) return false;
  const live = state.overrides.filter((o) => o.until === undefined || Date.parse(o.until) > nowMs());
  if (live.length === state.overrides.length) return false;
  const before = state.overrides;
  state.overrides = live;
  const { accepted, detail } = await enforceOverrides(region, before, 'expired');
  if (accepted) noteExpired(region, before, detail);
  return true;
}

function noteExpired(region: Region, before: readonly Override[], result: string): void {
  for (const { address, value, until = null } of before) {
    if (region.state.overrides.some((override) => override.address === address)) continue;
    region.audit.note({
      ...{ kind: 'override-expired', why: 'its time has passed', subject: address },
      ...{ from: { value, until }, to: null, result },
    });
  }
}

/** Brings the overrides into force by whoever is the writer now. What a target refuses is not left half in force. */
async function enforceOverrides(region: Region, before: Override[], what: string): Promise<MessageOutcome> {
  const { state } = region;
  if (state.currentHash === null)
    return { accepted: true, detail: `${what}: recorded, in force from the first deployment` };
  if (state.rolledBack !== null) {
    return { accepted: true, detail: `${what}: recorded; deployment ${state.rolledBack.to} runs until resume` };
  }
  if (state.tuner.state === 'running') {
    const applied = await region.forwardCopy();
    if (applied?.ok === true) return { accepted: true, detail: `${what}: ${applied.detail}` };
    if (applied !== null) {
      state.overrides = before;
      return { accepted: false, detail: applied.detail };
    }
    await region.takeWriter();
    const outcome = await applyAsLifecycle(region, before, what);
    if (state.blocked === null && state.freeze === null) await region.handOver();
    return outcome;
  }
  return applyAsLifecycle(region, before, what);
}

async function applyAsLifecycle(region: Region, before: Override[], what: string): Promise<MessageOutcome> {
  const { state } = region;
  await region.followWindow();
  try {
    await region.write('override');
    return { accepted: true, detail: `${what}: in force on every proxy` };
  } catch (error) {
    state.overrides = before;
    return { accepted: false, detail: failureOf(error).detail };
  }
}

/** The freeze itself came into force when the message arrived; here the adjustment is told. */
async function freeze(region: Region): Promise<MessageOutcome> {
  const stopped = stopLeaving(region);
  if (region.state.tuner.state !== 'running') {
    return { accepted: true, detail: `no automatic change until resume${stopped}` };
  }
  const applied = await region.forwardCopy();
  if (applied !== null)
    return { accepted: true, detail: `no automatic change until resume; the adjustment has confirmed${stopped}` };
  await region.takeWriter();
  return {
    accepted: true,
    detail: `no automatic change until resume; the adjustment did not answer and was cancelled${stopped}`,
  };
}

async function resume(region: Region): Promise<MessageOutcome> {
  const { state } = region;
  if (state.leaving !== undefined && state.leaving.state !== 'returning') return comeBack(region);
  const nothing = state.freeze === null && state.rolledBack === null && state.tuner.state !== 'tuner-stopped';
  if (nothing) return { accepted: false, detail: 'nothing is frozen, rolled back or stopped' };
  state.freeze = null;
  if (state.step !== 'operate') return { accepted: true, detail: `going on with ${state.step}` };
  if (state.tuner.state === 'running') {
    const applied = await region.forwardCopy();
    if (applied !== null) return { accepted: true, detail: 'automatic changes are allowed again' };
  }
  return resumeOperating(region);
}

/** After a rollback or with a stopped tuner: the plan's settings again, then a new run order. */
async function resumeOperating(region: Region): Promise<MessageOutcome> {
  const { state } = region;
  try {
    await region.takeWriter();
    const { specRef } = state.accepted;
    state.stage = state.rolledBack?.from ?? state.stage;
    await region.followWindow();
    await region.write('resume');
    if (!state.entryMoved) {
      await moveEntry({ specRef, phase: 'activate' });
      state.entryMoved = true;
    }
    await region.handOver();
    return { accepted: true, detail: 'the plan is in force again and the adjustment runs' };
  } catch (error) {
    const { reason, detail } = blockedBy(error, 'rollback-failed');
    region.block(reason, detail);
    return { accepted: false, detail };
  }
}

function findDeployment(region: Region, to: string): DeploymentRecord | string {
  const { deployments, currentHash } = region.state;
  const known = deployments.map((d) => d.id).join(', ');
  if (to === '0') return deployments.find((d) => d.kind === 'baseline') ?? 'deployment 0 is no longer in the record';
  if (to !== 'previous') return deployments.find((d) => d.id === to) ?? `no deployment "${to}" (one of ${known})`;
  const earlier = deployments.filter((d) => d.hash !== currentHash).at(-1);
  return earlier ?? 'there is no earlier deployment';
}

/** Puts a deployment back as it was, bytes and entry, and freezes. Users leave first when it could not serve them. */
async function rollback(region: Region, message: RollbackMessage): Promise<MessageOutcome> {
  const { state } = region;
  const target = findDeployment(region, message.to);
  if (typeof target === 'string') return { accepted: false, detail: target };
  const { specRef } = state.accepted;
  stopLeaving(region);
  state.freeze ??= {
    who: message.who,
    why: `rollback to ${target.id}: ${message.why}`,
    since: new Date(nowMs()).toISOString(),
  };
  try {
    await region.takeWriter();
    if (state.entryMoved && !target.entryMoved) {
      await moveEntry({ specRef, phase: 'drain' });
      state.entryMoved = false;
    }
    const { epoch, currentHash } = state;
    await restoreDeployment({ specRef, releaseHash: target.hash, epoch, expectedHash: currentHash });
    const from = state.rolledBack?.from ?? state.stage;
    state.stage = { localPercent: target.localPercent, enforceLimits: target.enforceLimits };
    region.record('rollback', target.hash);
    state.rolledBack = { to: target.id, from };
    const suspended = state.overrides.map((o) => o.address).join(', ') || 'none';
    return {
      accepted: true,
      detail: `deployment ${target.id} runs again; frozen until resume; overrides recorded but not in force: ${suspended}; adjustments dropped`,
    };
  } catch (error) {
    const { reason, detail } = blockedBy(error, 'rollback-failed');
    region.block(reason, detail);
    return { accepted: false, detail };
  }
}
