import path from 'node:path';
import type { MetricsConfig } from '../adapters/metrics/metricsConfig.js';
import { metricsConfig } from '../adapters/metrics/metricsConfig.js';
import type { LogFormat, LogLevel } from '../adapters/telemetry/log.js';
import { LOG_LEVELS } from '../adapters/telemetry/log.js';
import { TASK_QUEUE } from '../workflows/shared/names.js';
import type { DeploymentVersion } from './deploymentVersion.js';
import { deploymentVersion } from './deploymentVersion.js';
import type { TraceConfig } from './tracing/config.js';
import { traceConfig } from './tracing/config.js';

/** Where a worker keeps what it must not lose, and how it is told where Temporal is. Read once, at the start. */
export interface WorkerConfig {
  taskQueue: string;
  /** `null`: Temporal does not tell builds apart. */
  deployment: DeploymentVersion | null;
  /** Artifacts, metrics and deployment runs live below this folder. */
  stateDirectory: string;
  /** Relative files named in region files (history, graph sources) are looked up from here. */
  dataDirectory: string;
  /** Port of `/healthz`, `/readyz` and `/metrics`; 0: none. */
  healthPort: number;
  /** Address that they are served at: 127.0.0.1 unless somebody else's scraper is to reach them. */
  healthAddress: string;
  /** Port of the Temporal SDK's own metrics, at the same address; 0: none. */
  sdkMetricsPort: number;
  log: { format: LogFormat; level: LogLevel };
  /** Where traces go; `null`: nowhere. */
  tracing: TraceConfig | null;
  /** Workflow tasks of a killed worker go to another one after this time. */
  stickyTimeoutMs: number;
  /** Where observations go. */
  metrics: MetricsConfig;
  /** Whether forecasts offer networks to train, in a thread beside everything else. */
  trainNetworks: boolean;
  /** Value of an environment variable that a region file names, such as the token of a calendar service. */
  variable(name: string): string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** `isTerminal`: a person reads the log as it comes. */
export function workerConfig(environment: Environment, workingDirectory: string, isTerminal = false): WorkerConfig {
  return {
    taskQueue: environment['PSMG_TASK_QUEUE'] ?? TASK_QUEUE,
    deployment: deploymentVersion(environment),
    stateDirectory: path.resolve(workingDirectory, environment['PSMG_STATE'] ?? '.psmg'),
    dataDirectory: path.resolve(workingDirectory, environment['PSMG_DATA'] ?? '.'),
    healthPort: wholeNumber(environment, 'PSMG_HEALTH_PORT', 0),
    healthAddress: environment['PSMG_HEALTH_ADDRESS'] ?? '127.0.0.1',
    sdkMetricsPort: wholeNumber(environment, 'PSMG_SDK_METRICS_PORT', 0),
    log: {
      format: oneOf(environment, 'PSMG_LOG', ['json', 'text'], isTerminal ? 'text' : 'json'),
      level: oneOf(environment, 'PSMG_LOG_LEVEL', LOG_LEVELS, 'info'),
    },
    tracing: traceConfig(environment),
    stickyTimeoutMs: wholeNumber(environment, 'PSMG_STICKY_TIMEOUT_MS', 5000),
    metrics: metricsOf(environment),
    trainNetworks: environment['PSMG_TRAIN'] !== 'off',
    variable: (name) => environment[name],
  };
}

/** Throws with every variable that is missing or wrong. */
function metricsOf(environment: Environment): MetricsConfig {
  const config = metricsConfig(environment);
  if (config.ok) return config.value;
  const problems = config.problems.map(
    ({ field, message, expected = '', fix = '' }) => `${field} ${message}; expected ${expected}; ${fix}`,
  );
  throw new Error(problems.join('\n'));
}

function wholeNumber(environment: Environment, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} must be a whole number ≥ 0, not "${text}"`);
  return value;
}

function oneOf<T extends string>(environment: Environment, name: string, allowed: readonly T[], fallback: T): T {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new Error(`${name} must be one of ${allowed.join(', ')}, not "${text}"`);
  return found;
}
