import { createRandom } from '../../core/forecast/random.js';
import type { ForecastEngines } from '../../core/forecast/forecast.js';
import type { TwinFault, TwinModel } from '../../core/simulate/model.js';
import type { PolicyParams, TwinPolicy } from '../../core/simulate/policy.js';
import type { TwinResult } from '../../core/simulate/result.js';
import type { DemandForecast } from '../../core/spec/forecast.js';
import type { HarmfulMove, Move } from './adjustments.js';
import { harmfulMoves, recorded } from './adjustments.js';
import type { App } from './apps.js';
import { plannedTwin } from './apps.js';
import type { Segment, SegmentForecast } from './demand.js';
import { demandOf, forecastSegment, medianOf } from './demand.js';
import { rewardOf, WINDOW_MS } from './measures.js';
import type { Scenario } from './run.js';
import { runPolicy } from './run.js';

export interface SafetyInput {
  apps: readonly App[];
  segments: readonly Segment[];
  engines: ForecastEngines;
  /** Acts, and does not. */
  on: TwinPolicy;
  off: TwinPolicy;
  params: PolicyParams;
  /** Of `on`, for counting ticks. */
  tickMs: number;
  runs: number;
  seed: number;
  progress?: (done: number) => void;
}

/** One run with the tuner on, beside the same one with it off. */
export interface SafetyRun {
  seed: number;
  app: string;
  segment: string;
  surge: number;
  /** What the forecast was multiplied by. */
  forecastFactor: number;
  /** Faults were put where and when the tuner had acted in a run before. */
  isAimed: boolean;
  faults: readonly TwinFault[];
  on: number;
  off: number;
  /** Reward that is lost by having the tuner on, over that with it off; below 0 it is gained. */
  lostShare: number;
  /** The same with the tuner off both times, and ways a microsecond longer: what chance alone does to one seed. */
  chanceShare: number;
  moves: readonly Move[];
  /** Windows' rewards, for judging single moves. */
  windows: { on: readonly number[]; off: readonly number[] };
}

const WORST_FACTOR = 3;
const DURATION_MS = 300_000;
const WARM_UP_MS = 20_000;
const HARMLESS_MS = 0.001;

export function safetyRuns(input: SafetyInput): SafetyRun[] {
  const forecasts = new Map<string, SegmentForecast>();
  return Array.from({ length: input.runs }, (_, i) => {
    const run = safetyRun(input, input.seed + i, i % 2 === 1, forecasts);
    input.progress?.(i + 1);
    return run;
  });
}

function safetyRun(
  input: SafetyInput,
  seed: number,
  isAimed: boolean,
  forecasts: Map<string, SegmentForecast>,
): SafetyRun {
  const random = createRandom(Math.imul(seed, 104_729));
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const [app, segment, surge] = [one(input.apps), one(input.segments), one([1, 1.2, 1.5, 2])];
  const forecastFactor = WORST_FACTOR ** (2 * random() - 1);
  const key = `${app.name} ${segment.name}`;
  const known = forecasts.get(key) ?? forecastSegment(segment, app, input.engines);
  forecasts.set(key, known);
  const forecast = scaledForecast(known.forecast, forecastFactor);
  const scenario: Scenario = {
    ...{ group: app.name, name: segment.name, surge, model: plannedTwin(app, forecast, known.peaks) },
    ...{ demand: demandOf(segment, app, surge), forecast: medianOf(forecast, segment.stepSeconds) },
    ...{ durationMs: DURATION_MS, warmUpMs: WARM_UP_MS, faults: [] },
  };
  const { policy, moves } = recorded(input.on);
  if (isAimed) runPolicy(scenario, policy, input.params, seed);
  const targets = isAimed ? moves() : [];
  const faults = Array.from({ length: 1 + Math.floor(random() * 3) }, () => drawFault(scenario.model, targets, random));
  const faulty = { ...scenario, faults };
  const on = runPolicy(faulty, policy, input.params, seed);
  const made = [...moves()];
  const off = runPolicy(faulty, input.off, {}, seed);
  const other = runPolicy({ ...faulty, model: hardlyOther(scenario.model) }, input.off, {}, seed);
  const total = (result: TwinResult): number => rewardOf(result.totals, scenario.model);
  const byWindow = (result: TwinResult): number[] => result.windows.map((slice) => rewardOf(slice, scenario.model));
  return {
    ...{ seed, app: app.name, segment: segment.name, surge, forecastFactor, isAimed, faults, moves: made },
    ...{ on: total(on), off: total(off), lostShare: lost(total(on), total(off)) },
    chanceShare: lost(total(other), total(off)),
    windows: { on: byWindow(on), off: byWindow(off) },
  };
}

