import path from 'node:path';
import { inspectInflux } from './influx/inspect.js';
import { createInfluxMetricsStore } from './influx/store.js';
import type { MetricsConfig } from './metricsConfig.js';
import type { MetricsStore, StoreHealth } from './port.js';
import { createSqliteMetricsStore } from './sqlite.js';
import { tokenReader } from './token.js';

export interface OpenMetricsOptions {
  config: MetricsConfig;
  /** Holds `metrics.db`, or the queue of what InfluxDB has not taken yet. */
  stateDirectory: string;
  /** Value of an environment variable. */
  variable(name: string): string | undefined;
  log?: (line: string) => void;
}

/** The store that the configuration names. Throws when its files are in use or were written by a newer program. */
export function openMetricsStore({ config, stateDirectory, variable, log }: OpenMetricsOptions): MetricsStore {
  if (config.kind === 'sqlite') return createSqliteMetricsStore(path.join(stateDirectory, 'metrics.db'));
  return createInfluxMetricsStore({
    ...config,
    token: tokenReader(config, variable),
    queueDirectory: queueDirectoryIn(stateDirectory),
    ...(log === undefined ? {} : { log }),
  });
}

/**
 * What that store is worth, while a worker may hold it: the queue of InfluxDB is only read; the embedded store may be
 * open twice.
 */
export async function inspectMetricsStore(options: Omit<OpenMetricsOptions, 'log'>): Promise<StoreHealth> {
  const { config, stateDirectory, variable } = options;
  if (config.kind === 'influxdb') {
    const target = { ...config, token: tokenReader(config, variable), timeoutMs: 5000 };
    return inspectInflux(target, queueDirectoryIn(stateDirectory));
  }
  const store = openMetricsStore(options);
  try {
    return await store.health();
  } finally {
    await store.close();
  }
}

function queueDirectoryIn(stateDirectory: string): string {
  return path.join(stateDirectory, 'metrics-queue');
}
