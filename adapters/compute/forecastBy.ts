import type { FinishedRegion } from '../../core/forecast/finish.js';
import type { LstmModel } from '../../core/forecast/members/lstm/model.js';
import type { ForecastInput } from '../../core/forecast/prepareRegion.js';
import { finishPrepared, prepareRegion } from '../../core/forecast/prepareRegion.js';
import type { Result } from '../../core/spec/problem.js';
import { ok } from '../../core/spec/problem.js';
import type { ComputeRun, ForecastCompute } from './port.js';

/**
 * The forecast of a region, its fits by a compute: the numbers of `forecastInSteps`. Repairing the histories and
 * looking at the services together stay in the calling thread. Refused as `prepareRegion` refuses; rejects as
 * `ForecastCompute.draft` does.
 */
export async function forecastBy(
  compute: ForecastCompute,
  input: ForecastInput,
  run: ComputeRun & { lstm?: LstmModel } = {},
): Promise<Result<FinishedRegion>> {
  const prepared = prepareRegion(input);
  if (!prepared.ok) return prepared;
  const { jobs, elsewhere } = prepared.value;
  const { lstm, ...rest } = run;
  const request = {
    jobs: [...jobs, ...elsewhere],
    ...(input.models === undefined ? {} : { models: input.models }),
    ...(lstm === undefined ? {} : { lstm }),
  };
  return ok(finishPrepared(prepared.value, await compute.draft(request, rest)));
}
