import { readFile } from 'node:fs/promises';
import path from 'node:path';

import type { PrometheusAccess, PrometheusToken } from '../../core/spec/prometheus.js';
import { createPrometheusClient } from './client.js';
import { PrometheusError } from './errors.js';
import type { PrometheusClient, PrometheusLimits } from './port.js';

/** What reading from a server needs of its surroundings. */
export interface PrometheusSurroundings {
  /** Relative files are looked up from here. */
  directory: string;
  /** Value of an environment variable of the worker. */
  variable(name: string): string | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
  limits?: Partial<PrometheusLimits>;
}

/** A client for a server as a region file describes it; secrets are read anew for each request. */
export function openPrometheus(access: PrometheusAccess, around: PrometheusSurroundings): PrometheusClient {
  const { token } = access;
  return createPrometheusClient({
    url: access.url,
    timeoutMs: access.timeoutSeconds * 1000,
    headers: async () => ({
      ...access.headers,
      ...(token === undefined ? {} : { authorization: await authorization(token, around) }),
    }),
    ...(around.limits === undefined ? {} : { limits: around.limits }),
  });
}

async function authorization(token: PrometheusToken, around: PrometheusSurroundings): Promise<string> {
  const secret = (await secretOf(token, around)).trim();
  const where = token.env === undefined ? `the file ${token.file}` : `the variable ${token.env}`;
  if (secret === '') throw new PrometheusError('no-token', `${where} is empty`, 'put the secret there');
  if (token.scheme !== 'basic') {
    if (/^[\x21-\x7e]+$/.test(secret)) return `Bearer ${secret}`;
    throw new PrometheusError('no-token', `${where} holds no token: it has spaces, lines or other characters`);
  }
  if (!secret.includes(':')) throw new PrometheusError('no-token', `${where} holds no "user:password"`);
  return `Basic ${Buffer.from(secret, 'utf8').toString('base64')}`;
}

async function secretOf({ env, file }: PrometheusToken, around: PrometheusSurroundings): Promise<string> {
  if (env !== undefined) {
    const value = around.variable(env);
    if (value !== undefined) return value;
    const fix = 'set it where the worker is started';
    throw new PrometheusError('no-token', `the variable ${env} is not set in the worker's environment`, fix);
  }
  try {
    return await readFile(path.resolve(around.directory, file ?? ''), 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const fix = `relative paths are taken from ${around.directory}`;
    throw new PrometheusError('no-token', `the token file ${file ?? ''} cannot be read: ${reason}`, fix);
  }
}
