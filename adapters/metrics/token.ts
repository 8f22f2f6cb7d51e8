import { readFileSync } from 'node:fs';
import type { InfluxConfig } from './metricsConfig.js';

/** Reads the token each time, so that a rotated file is taken up. Throws when the file cannot be read. */
export function tokenReader(config: InfluxConfig, variable: (name: string) => string | undefined): () => string {
  const { token } = config;
  if ('variable' in token) return () => variable(token.variable) ?? '';
  return () => readFileSync(token.file, 'utf8').trim();
}
