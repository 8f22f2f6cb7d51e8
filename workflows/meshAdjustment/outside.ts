import type { SignalDefinition } from '@temporalio/common';
import { getExternalWorkflowHandle, isCancellation, log } from '@temporalio/workflow';
import { applyIntent, exportTargets, failureOf } from '../shared/activities.js';
import { regionWorkflowId } from '../shared/names.js';
import type { AdjustmentState } from './state.js';
import { intentOf } from './state.js';

/** What the adjustment does outside of itself. Of failures only a cancellation is thrown. */

export type Failure = ReturnType<typeof failureOf>;

/** Writes the live settings; returns why it could not. */
export async function writeSettings(state: AdjustmentState): Promise<Failure | null> {
  try {
    const { specRef, plan, epoch } = state.run;
    const applied = await applyIntent({ specRef, plan, intent: intentOf(state), epoch, expectedHash: state.hash });
    state.hash = applied.releaseHash;
    return null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return failureOf(error);
  }
}

/** Asks for the instances of the window in force; whether that succeeded. */
export async function askForInstances(state: AdjustmentState): Promise<boolean> {
  const { specRef, plan, window } = state.run;
  try {
    await exportTargets({ specRef, plan, ...(window === undefined ? {} : { window }) });
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    state.lastDecision = `could not ask for instances: ${failureOf(error).detail}`;
    return false;
  }
}

/** A region that is gone is no reason to fail: the settings stay, and there is nobody left to tell. */
export async function tellRegion<T>(region: string, signal: SignalDefinition<[T]>, message: T): Promise<void> {
  try {
    await getExternalWorkflowHandle(regionWorkflowId(region)).signal(signal, message);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the region did not take a report', { signal: signal.name, error });
  }
}
