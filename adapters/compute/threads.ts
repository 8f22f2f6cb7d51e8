import { availableParallelism } from 'node:os';
import { loadForecastEngines } from '../wasm/augurs.js';
import { createInProcessCompute } from './inProcess.js';
import type { PoolOptions } from './pool.js';
import { ThreadPool } from './pool.js';
import type { ForecastCompute } from './port.js';
import { computeBy } from './tasks.js';

export interface ThreadComputeOptions extends Partial<PoolOptions> {
  /**
   * Requests of fewer jobs are computed in the calling thread: starting one takes most of a second. Default 0: never,
   * since a fit blocks the event loop of whoever computes, and a worker has others to serve.
   */
  inlineBelow?: number;
}

const DEFAULTS = {
  entry: new URL('./thread.mjs', import.meta.url),
  stopGraceMs: 3_000,
  mostStepMs: 300_000,
  idleMs: 30_000,
  mostHeapMiB: 768,
};

/** Computes in threads, as many as there are cores unless told, each with engines of its own. */
export function createThreadCompute(options: ThreadComputeOptions = {}): ForecastCompute {
  const { inlineBelow = 0, threads = availableParallelism(), ...rest } = options;
  const inThreads = computeBy(new ThreadPool({ ...DEFAULTS, threads: Math.max(1, threads), ...rest }));
  const inline = createInProcessCompute(loadForecastEngines);
  return {
    draft: async (request, run) => (request.jobs.length < inlineBelow ? inline : inThreads).draft(request, run),
    train: async (training, run) => inThreads.train(training, run),
    close: async () => {
      await Promise.all([inThreads.close(), inline.close()]);
    },
  };
}
