import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { forecastOf } from '../activities/forecastOf.js';
import type { Ports } from '../activities/ports.js';
import { createEventsReader } from '../adapters/events/reader.js';
import { readRegressorsFile } from '../adapters/history/regressors.js';
import { createHistory } from '../adapters/history/source.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import type { Result } from '../core/spec/problem.js';
import { ok } from '../core/spec/problem.js';
import type { RegionSpec } from '../core/spec/region.js';
import { workerConfig } from '../workers/config.js';

/** Starting threads takes longer than forecasting fewer services than this. */
const INLINE_BELOW = 8;

/** The same forecast as the worker's, from files below the working directory. */
export async function forecastFromFile(region: RegionSpec, at?: string): Promise<Result<DemandForecast>> {
  const { createThreadCompute } = await import('../adapters/compute/threads.js');
  const atMs = at === undefined ? Number.POSITIVE_INFINITY : Date.parse(at);
  const config = workerConfig(process.env, process.cwd());
  const history = createHistory(process.cwd(), { variable: config.variable, now: () => Date.now() });
  const events = createEventsReader({
    directory: process.cwd(),
    cacheDirectory: path.join(config.stateDirectory, 'events'),
    variable: config.variable,
    now: () => Date.now(),
  });
  const regressors: Ports['regressors'] = (file, signal) => readRegressorsFile(process.cwd(), file, signal);
  const readText = (file: string): Promise<string> => readFile(path.resolve(file), 'utf8');
  const compute = createThreadCompute({ inlineBelow: INLINE_BELOW });
  try {
    const result = await forecastOf({ history, events, regressors, readText, compute }, region, atMs);
    return result.ok ? ok(result.value.forecast) : result;
  } finally {
    await compute.close();
  }
}
