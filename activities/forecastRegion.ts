import type { ForecastOutcome } from './contract.js';
import { StepFailure, refuseAll } from './errors.js';
import { recall, remember } from './forecastMemory.js';
import { forecastOf } from './forecastOf.js';
import type { Activity } from './ports.js';
import { demandTimeMs } from '../core/spec/demandClock.js';
import { lowestTrust } from '../core/spec/forecast.js';
import type { ArtifactRef } from '../core/spec/artifact.js';
import type { RegionSpec } from '../core/spec/region.js';

/** Forecasts the demand at every service of the region that has history, over the horizon that starts now. */
export const forecastRegion: Activity<{ specRef: ArtifactRef }, ForecastOutcome> =
  (ports) =>
  async ({ specRef }, run) => {
    const spec = await ports.artifacts.getJson<RegionSpec>(specRef);
    const remembered = await recall(ports, spec.name);
    const result = await forecastOf(ports, spec, demandTimeMs(spec, ports.now()), remembered, {
      signal: run.signal,
      progress: (step) => run.progress(step),
    });
    if (!result.ok) throw refuseAll('forecast-failed', 'the demand history is refused', result.problems);
    const { forecast, choices, training } = result.value;
    if (forecast.series.length === 0) throw new StepFailure('forecast-failed', 'the history names no entry service');
    await remember(ports, spec.name, { choices });
    // Minutes of work that no forecast waits for: the next one has it.
    if (training !== undefined) ports.trainer.offer(spec.name, training.input);
    return {
      ref: await ports.artifacts.putJson('forecast', forecast),
      trust: lowestTrust(forecast),
      services: forecast.series.map((series) => ({
        service: series.service,
        models: series.models.filter((model) => model.weight > 0),
        trust: series.trust,
        trustReason: series.trustReason,
        peakRps: Math.max(...series.quantiles[spec.forecast.demandQuantile]),
      })),
      notes: forecast.notes,
    };
  };
