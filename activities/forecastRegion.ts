import type { ForecastOutcome } from './contract.js';
import { StepFailure, refuseAll } from './errors.js';
import type { Activity, Ports } from './ports.js';
import { setImmediate as turn } from 'node:timers/promises';
import { forecastInSteps } from '../core/forecast/forecast.js';
import { demandTimeMs } from '../core/spec/demandClock.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import { lowestTrust } from '../core/spec/forecast.js';
import type { ArtifactRef } from '../core/spec/artifact.js';
import type { Result } from '../core/spec/problem.js';
import { ok } from '../core/spec/problem.js';
import type { RegionSpec } from '../core/spec/region.js';

/** Forecasts the demand at every entry service of the region over the horizon that starts now. */
export const forecastRegion: Activity<{ specRef: ArtifactRef }, ForecastOutcome> =
  (ports) =>
  async ({ specRef }, run) => {
    const spec = await ports.artifacts.getJson<RegionSpec>(specRef);
    const result = await forecastOf(ports, spec, demandTimeMs(spec, ports.now()), {
      signal: run.signal,
      progress: (step) => run.progress(step),
    });
    if (!result.ok) throw refuseAll('forecast-failed', 'the demand history is refused', result.problems);
    const forecast = result.value;
    if (forecast.series.length === 0) throw new StepFailure('forecast-failed', 'the history names no entry service');
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

export interface ForecastRun {
  signal?: AbortSignal;
  progress?(step: string): void;
}

/** The forecast of a region from the history that its file names, cut at a moment of demand time. */
export async function forecastOf(
  ports: Pick<Ports, 'history' | 'engines'>,
  spec: RegionSpec,
  atMs: number,
  run: ForecastRun = {},
): Promise<Result<DemandForecast>> {
  const { rows, problems } = await ports.history.read(spec.history, run.signal);
  if (problems.length > 0) return { ok: false, problems };
  const steps = forecastInSteps(
    {
      rows,
      stepSeconds: spec.history.stepSeconds,
      horizonSteps: spec.forecast.horizonSteps,
      seasons: spec.forecast.seasons,
      events: spec.events,
      regionName: spec.name,
      services: spec.services.filter((service) => service.entry !== undefined).map((service) => service.name),
      at: atMs,
    },
    await ports.engines(),
  );
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value.ok ? ok(step.value.value.forecast) : step.value;
    run.progress?.(step.value);
    // A fit keeps the processor for a while: heartbeats and other activities get their turn between two.
    await turn();
    run.signal?.throwIfAborted();
  }
}
