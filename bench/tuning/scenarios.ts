import type { ForecastEngines } from '../../core/forecast/forecast.js';
import { callsByEntry } from '../../core/graph/propagate.js';
import type { TwinModel } from '../../core/simulate/model.js';
import type { DemandForecast } from '../../core/spec/forecast.js';
import type { App } from './apps.js';
import { plannedTwin, steadyDemand } from './apps.js';
import type { Segment } from './demand.js';
import { demandOf, forecastSegment, medianOf, SEGMENT_SECONDS } from './demand.js';
import { capacities } from './optimum.js';
import { perturbed } from './perturbed.js';
import type { Scenario } from './run.js';

const WARM_UP_MS = 60_000;
const OVERLOAD_MS = 180_000;
/** What the plan of an overloaded region is made for, of its peak. */
const PLANNED_SHARE = 0.95;

/** A segment in an application's region, planned for on what was known before it, with each of the surges. */
export function dayScenarios(
  app: App,
  segments: readonly Segment[],
  surges: readonly number[],
  engines: ForecastEngines,
): Scenario[] {
  return segments.flatMap((segment) => {
    const { forecast, median, peaks } = forecastSegment(segment, app, engines);
    const model = plannedTwin(app, forecast, peaks);
    return surges.map((surge): Scenario => ({
      ...{ group: app.name, name: segment.name, surge, model, forecast: median },
      ...{ demand: demandOf(segment, app, surge), durationMs: SEGMENT_SECONDS * 1000, warmUpMs: WARM_UP_MS },
    }));
  });
}

/** What policies are tuned on: other days, and a twin that is wrong about the region, differently each time. */
export function trainingScenarios(app: App, segments: readonly Segment[], engines: ForecastEngines): Scenario[] {
  return segments.map((segment, i) => {
    const [scenario] = dayScenarios(app, [segment], [i % 2 === 0 ? 1.5 : 1], engines);
    if (scenario === undefined) throw new Error('a segment and a surge make a scenario');
    return { ...scenario, model: perturbed(scenario.model, 77 + i) };
  });
}

/** So many times what its narrowest service can take, all the time, at a region with no reserve and nobody beside it. */
export function overloadScenario(app: App, factor: number): Scenario {
  const forecast = steadyForecast(app, app.peakRps * PLANNED_SHARE);
  const model = withoutReserve(plannedTwin(app, forecast));
  return {
    ...{ group: app.name, name: `${factor} × capacity`, surge: 1 },
    ...{ model, demand: steadyDemand(app.entries, factor * mostRps(app, model)) },
    ...{ forecast: medianOf(forecast, SEGMENT_SECONDS), durationMs: OVERLOAD_MS, warmUpMs: WARM_UP_MS },
  };
}

/** Over all entries, in their shares, until the first service is full. */
function mostRps({ graph, entries }: App, model: TwinModel): number {
  const names = entries.map(({ service }) => service);
  const calls = callsByEntry(graph, names);
  const room = [...capacities(model)].map(([service, capacity]) => {
    const each = entries.reduce((sum, one) => sum + one.share * (calls.get(service)?.get(one.service) ?? 0), 0);
    return capacity / each;
  });
  return Math.min(...room);
}

export function overloadTraining(app: App): Scenario[] {
  return [1.5, 2.5].map((factor, i) => {
    const scenario = overloadScenario(app, factor);
    return { ...scenario, model: perturbed(scenario.model, 97 + i) };
  });
}

function withoutReserve(model: Scenario['model']): Scenario['model'] {
  return {
    ...model,
    services: model.services.map((service) => ({
      ...service,
      places: Object.fromEntries(
        Object.entries(service.places).map(([region, place]) => [
          region,
          { ...place, maxInstances: place.instances.length },
        ]),
      ),
    })),
  };
}

/** One step, known exactly. */
export function steadyForecast({ entries }: Pick<App, 'entries'>, rps: number): DemandForecast {
  return {
    series: entries.map(({ service, share }) => {
      const at = [rps * share];
      return {
        ...{ service, step: '10m', models: [], trust: 'high' as const, trustReason: 'stated' },
        timestamps: ['2026-01-05T00:00:00.000Z'],
        quantiles: { p50: at, p80: at, p90: at, p95: at, p99: at },
      };
    }),
    notes: [],
  };
}