/** Picks of hosts fall otherwise, and nothing else is different. */
function hardlyOther(model: TwinModel): TwinModel {
  const [own, ...others] = model.regions;
  if (own === undefined) return model;
  return { ...model, regions: [{ ...own, networkMs: (own.networkMs ?? 0) + HARMLESS_MS }, ...others] };
}

/** Where hardly anything is earned without the tuner, over a twentieth of all that could be. */
function lost(on: number, off: number): number {
  return (off - on) / Math.max(0.05, Math.abs(off));
}

export function scaledForecast(forecast: DemandForecast, by: number): DemandForecast {
  const scaled = (values: readonly number[]): number[] => values.map((value) => value * by);
  // Paths that are drawn from the errors of the true forecast would not fit the wrong one.
  const { joint: _, ...rest } = forecast;
  return {
    ...rest,
    series: forecast.series.map((series) => {
      const { p50, p80, p90, p95, p99 } = series.quantiles;
      const quantiles = { p50: scaled(p50), p80: scaled(p80), p90: scaled(p90), p95: scaled(p95), p99: scaled(p99) };
      return { ...series, quantiles };
    }),
  };
}

/** Anywhere and any time; with targets, at one of them and within half a minute of its move. */
function drawFault(model: TwinModel, targets: readonly Move[], random: () => number): TwinFault {
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const target = targets.length > 0 ? one(targets) : undefined;
  const service = target?.service ?? one(model.services).name;
  const own = model.regions[0]?.name ?? '';
  const instances = model.services.find(({ name }) => name === service)?.places[own]?.instances.length ?? 1;
  const instance = Math.floor(random() * Math.max(1, instances));
  const fromMs = Math.round(target === undefined ? 20_000 + 200_000 * random() : target.fromMs + 30_000 * random());
  const span = { fromMs, untilMs: fromMs + 10_000 + Math.round(80_000 * random()) };
  const how = random() < 0.5 ? 'refuses' : 'silent';
  const kinds: readonly TwinFault[] = [
    { kind: 'slowInstance', service, instance, factor: 2 + 8 * random(), ...span },
    { kind: 'slowService', service, factor: 1.2 + 1.8 * random(), ...span },
    { kind: 'failing', service, errorShare: 0.05 + 0.9 * random(), ...span },
    { kind: 'failing', service, instance, errorShare: 0.2 + 0.8 * random(), ...span },
    { kind: 'instanceDown', service, instance, how, ...span },
    { kind: 'coldStart', service, instances: [instance], atMs: fromMs },
    { kind: 'network', between: [own, model.regions[1]?.name ?? own], addMs: 200 * random(), ...span },
  ];
  return one(kinds);
}

/** Each run's moves during which a window lost more than the threshold. */
export function harmfulOf(
  runs: readonly SafetyRun[],
  { threshold, tickMs }: { threshold: number; tickMs: number },
): HarmfulMove[] {
  return runs.flatMap(({ moves, windows }) =>
    harmfulMoves({ moves, ...windows, windowMs: WINDOW_MS, tickMs, threshold }),
  );
}
