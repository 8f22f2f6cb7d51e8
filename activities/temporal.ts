import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { AuditBacklog } from '../adapters/audit/backlog.js';
import type { ActInfo } from './audit.js';
import { withAudit } from './audit.js';
import type { RegionActivities } from './contract.js';
import { StepFailure } from './errors.js';
import type { ActivityRun, Ports } from './ports.js';
import { ACTIVITIES } from './registry.js';
import type { ActivityCall } from './telemetry.js';
import { recordActivity, regionOfWorkflow } from './telemetry.js';
import type { Meter } from '../adapters/telemetry/port.js';

/**
 * The one file that knows Temporal: binds ports, signal and heartbeat, turns failures into Temporal's, and tells the
 * meter how each attempt ended.
 */
export function temporalActivities(ports: Ports, meter: Meter, acts: AuditBacklog): RegionActivities {
  const bound = Object.entries(ACTIVITIES).map(([name, activity]) => {
    const work = (activity as (ports: Ports) => (input: unknown, run: ActivityRun) => Promise<unknown>)(ports);
    return [name, (input: unknown) => measured(meter, name, () => runActivity(work, input))];
  });
  return withAudit(Object.fromEntries(bound) as RegionActivities, acts, actInfo, ports.now);
}

/** Of the activity that runs now; `null`: no workflow asked for it. */
export function actInfo(): ActInfo | null {
  const { workflowExecution, activityId, attempt } = Context.current().info;
  return workflowExecution === undefined ? null : { ...workflowExecution, activityId, attempt };
}

async function measured(meter: Meter, name: string, run: () => Promise<unknown>): Promise<unknown> {
  const startedMs = performance.now();
  const region = regionOfWorkflow(Context.current().info.workflowExecution?.workflowId ?? '');
  const end = (outcome: ActivityCall['outcome']): void => {
    recordActivity(meter, { name, region, outcome, seconds: (performance.now() - startedMs) / 1000 });
  };
  try {
    const output = await run();
    end({ kind: 'completed', output });
    return output;
  } catch (error) {
    const reason = error instanceof ApplicationFailure ? (error.type ?? 'other') : 'other';
    end(error instanceof CancelledFailure ? { kind: 'cancelled' } : { kind: 'failed', reason });
    throw error;
  }
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
