import { writeFile } from 'node:fs/promises';

import type { ForecastCompute } from '../../adapters/compute/port.js';
import { lstm } from '../../core/forecast/members/lstm/member.js';
import type { LstmModel } from '../../core/forecast/members/lstm/model.js';
import type { LstmService, LstmTraining } from '../../core/forecast/members/lstm/training.js';
import { planOrigins } from '../../core/forecast/ensemble/origins.js';
import { atResolution, coarseFactor } from '../../core/forecast/members/resolution.js';
import type { Series } from '../../core/forecast/series.js';
import { mean } from '../../core/forecast/series.js';
import type { Cost, PhaseReport, RegionOptions } from './regionPhases.js';
import { HISTORY_STEPS, HORIZON_STEPS, measured, SEASONS, tellOf } from './regionPhases.js';
import { DAY_STEPS, measuredShapes, seriesOf, serviceName } from './regionDemand.js';

/** Forecasts that the network is asked for, to time one. */
const ASKED = 200;

/** The network of the region trained from nothing, then from there a day later, then asked; writes it to a file. */
export async function trainPhase(
  options: RegionOptions & { network: string },
  compute: ForecastCompute,
): Promise<PhaseReport> {
  const { services, seed, folder } = options;
  const shapes = await measuredShapes(folder);
  const historyOf = (service: number, day: number): Series =>
    seriesOf(shapes, { service, seed, from: day * DAY_STEPS, to: day * DAY_STEPS + HISTORY_STEPS });
  const costs: Cost[] = [];
  const train = async (part: string, day: number, warm?: LstmModel): Promise<LstmModel> => {
    const training = trainingOf(
      Array.from({ length: services }, (_, service) => historyOf(service, day)),
      seed,
      warm,
    );
    const result = await measured(costs, part, services, async () =>
      compute.train(training, { progress: tellOf(part) }),
    );
    if (!result.ok) throw new Error(result.problems.map(({ field, message }) => `${field}: ${message}`).join('\n'));
    return result.value;
  };
  const cold = await train('training from nothing', 0);
  await writeFile(options.network, JSON.stringify(cold));
  const warm = await train('training on, a day later', 1, cold);
  const [member] = atResolution(SEASONS, (lengths) => [lstm(warm, lengths)]);
  const asked = Array.from({ length: Math.min(ASKED, services) }, (_, service) => historyOf(service, 1));
  await measured(costs, 'one forecast each', asked.length, async () => {
    for (const history of asked) {
      const forecast = member?.forecast(history, HORIZON_STEPS, [], seed);
      if (forecast?.ok !== true) throw new Error(`the network has no forecast: ${forecast?.reason ?? ''}`);
    }
    return Promise.resolve();
  });
  return { services, costs, peakMiB: process.resourceUsage().maxRSS / 1024, chosen: 0, none: 0 };
}

/** As members see it: in coarse steps, with nothing of what back-tests will ask for in the honest weights. */
function trainingOf(histories: readonly Series[], seed: number, warm: LstmModel | undefined): LstmTraining {
  const factor = coarseFactor(SEASONS);
  const coarse = (values: readonly number[]): number[] =>
    Array.from({ length: Math.floor(values.length / factor) }, (_, step) =>
      mean(values.slice(step * factor, (step + 1) * factor)),
    );
  const plan = planOrigins(HISTORY_STEPS, HORIZON_STEPS, SEASONS);
  const series = histories.map(({ startMs, stepMs, values }, service): LstmService => ({
    service: serviceName(service),
    history: { startMs, stepMs: stepMs * factor, values: coarse(values) },
    regressors: [],
  }));
  return {
    series,
    seasons: SEASONS.map((season) => season / factor),
    horizonSteps: HORIZON_STEPS / factor,
    heldBackSteps: Math.ceil((HISTORY_STEPS - (plan?.origins[0] ?? HISTORY_STEPS)) / factor),
    seed,
    ...(warm === undefined ? {} : { warm }),
  };
}
