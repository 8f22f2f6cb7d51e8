import path from 'node:path';
import { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { forecastOf } from '../activities/forecastOf.js';
import type { Ports } from '../activities/ports.js';
import { createEventsReader } from '../adapters/events/reader.js';
import { createHistory } from '../adapters/history/source.js';
import { readRegressorsFile } from '../adapters/history/regressors.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import { releaseHash } from '../core/spec/hash.js';
import type { Result } from '../core/spec/problem.js';
import { ok } from '../core/spec/problem.js';
import type { RegionSpec } from '../core/spec/region.js';
import { DELIVERIES } from '../delivery/registry.js';
import { workerConfig } from '../workers/config.js';
import { registerAudit } from './audit.js';
import { registerCatalog } from './catalog.js';
import { registerCompletion } from './completion.js';
import { registerFleet } from './fleet.js';
import { registerForecast } from './forecast.js';
import { registerGraph } from './graph.js';
import { registerMetrics } from './metrics.js';
import { registerPlan } from './plan.js';
import { registerRegion } from './region.js';
import { registerReplay } from './replay.js';
import { registerSimulate } from './simulate.js';
import { registerValidate } from './validate.js';
import { registerWorker } from './worker.js';

/** The whole command line, not yet run. */
export function createProgram(): Command {
  const program = new Command('psmg')
    .description('gives a region its service mesh before the region needs it')
    .showHelpAfterError()
    .exitOverride();
  registerForecast(program);
  registerGraph(program);
  registerPlan(program, {
    forecast: forecastFromFile,
    renderDelivery: (region, perHost) =>
      DELIVERIES[region.delivery.tool]({
        region,
        deployment: {
          region: region.name,
          deploymentId: 'preview',
          epoch: 1,
          expectedHash: null,
          releaseHash: releaseHash(perHost),
        },
        releases: perHost,
      }),
  });
  registerValidate(program);
  registerSimulate(program);
  registerRegion(program);
  registerFleet(program);
  registerWorker(program);
  registerReplay(program);
  registerCatalog(program);
  registerAudit(program);
  registerMetrics(program);
  registerCompletion(program);
  return program;
}

/** Starting threads takes longer than forecasting fewer services than this. */
const INLINE_BELOW = 8;

/** The same forecast as the worker's, from files below the working directory. */
async function forecastFromFile(region: RegionSpec, at?: string): Promise<Result<DemandForecast>> {
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
