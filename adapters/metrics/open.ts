import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInfluxMetricsStore } from './influx/store.js';
import type { InfluxConfig, MetricsConfig } from './metricsConfig.js';
import type { MetricsStore } from './port.js';
import { createSqliteMetricsStore } from './sqlite.js';

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
    queueDirectory: path.join(stateDirectory, 'metrics-queue'),
    ...(log === undefined ? {} : { log }),
  });
}

/** Reads the token each time, so that a rotated file is taken up. Throws when the file cannot be read. */
export function tokenReader(config: InfluxConfig, variable: (name: string) => string | undefined): () => string {
  const { token } = config;
  if ('variable' in token) return () => variable(token.variable) ?? '';
  return () => readFileSync(token.file, 'utf8').trim();
}
