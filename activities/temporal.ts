import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { RegionActivities } from './contract.js';
import { StepFailure } from './errors.js';
import type { ActivityRun, Ports } from './ports.js';
import { ACTIVITIES } from './registry.js';

/** The one file that knows Temporal: binds ports, signal and heartbeat, and turns failures into Temporal's. */
export function temporalActivities(ports: Ports): RegionActivities {
  const bound = Object.entries(ACTIVITIES).map(([name, activity]) => {
    const work = (activity as (ports: Ports) => (input: unknown, run: ActivityRun) => Promise<unknown>)(ports);
    return [name, (input: unknown) => runActivity(work, input)];
  });
  return Object.fromEntries(bound) as RegionActivities;
}

async function runActivity(
  work: (input: unknown, run: ActivityRun) => Promise<unknown>,
  input: unknown,
): Promise<unknown> {
  const context = Context.current();
  const stop = new AbortController();
  const forward = (): void => stop.abort(stopReason(context.cancellationSignal.reason));
  if (context.cancellationSignal.aborted) forward();
  else context.cancellationSignal.addEventListener('abort', forward, { once: true });
  try {
    return await work(input, {
      signal: stop.signal,
      progress: (details) => context.heartbeat(details),
      lastProgress: context.info.heartbeatDetails,
    });
  } catch (error) {
    if (stop.signal.aborted) throw new CancelledFailure(String(stop.signal.reason));
    throw asFailure(error);
  }
}

/** A worker that shuts down leaves a playbook running for the next one; only a cancel ends it. */
function stopReason(reason: unknown): 'cancel' | 'shutdown' {
  const words = reason instanceof Error ? reason.message : String(reason);
  return /WORKER_SHUTDOWN/i.test(words) ? 'shutdown' : 'cancel';
}

function asFailure(error: unknown): Error {
  if (error instanceof StepFailure) {
    return ApplicationFailure.create({
      message: error.message,
      type: error.reason,
      nonRetryable: error.lasting,
      details: [error.problems],
      ...(error.cause instanceof Error ? { cause: error.cause } : {}),
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}
