import type { WorkflowBundle } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { Ports } from '../activities/ports.js';
import { temporalActivities } from '../activities/temporal.js';
import { bundleWorkflows } from './bundle.js';
import type { WorkerConfig } from './config.js';
import type { TemporalTarget } from './connect.js';
import { connectClient, connectWorker } from './connect.js';
import { serveHealth } from './health.js';
import { composePorts } from './ports.js';
import { ensureSearchAttributes } from './searchAttributes.js';

export interface WorkerOptions {
  config: WorkerConfig;
  target: TemporalTarget;
  /** Absent: composed from the config. */
  ports?: Ports;
  /** Absent: bundled now. */
  bundle?: WorkflowBundle;
  onReady?(): void;
}

/** Runs a worker until `signal` is aborted; activities in progress get ten seconds, a playbook goes on without it. */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { config, target } = options;
  const client = await connectClient(target);
  await ensureSearchAttributes(client);
  const ports = options.ports === undefined ? composePorts(config) : { ...options.ports, close: async () => undefined };
  const connection = await connectWorker(target);
  try {
    const worker = await Worker.create({
      connection,
      namespace: target.namespace,
      taskQueue: config.taskQueue,
      workflowBundle: options.bundle ?? (await bundleWorkflows()),
      activities: temporalActivities(ports),
      shutdownGraceTime: '10 seconds',
      // Bounds how late an activity learns of a cancellation and how stale its heartbeat is after a crash.
      maxHeartbeatThrottleInterval: '2 seconds',
      stickyQueueScheduleToStartTimeout: config.stickyTimeoutMs,
    });
    const health = config.healthPort === 0 ? null : await serveHealth(config.healthPort, worker);
    const running = worker.run();
    options.onReady?.();
    const stop = (): void => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    await running;
    health?.close();
  } finally {
    await connection.close();
    await client.connection.close();
    await ports.close();
  }
}
