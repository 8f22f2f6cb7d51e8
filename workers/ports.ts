import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Ports } from '../activities/ports.js';
import { createFileArtifactStore } from '../adapters/artifacts/fileStore.js';
import { createAnsibleRunner } from '../adapters/delivery/ansible.js';
import { createCsvHistory } from '../adapters/history/csv.js';
import { createHttpHooks } from '../adapters/hooks/http.js';
import { openTarget } from '../adapters/mesh/targets.js';
import { validateWithEnvoy } from '../adapters/mesh/validateEnvoy.js';
import { createSqliteMetricsStore } from '../adapters/metrics/sqlite.js';
import { loadForecastEngines } from '../adapters/wasm/augurs.js';
import { locatePart } from '../scripts/parts/locate.js';
import type { WorkerConfig } from './config.js';

/** Everything of the outside that this worker's activities use. Close `metrics` when the worker ends. */
export function composePorts(config: WorkerConfig): Ports {
  mkdirSync(config.stateDirectory, { recursive: true });
  const inState = (name: string): string => path.join(config.stateDirectory, name);
  const inData = (file: string): string => path.resolve(config.dataDirectory, file);
  const envoy = locatePart('envoy');
  return {
    artifacts: createFileArtifactStore(inState('artifacts')),
    history: createCsvHistory(config.dataDirectory),
    engines: loadForecastEngines,
    metrics: createSqliteMetricsStore(inState('metrics.db')),
    hooks: createHttpHooks(),
    openTarget,
    delivery: {
      ansible: createAnsibleRunner({
        ansiblePlaybook: locatePart('ansible-playbook'),
        runsDirectory: inState('deployments'),
      }),
    },
    validate: { envoy: (flattened, signal) => validateWithEnvoy(envoy, flattened, { signal }) },
    readText: (file) => readFile(inData(file), 'utf8'),
    now: () => Date.now(),
  };
}
