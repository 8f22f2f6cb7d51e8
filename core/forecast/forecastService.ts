import type { ForecastSeries } from '../spec/forecast.js';
import type { ServiceJob } from './ensemble/draft.js';
import { draftService } from './ensemble/draft.js';
import { finishRegion } from './finish.js';
import type { ForecastMember } from './members/members.js';

export interface ServiceOutcome {
  series: ForecastSeries;
  notes: readonly string[];
}

/** The forecast of a service that is a region by itself: nobody to pool errors with, or to borrow from. */
export function* forecastService(
  job: ServiceJob & { members: readonly ForecastMember[] },
): Generator<string, ServiceOutcome> {
  const outcome = yield* draftService(job, job.members);
  const { forecast } = finishRegion([{ job, outcome }]);
  const [series] = forecast.series;
  if (series === undefined) throw new Error(`no forecast of ${job.service}`);
  return { series, notes: forecast.notes };
}
