import type { WorkerOptions as TemporalWorkerOptions } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import { makeWorkflowExporter } from '@temporalio/interceptors-opentelemetry';
import { createAuditBacklog } from '../adapters/audit/backlog.js';
import { temporalActivities } from '../activities/temporal.js';
import type { Log } from '../adapters/telemetry/log.js';
import { createPrometheusMeter } from '../adapters/telemetry/prometheus.js';
import { activitySpans, planContext } from './activityContext.js';
import { bundleWorkflows } from './bundle.js';
import type { WorkerConfig } from './config.js';
import type { TemporalTarget } from './connect.js';
import { connectClient, connectWorker } from './connect.js';
import { versioningOf } from './deploymentVersion.js';
import { composePorts } from './ports.js';
import { ensureSearchAttributes } from './searchAttributes.js';
import { startTelemetry } from './telemetry.js';
import type { Tracing } from './tracing/tracing.js';
import { startTracing } from './tracing/tracing.js';

export interface WorkerOptions {
  config: WorkerConfig;
  target: TemporalTarget;
  log: Log;
  onReady?(): void;
}

/** Runs a worker until `signal` is aborted; activities in progress get ten seconds, a playbook goes on without it. */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { config, target, log } = options;
  const client = await connectClient(target);
  await ensureSearchAttributes(client);
  const ports = composePorts(config, log);
  const tracing = config.tracing === null ? null : startTracing(config.tracing, log);
  const acts = createAuditBacklog(ports.audit);
  const connection = await connectWorker(target);
  try {
    const meter = createPrometheusMeter({ now: () => Date.now(), processMetrics: true });
    const worker = await Worker.create({
      connection,
      namespace: target.namespace,
      taskQueue: config.taskQueue,
      ...versioningOf(config.deployment),
      workflowBundle: await bundleWorkflows({ spans: tracing !== null }),
      activities: temporalActivities(ports, meter, acts),
      ...spansOf(tracing),
      shutdownGraceTime: '10 seconds',
      // An update of more than 2 MiB is let in by the server: refusing it must not fail the region's task for 20 seconds.
      disablePayloadErrorLimit: true,
      // Bounds how late an activity learns of a cancellation and how stale its heartbeat is after a crash.
      maxHeartbeatThrottleInterval: '2 seconds',
      stickyQueueScheduleToStartTimeout: config.stickyTimeoutMs,
    });
    const telemetry = await startTelemetry({ config, client, worker, ports, meter, log });
    try {
      const running = worker.run();
      options.onReady?.();
      const stop = (): void => {
        if (worker.getState() === 'RUNNING') worker.shutdown();
      };
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      await running;
    } finally {
      await telemetry.stop();
    }
  } finally {
    await connection.close();
    await client.connection.close();
    await acts.close();
    await ports.close();
    await tracing?.stop();
  }
}

function spansOf(tracing: Tracing | null): Pick<TemporalWorkerOptions, 'interceptors' | 'sinks'> {
  if (tracing === null) return { interceptors: { activity: [planContext] } };
  return {
    // The span first, so that it is there for the plan to be noted on.
    interceptors: { activity: [activitySpans, planContext] },
    sinks: { exporter: makeWorkflowExporter(tracing.processor, tracing.resource) },
  };
}
