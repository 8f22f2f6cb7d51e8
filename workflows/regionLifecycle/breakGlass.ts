import { isCancellation } from '@temporalio/workflow';
import type { TargetState } from '../../core/spec/deployment.js';
import { failureOf, readTargets } from '../shared/activities.js';
import { phaseNow } from './leave.js';
import type { MessageOutcome, RepairMessage } from './messages.js';
import type { Region } from './region.js';

/** Marks the region for a new run; the loop that waits takes it there. */
export function askForNewRun(region: Region): MessageOutcome {
  region.newRunWanted = true;
  const { state } = region;
  const when = state.step === 'operate' ? 'as soon as nothing is under way' : 'once it waits for somebody, or operates';
  return { accepted: true, detail: `goes on in a new run ${when}, with its state as it is, on the newest build` };
}

/**
 * Puts right what the workflow believes, and writes nothing anywhere. Only where nothing can happen meanwhile: a region
 * that is blocked or frozen.
 */
export async function repair(region: Region, message: RepairMessage): Promise<MessageOutcome> {
  const { state } = region;
  if (state.blocked === null && state.freeze === null) {
    return refused('only a region that is blocked or frozen is repaired: freeze it first');
  }
  const { field, value } = message;
  switch (field) {
    case 'epoch':
      return repairEpoch(region, Number(value));
    case 'current-hash':
      return repairHash(region, value === 'none' ? null : String(value));
    case 'blocked':
      return value === 'none' ? clearBlock(region) : refused('a block can be cleared, by "none"; not set');
    case 'tuner':
      return value === 'none' ? forgetTuner(region) : refused('the tuner can be declared stopped, by "none"; not set');
  }
}

function repairEpoch({ state }: Region, epoch: number): MessageOutcome {
  if (epoch <= state.epoch) {
    return refused(`the epoch is ${state.epoch} and only rises: a target would refuse a write of an earlier one`);
  }
  if (state.tuner.state === 'running') return refused(TUNER_RUNS);
  state.epoch = epoch;
  return { accepted: true, detail: `the next write is of epoch ${epoch}` };
}

const TUNER_RUNS =
  'the adjustment runs and writes under the epoch that it was given: roll back, or declare it stopped (tuner, "none")';

/** What is believed must be what all targets say, or nothing at all, whereupon the next write finds out. */
async function repairHash(region: Region, hash: string | null): Promise<MessageOutcome> {
  const { state } = region;
  if (state.tuner.state === 'running') return refused(TUNER_RUNS);
  if (hash === null) {
    state.currentHash = null;
    return { accepted: true, detail: 'the region expects nothing at its targets; one that runs something is drift' };
  }
  const seen = await lookAtTargets(region);
  if (typeof seen === 'string') return refused(seen);
  const others = seen.filter((target) => target.hash !== hash);
  if (seen.length === 0 || others.length > 0) {
    const told = others.map((target) => `${target.host} runs ${target.hash ?? 'nothing of ours'}`).join(', ');
    return refused(`that is not what the targets run: ${told || 'there are none'}`);
  }
  state.currentHash = hash;
  return { accepted: true, detail: `the region expects ${hash.slice(0, 12)} at its targets, which is what they run` };
}

/** Nothing is tried again by this; the targets must answer, so that nobody clears a block blindly. */
async function clearBlock(region: Region): Promise<MessageOutcome> {
  const { state } = region;
  if (state.blocked === null) return refused('nothing is blocked');
  if (state.step !== 'operate') return refused(`at ${state.step} a block is left by retry, skip or abort`);
  const seen = await lookAtTargets(region);
  if (typeof seen === 'string') return refused(seen);
  const { reason, step } = state.blocked;
  state.blocked = null;
  region.notifier.unblocked();
  region.show(phaseNow(state));
  return { accepted: true, detail: `${reason} at ${step} is cleared, and nothing was done for it` };
}

function forgetTuner({ state }: Region): MessageOutcome {
  if (state.tuner.state === 'not-started') return refused('there is no adjustment yet');
  state.tuner = { ...state.tuner, state: 'tuner-stopped' };
  return { accepted: true, detail: 'the adjustment counts as stopped; resume takes over from it and starts it anew' };
}

async function lookAtTargets({ state }: Region): Promise<readonly TargetState[] | string> {
  try {
    return await readTargets({ specRef: state.accepted.specRef });
  } catch (error) {
    if (isCancellation(error)) throw error;
    return `the targets cannot be read: ${failureOf(error).detail}`;
  }
}

function refused(detail: string): MessageOutcome {
  return { accepted: false, detail };
}
