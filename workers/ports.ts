import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Ports } from '../activities/ports.js';
import { createFileArtifactStore } from '../adapters/artifacts/fileStore.js';
import { createSqliteAuditLog } from '../adapters/audit/sqlite.js';
import { createAnsibleRunner } from '../adapters/delivery/ansible.js';
import { createThreadCompute } from '../adapters/compute/threads.js';
import { createEventsReader } from '../adapters/events/reader.js';
import { createHistory } from '../adapters/history/source.js';
import { readRegressorsFile } from '../adapters/history/regressors.js';
import { createHooks } from '../adapters/hooks/hooks.js';
import { createFileMemory } from '../adapters/memory/file.js';
import { openTarget } from '../adapters/mesh/targets.js';
import { validateEnvoy } from '../adapters/mesh/validateEnvoy.js';
import { openMetricsStore } from '../adapters/metrics/open.js';
import { createWebhooks } from '../adapters/notifications/webhook.js';
import { createSignalSource } from '../adapters/signals/source.js';
import type { Log } from '../adapters/telemetry/log.js';
import { locatePart } from '../scripts/parts/locate.js';
import type { WorkerConfig } from './config.js';
import { createProber } from './prober.js';
import { createTrainer } from './trainer.js';

export interface ComposedPorts extends Ports {
  /** Ends threads and closes files, once no activity runs any more. */
  close(): Promise<void>;
}

/** Everything of the outside that this worker's activities use. */
export function composePorts(config: WorkerConfig, log: Log): ComposedPorts {
  mkdirSync(config.stateDirectory, { recursive: true });
  const inState = (name: string): string => path.join(config.stateDirectory, name);
  const inData = (file: string): string => path.resolve(config.dataDirectory, file);
  const envoy = locatePart('envoy');
  const artifacts = createFileArtifactStore(inState('artifacts'));
  const memory = createFileMemory(inState('forecasts'));
  const { stateDirectory, variable } = config;
  const told =
    (component: string) =>
    (line: string): void =>
      log.write('info', line, { component });
  const metrics = openMetricsStore({ config: config.metrics, stateDirectory, variable, log: told('metrics') });
  const audit = createSqliteAuditLog(inState('audit.db'));
  const outside = { variable, now: (): number => Date.now() };
  // A fit keeps its thread busy, and heartbeats must go on.
  const compute = createThreadCompute();
  const trainer = createTrainer({ compute, artifacts, memory, log: told('trainer') });
  const prober = createProber({ openTarget, metrics, now: outside.now, log: told('probes') });
  return {
    artifacts,
    history: createHistory(config.dataDirectory, outside),
    events: createEventsReader({
      directory: config.dataDirectory,
      cacheDirectory: inState('events'),
      ...outside,
    }),
    regressors: (file, signal) => readRegressorsFile(config.dataDirectory, file, signal),
    compute,
    memory,
    trainer: config.trainNetworks ? trainer : { offer: () => undefined },
    metrics,
    prober,
    signals: createSignalSource(config.dataDirectory, outside),
    audit,
    hooks: createHooks(),
    notifications: createWebhooks({ directory: config.dataDirectory, ...outside, ...workflowPages(variable) }),
    openTarget,
    delivery: {
      ansible: createAnsibleRunner({
        ansiblePlaybook: locatePart('ansible-playbook'),
        runsDirectory: inState('deployments'),
      }),
    },
    validate: { envoy: (flattened, signal) => validateEnvoy(envoy, flattened, { signal }) },
    readText: (file) => readFile(inData(file), 'utf8'),
    now: () => Date.now(),
    close: async () => {
      await trainer.stop();
      await prober.stop();
      await compute.close();
      await metrics.close();
      await audit.close();
    },
  };
}

/** `PSMG_UI`: where a browser finds the workflows, such as `http://localhost:8233/namespaces/default/workflows`. */
function workflowPages(variable: WorkerConfig['variable']): { workflowsUrl?: string } {
  const workflowsUrl = variable('PSMG_UI');
  return workflowsUrl === undefined || workflowsUrl === '' ? {} : { workflowsUrl };
}
