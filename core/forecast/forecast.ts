import type { DemandSample } from '../spec/csvDemand.js';
import type { DemandForecast } from '../spec/forecast.js';
import type { Problem, Result } from '../spec/problem.js';
import { ok, refused } from '../spec/problem.js';
import type { EventSpec } from '../spec/region.js';
import type { ForecastEngines } from './createMembers.js';
import { createMembers } from './createMembers.js';
import { eventsFor } from './events.js';
import type { ServiceChoice } from './choice.js';
import type { DraftOutcome, ServiceJob } from './draft.js';
import { draftService } from './draft.js';
import type { Answered, FinishedRegion } from './finish.js';
import { finishRegion } from './finish.js';
import type { ForecastMember, ModelName } from './members.js';
import type { PreparedSeries } from './prepareSeries.js';
import { prepareSeries } from './prepareSeries.js';
import type { CallsByEntry } from './reconcile.js';
import type { Series } from './series.js';
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
  /** What earlier forecasts decided, by service; used where it still answers. */
  kept?: readonly ServiceChoice[];
  /** Demand of each service for one request a second at each entry: forecasts are made to agree where that is better. */
  calls?: { byService: CallsByEntry; entries: readonly string[] };
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

/** A region's question taken apart into those of its services; plain data. */
export interface PreparedRegion {
  jobs: readonly ServiceJob[];
  /** The same services in the region that is borrowed from, where one here has too little history. */
  elsewhere: readonly ServiceJob[];
  calls?: CallsByEntry;
  entries?: readonly string[];
  notes: readonly string[];
}

/** Checks the question whole and repairs its histories; nothing is fitted yet. */
export function prepareRegion(input: ForecastInput): Result<PreparedRegion> {
  const problems = inputProblems(input);
  if (problems.length > 0) return refused(problems);
  const seasons = [...new Set(input.seasons)].sort((a, b) => a - b);
  const prepared = prepareAll(input, seasons);
  if (!prepared.ok) return refused(prepared.problems);
  const startMs = startOf(input, prepared.value);
  const longest = seasons.at(-1) ?? 1;
  const stale = staleProblems(prepared.value, startMs, MAX_STALE_SEASONS * longest);
  if (stale.length > 0) return refused(stale);
  const jobOf = (service: string, history: Series): ServiceJob => {
    const kept = input.kept?.find((choice) => choice.service === service);
    return {
      service,
      history,
      startMs,
      horizonSteps: input.horizonSteps,
      seasons,
      events: eventsFor(input.events, input.regionName, service),
      known: [],
      seed: input.seed ?? 1,
      ...(kept === undefined ? {} : { kept }),
    };
  };
  const jobs = [...prepared.value].map(([service, { series }]) => jobOf(service, series));
  return ok({
    jobs,
    elsewhere: [],
    ...(input.calls === undefined ? {} : { calls: input.calls.byService, entries: input.calls.entries }),
    notes: [...prepared.value.values()].flatMap((one) => one.notes),
  });
}

/** Answers to `[...jobs, ...elsewhere]`, in that order, as one forecast. */
export function finishPrepared(prepared: PreparedRegion, outcomes: readonly DraftOutcome[]): FinishedRegion {
  const { jobs, elsewhere, calls, entries, notes } = prepared;
  const answered = (list: readonly ServiceJob[], from: number): Answered[] =>
    list.flatMap((job, index): Answered[] => {
      const outcome = outcomes[from + index];
      return outcome === undefined ? [] : [{ job, outcome }];
    });
  const finished = finishRegion(answered(jobs, 0), {
    ...(calls === undefined || entries === undefined ? {} : { calls, entries }),
    elsewhere: answered(elsewhere, jobs.length),
  });
  const { forecast } = finished;
  return { ...finished, forecast: { ...forecast, notes: [...notes, ...forecast.notes] } };
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
