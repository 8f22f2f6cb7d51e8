import type { FinishedRegion } from '../../core/forecast/finish.js';
import type { PreparedRegion } from '../../core/forecast/prepareRegion.js';
import { finishPrepared } from '../../core/forecast/prepareRegion.js';
import type { ComputeRun, DraftRequest, ForecastCompute } from './port.js';

/**
 * The forecast of a prepared region, its fits by a compute: the numbers of `forecastInSteps`. Looking at the services
 * together stays in the calling thread. Rejects as `ForecastCompute.draft` does.
 */
export async function forecastBy(
  compute: ForecastCompute,
  prepared: PreparedRegion,
  request: Omit<DraftRequest, 'jobs'> = {},
  run: ComputeRun = {},
): Promise<FinishedRegion> {
  const jobs = [...prepared.jobs, ...prepared.elsewhere];
  return finishPrepared(prepared, await compute.draft({ jobs, ...request }, run));
}
