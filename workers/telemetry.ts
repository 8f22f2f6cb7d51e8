import { readFileSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import type { Ports } from '../activities/ports.js';
import type { Log } from '../adapters/telemetry/log.js';
import type { PrometheusMeter } from '../adapters/telemetry/prometheus.js';
import type { WorkerConfig } from './config.js';
import { HealthMonitor } from './health/monitor.js';
import { serveHealth } from './health/serve.js';
import { RegionExporter } from './regionExporter.js';

export interface TelemetryOptions {
  config: WorkerConfig;
  client: Client;
  worker: Worker;
  ports: Pick<Ports, 'metrics'>;
  meter: PrometheusMeter;
  log: Log;
}

export interface Telemetry {
  stop(): Promise<void>;
}

const ASK_WITHIN_MS = 4000;

/** Health, metrics of this worker and of the regions, on one port; nothing runs when the configuration names none. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { config, client, worker, ports, meter, log } = options;
  if (config.healthPort === 0) return { stop: async () => undefined };
  // A clock that is set back must not keep an old success young.
  const now = (): number => performance.timeOrigin + performance.now();
  const askTemporal = (): Promise<unknown> =>
    client.withDeadline(Date.now() + ASK_WITHIN_MS, () => client.workflowService.getSystemInfo({}));
  const monitor = new HealthMonitor({
    workerState: () => worker.getState(),
    askTemporal,
    metrics: ports.metrics,
    stateDirectory: config.stateDirectory,
    now,
  });
  const exporter = new RegionExporter({ client, meter, log, now });
  const labels = { version: packageVersion(), node: process.version, task_queue: config.taskQueue };
  meter.set('psmg_worker_info', labels, 1);
  const server = await serveHealth({
    port: config.healthPort,
    address: config.healthAddress,
    report: () => monitor.report(),
    metrics: async () => {
      monitor.measure(meter);
      exporter.measure();
      return { contentType: meter.contentType, text: await meter.text() };
    },
  });
  await monitor.start();
  // The first list asks every region for its status, which only a worker that runs can answer.
  void exporter.start();
  return {
    stop: async () => {
      await Promise.all([monitor.stop(), exporter.stop()]);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
