import type { DemandForecast } from '../spec/forecast.js';
import type { Result } from '../spec/problem.js';
import { ok } from '../spec/problem.js';
import type { ForecastEngines } from './members/createMembers.js';
import { createMembers } from './members/createMembers.js';
import type { DraftOutcome, ServiceJob } from './ensemble/draft.js';
import { draftService } from './ensemble/draft.js';
import type { FinishedRegion } from './finish.js';
import type { ForecastMember, ModelName } from './members/members.js';
import type { ForecastInput } from './prepareRegion.js';
import { finishPrepared, prepareRegion } from './prepareRegion.js';

export type { ForecastEngines } from './members/createMembers.js';

/**
 * Demand of each service by step, as quantiles, with the trust that a back-test on its own history earned.
 * Deterministic, and never silent: a history too short for anything gives its last value with trust `none`. Refused
 * with every problem found: unusable rows, long gaps, services without history.
 */
export function forecastDemand(input: ForecastInput, engines: ForecastEngines): Result<DemandForecast> {
  const steps = forecastInSteps(input, engines);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value.ok ? ok(step.value.value.forecast) : step.value;
  }
}

/** The same, handing control back before every fit with a word of progress: a fit blocks its thread. */
export function* forecastInSteps(
  input: ForecastInput,
  engines: ForecastEngines,
): Generator<string, Result<FinishedRegion>> {
  const prepared = prepareRegion(input);
  if (!prepared.ok) return prepared;
  const { jobs, elsewhere } = prepared.value;
  const outcomes: DraftOutcome[] = [];
  for (const job of [...jobs, ...elsewhere]) {
    const steps = draftService(job, membersFor(job, engines, input.models));
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        outcomes.push(step.value);
        break;
      }
      yield `${job.service}: ${step.value}`;
    }
  }
  return ok(finishPrepared(prepared.value, outcomes));
}

export function membersFor(
  job: ServiceJob,
  engines: ForecastEngines,
  models: readonly ModelName[] | undefined,
): ForecastMember[] {
  return createMembers(engines, job.seasons, job.history.values.length, models);
}
