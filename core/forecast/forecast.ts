import type { DemandSample } from '../spec/csvDemand.js';
import type { DemandForecast } from '../spec/forecast.js';
import type { Problem, Result } from '../spec/problem.js';
import { ok, refused } from '../spec/problem.js';
import type { EventSpec } from '../spec/region.js';
import type { ForecastEngines } from './createMembers.js';
import { createMembers } from './createMembers.js';
import { eventsFor } from './events.js';
import { forecastService } from './forecastService.js';
import type { ModelName } from './members.js';
import type { PreparedSeries } from './prepareSeries.js';
import { prepareSeries } from './prepareSeries.js';
import { endMs } from './series.js';

export type { ForecastEngines } from './createMembers.js';

export interface ForecastInput {
  rows: readonly DemandSample[];
  stepSeconds: number;
  horizonSteps: number;
  /** Season lengths in steps. */
  seasons: readonly number[];
  events: readonly EventSpec[];
  regionName: string;
  /** Absent: every service that the rows name. One without rows is a problem. */
  services?: readonly string[];
  /**
   * Demand time at which the forecast is made, milliseconds since the epoch: nothing later is looked at. Absent or
   * infinite: where the history ends.
   */
  at?: number;
  /** Absent: all; weighted by what they do in the back-test. */
  models?: readonly ModelName[];
  /** For members that need chance. */
  seed?: number;
}

/** A silence longer than this many longest seasons says that the service is gone, not that it is quiet. */
const MAX_STALE_SEASONS = 2;

/**
 * Demand of each service by step, as quantiles, with the trust that a back-test on its own history earned.
 * Deterministic, and never silent: a history too short for anything gives its last value with trust `none`. Refused
 * with every problem found: unusable rows, long gaps, services without history.
 */
export function forecastDemand(input: ForecastInput, engines: ForecastEngines): Result<DemandForecast> {
  const steps = forecastInSteps(input, engines);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same, handing control back before every fit with a word of progress: a fit blocks its thread. */
export function* forecastInSteps(
  input: ForecastInput,
  engines: ForecastEngines,
): Generator<string, Result<DemandForecast>> {
  const problems = inputProblems(input);
  if (problems.length > 0) return refused(problems);
  const seasons = [...new Set(input.seasons)].sort((a, b) => a - b);
  const prepared = prepareAll(input, seasons);
  if (!prepared.ok) return refused(prepared.problems);
  const startMs = startOf(input, prepared.value);
  const longest = seasons.at(-1) ?? 1;
  const stale = staleProblems(prepared.value, startMs, MAX_STALE_SEASONS * longest);
  if (stale.length > 0) return refused(stale);
  const notes: string[] = [];
  const series: DemandForecast['series'][number][] = [];
  for (const [service, { series: history, notes: repaired }] of prepared.value) {
    notes.push(...repaired);
    const outcome = yield* forecastService({
      service,
      history,
      startMs,
      horizonSteps: input.horizonSteps,
      seasons,
      events: eventsFor(input.events, input.regionName, service),
      known: [],
      members: createMembers(engines, seasons, history.values.length, input.models),
      seed: input.seed ?? 1,
    });
    notes.push(...outcome.notes.map((note) => `${service}: ${note}`));
    series.push(outcome.series);
  }
  return ok({ series, notes });
}

function inputProblems(input: ForecastInput): Problem[] {
  const problems: Problem[] = [];
  const whole = (field: string, value: number, least: number, most: number): void => {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    const expected = `a whole number from ${least} to ${most}`;
    problems.push({ code: 'bad-value', field, message: `is ${value}`, expected });
  };
  whole('stepSeconds', input.stepSeconds, 1, 604_800);
  whole('horizonSteps', input.horizonSteps, 1, 10_000);
  for (const [index, season] of input.seasons.entries()) whole(`seasons[${index}]`, season, 2, 100_000);
  if (input.seasons.length === 0) problems.push({ code: 'missing', field: 'seasons', message: 'is empty' });
  if (input.at !== undefined && Number.isNaN(input.at)) {
    problems.push({ code: 'bad-value', field: 'at', message: 'is not a time' });
  }
  return problems;
}

type PreparedAll = ReadonlyMap<string, PreparedSeries>;

function prepareAll(
  input: ForecastInput,
  seasons: readonly number[],
): { ok: true; value: PreparedAll } | { ok: false; problems: readonly Problem[] } {
  const byService = new Map<string, DemandSample[]>();
  for (const service of input.services ?? []) byService.set(service, []);
  for (const row of input.rows) {
    const rows = byService.get(row.service);
    if (rows !== undefined) rows.push(row);
    else if (input.services === undefined) byService.set(row.service, [row]);
  }
  const problems: Problem[] = [];
  const value = new Map<string, PreparedSeries>();
  if (byService.size === 0) problems.push({ code: 'no-history', field: 'history', message: 'has no rows' });
  for (const [service, rows] of byService) {
    const options = {
      service,
      stepSeconds: input.stepSeconds,
      seasons,
      ...(isOpen(input.at) ? {} : { atMs: input.at }),
    };
    const prepared = prepareSeries(rows, options);
    if (prepared.ok) value.set(service, prepared.value);
    else problems.push(...prepared.problems);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value };
}

/** The step that `at` falls into; without it the first one that no history covers. All services start together. */
function startOf(input: ForecastInput, prepared: PreparedAll): number {
  const ends = [...prepared.values()].map(({ series }) => endMs(series));
  const latest = Math.max(...ends);
  if (isOpen(input.at)) return latest;
  const stepMs = input.stepSeconds * 1000;
  return Math.max(latest, latest + Math.floor((input.at - latest) / stepMs) * stepMs);
}

function isOpen(at: number | undefined): at is undefined {
  return at === undefined || !Number.isFinite(at);
}

function staleProblems(prepared: PreparedAll, startMs: number, mostSteps: number): Problem[] {
  return [...prepared].flatMap(([service, { series }]): Problem[] => {
    const steps = Math.round((startMs - endMs(series)) / series.stepMs);
    if (steps <= mostSteps) return [];
    const ended = new Date(endMs(series)).toISOString();
    const message = `ended at ${ended}, ${steps} steps before the forecast begins (at most ${mostSteps})`;
    return [{ code: 'stale-history', field: `history.${service}`, message, fix: 'bring it up to date' }];
  });
}
