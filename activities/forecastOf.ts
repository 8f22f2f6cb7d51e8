import type { Remembered } from './forecastMemory.js';
import type { Ports } from './ports.js';
import { graphOf } from './planRegion.js';
import { forecastBy } from '../adapters/compute/forecastBy.js';
import type { ServiceChoice } from '../core/forecast/ensemble/choice.js';
import { degradeForecast, eventsWindow } from '../core/forecast/events/degrade.js';
import type { LstmTraining } from '../core/forecast/members/lstm/training.js';
import { networkTraining } from '../core/forecast/networkTraining.js';
import type { ForecastInput } from '../core/forecast/prepareRegion.js';
import { prepareRegion } from '../core/forecast/prepareRegion.js';
import { callsByEntry } from '../core/graph/propagate.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import type { Result } from '../core/spec/problem.js';
import { ok, refused } from '../core/spec/problem.js';
import type { RegionSpec } from '../core/spec/region.js';

export interface ForecastRun {
  signal?: AbortSignal;
  progress?(step: string): void;
}

export interface RegionForecast {
  forecast: DemandForecast;
  /** For the next forecast to start from. */
  choices: readonly ServiceChoice[];
  /** What the region's network should be trained on, and why; absent: it is good, or there is too little to learn from. */
  training?: { input: LstmTraining; reason: string };
}

export type ForecastPorts = Pick<Ports, 'history' | 'events' | 'regressors' | 'compute' | 'readText'>;

/** The forecast of a region from what its file names, cut at a moment of demand time. */
export async function forecastOf(
  ports: ForecastPorts,
  spec: RegionSpec,
  atMs: number,
  remembered: Remembered = {},
  run: ForecastRun = {},
): Promise<Result<RegionForecast>> {
  const read = await readInput(ports, spec, atMs, run);
  if (!read.ok) return read;
  const { input, sources } = read.value;
  const prepared = prepareRegion({
    ...input,
    ...(remembered.choices === undefined ? {} : { kept: remembered.choices }),
  });
  if (!prepared.ok) return prepared;
  const { lstm } = remembered;
  const { forecast, choices } = await forecastBy(ports.compute, prepared.value, lstm === undefined ? {} : { lstm }, {
    ...(run.signal === undefined ? {} : { signal: run.signal }),
    progress: (done, total, word) => run.progress?.(`${done} of ${total} services; ${word}`),
  });
  const training = networkTraining(prepared.value.jobs, remembered);
  return ok({
    forecast: degradeForecast({ ...forecast, notes: [...sources.notes, ...forecast.notes] }, sources.degraded),
    choices,
    ...(training === null ? {} : { training }),
  });
}

async function readInput(
  ports: ForecastPorts,
  spec: RegionSpec,
  atMs: number,
  run: ForecastRun,
): Promise<Result<{ input: ForecastInput; sources: Awaited<ReturnType<ForecastPorts['events']['read']>> }>> {
  const { history, forecast } = spec;
  const { rows, problems } = await ports.history.read(history, run.signal, atMs);
  const file = history.regressors?.file;
  const regressors = file === undefined ? { samples: [], problems: [] } : await ports.regressors(file, run.signal);
  const borrow = history.borrow;
  const { stepSeconds } = history;
  const other =
    borrow === undefined ? null : await ports.history.read({ kind: 'csv', file: borrow.file, stepSeconds }, run.signal);
  const all = [...problems, ...regressors.problems, ...(other?.problems ?? [])];
  if (all.length > 0) return refused(all);
  const window = eventsWindow(rows, stepSeconds, forecast.horizonSteps, atMs);
  const sources = await ports.events.read(spec, window, run.signal ?? new AbortController().signal);
  const entries = spec.services.filter((service) => service.entry !== undefined).map((service) => service.name);
  const seen = new Set(rows.map((row) => row.service));
  const inner = spec.services
    .map((service) => service.name)
    .filter((name) => !entries.includes(name) && seen.has(name));
  // A graph that is refused is the plan's to tell; the forecast can do without.
  const graph = inner.length === 0 ? null : await graphOf(ports, spec).catch(() => null);
  const input: ForecastInput = {
    rows,
    stepSeconds,
    horizonSteps: forecast.horizonSteps,
    seasons: forecast.seasons,
    events: [...spec.events, ...sources.events],
    regressors: regressors.samples,
    regionName: spec.name,
    services: [...entries, ...inner],
    at: atMs,
    ...(forecast.timeZone === undefined ? {} : { timeZone: forecast.timeZone }),
    ...(graph === null ? {} : { calls: { byService: callsByEntry(graph, entries), entries } }),
    ...(other === null
      ? {}
      : { borrow: { rows: other.rows, ...(borrow?.scale === undefined ? {} : { scale: borrow.scale }) } }),
  };
  return ok({ input, sources });
}
