import path from 'node:path';
import { TASK_QUEUE } from '../workflows/shared/names.js';

/** Where a worker keeps what it must not lose, and how it is told where Temporal is. Read once, at the start. */
export interface WorkerConfig {
  taskQueue: string;
  /** Artifacts, metrics and deployment runs live below this folder. */
  stateDirectory: string;
  /** Relative files named in region files (history, graph sources) are looked up from here. */
  dataDirectory: string;
  /** Port of `/healthz` and `/readyz` on 127.0.0.1; 0: none. */
  healthPort: number;
  /** Workflow tasks of a killed worker go to another one after this time. */
  stickyTimeoutMs: number;
  /** Whether forecasts offer networks to train, in a thread beside everything else. */
  trainNetworks: boolean;
  /** Value of an environment variable that a region file names, such as the token of a calendar service. */
  variable(name: string): string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function workerConfig(environment: Environment, workingDirectory: string): WorkerConfig {
  return {
    taskQueue: environment['PSMG_TASK_QUEUE'] ?? TASK_QUEUE,
    stateDirectory: path.resolve(workingDirectory, environment['PSMG_STATE'] ?? '.psmg'),
    dataDirectory: path.resolve(workingDirectory, environment['PSMG_DATA'] ?? '.'),
    healthPort: wholeNumber(environment, 'PSMG_HEALTH_PORT', 0),
    stickyTimeoutMs: wholeNumber(environment, 'PSMG_STICKY_TIMEOUT_MS', 5000),
    trainNetworks: environment['PSMG_TRAIN'] !== 'off',
    variable: (name) => environment[name],
  };
}

function wholeNumber(environment: Environment, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} must be a whole number ≥ 0, not "${text}"`);
  return value;
}
