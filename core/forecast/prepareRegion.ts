import type { RegressorSample } from '../spec/csvRegressors.js';
import type { DemandSample } from '../spec/csvDemand.js';
import type { Problem, Result } from '../spec/problem.js';
import { ok, refused } from '../spec/problem.js';
import type { EventSpec } from '../spec/region.js';
import { timeZoneNamed } from '../spec/timeZone.js';
import type { ServiceChoice } from './ensemble/choice.js';
import type { DraftOutcome, ServiceJob } from './ensemble/draft.js';
import { leadsOf } from './ensemble/draft.js';
import type { TimedEvent } from './events/events.js';
import { eventsFor } from './events/events.js';
import type { Answered, FinishedRegion } from './finish.js';
import { finishRegion } from './finish.js';
import type { KnownSeries, ModelName } from './members/members.js';
import { planOrigins } from './ensemble/origins.js';
import type { PreparedSeries } from './history/prepareSeries.js';
import { prepareSeries } from './history/prepareSeries.js';
import type { CallsByEntry } from './reconcile.js';
import { regressorSeries } from './history/regressorSeries.js';
import { endMs } from './series.js';

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
  /** What is known over history and horizon beside events. */
  regressors?: readonly RegressorSample[];
  /** IANA zone whose clock demand follows; absent: UTC. */
  timeZone?: string;
  /** Demand in another region, from which a service without history borrows its shape. */
  borrow?: { rows: readonly DemandSample[]; scale?: number };
}

/** A silence longer than this many longest seasons says that the service is gone, not that it is quiet. */
const MAX_STALE_SEASONS = 2;

/** A region's question taken apart into those of its services; plain data. */
export interface PreparedRegion {
  jobs: readonly ServiceJob[];
  /** The same services in the region that is borrowed from, where one here has too little history. */
  elsewhere: readonly ServiceJob[];
  borrowScale?: number;
  calls?: CallsByEntry;
  entries?: readonly string[];
  notes: readonly string[];
}

/** Checks the question whole and repairs its histories; nothing is fitted yet. Every problem at once. */
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
  const notes = [...prepared.value.values()].flatMap((one) => one.notes);
  const jobs = jobsOf(input, prepared.value, { startMs, seasons }, notes);
  if (!jobs.ok) return refused(jobs.problems);
  const elsewhere = borrowedFrom(input, jobs.value, { startMs, seasons }, notes);
  return ok({
    jobs: jobs.value,
    elsewhere,
    ...(input.borrow?.scale === undefined ? {} : { borrowScale: input.borrow.scale }),
    ...(input.calls === undefined ? {} : { calls: input.calls.byService, entries: input.calls.entries }),
    notes,
  });
}

/** Answers to `[...jobs, ...elsewhere]`, in that order, as one forecast. */
export function finishPrepared(prepared: PreparedRegion, outcomes: readonly DraftOutcome[]): FinishedRegion {
  const { jobs, elsewhere, borrowScale, calls, entries, notes } = prepared;
  const answered = (list: readonly ServiceJob[], from: number): Answered[] =>
    list.flatMap((job, index): Answered[] => {
      const outcome = outcomes[from + index];
      return outcome === undefined ? [] : [{ job, outcome }];
    });
  const finished = finishRegion(answered(jobs, 0), {
    ...(calls === undefined || entries === undefined ? {} : { calls, entries }),
    ...(borrowScale === undefined ? {} : { borrowScale }),
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
  for (const [index, { uplift = 0 }] of input.events.entries()) {
    if (uplift > -1 && uplift <= 100) continue;
    const expected = 'a factor − 1: > −1, ≤ 100';
    problems.push({ code: 'bad-value', field: `events[${index}].uplift`, message: `is ${uplift}`, expected });
  }
  if (input.seasons.length === 0) problems.push({ code: 'missing', field: 'seasons', message: 'is empty' });
  if (input.at !== undefined && Number.isNaN(input.at)) {
    problems.push({ code: 'bad-value', field: 'at', message: 'is not a time' });
  }
  if (input.timeZone !== undefined && timeZoneNamed(input.timeZone) === null) {
    const expected = 'a name of the IANA database, such as Europe/Berlin';
    problems.push({ code: 'bad-value', field: 'timeZone', message: `"${input.timeZone}" is not known`, expected });
  }
  const scale = input.borrow?.scale;
  if (scale !== undefined && !(scale > 0 && scale <= 1e6)) {
    problems.push({ code: 'bad-value', field: 'borrow.scale', message: `is ${scale}`, expected: 'a factor above 0' });
  }
  return problems;
}

interface Frame {
  startMs: number;
  /** Rising. */
  seasons: readonly number[];
}

function jobsOf(
  input: ForecastInput,
  prepared: PreparedAll,
  { startMs, seasons }: Frame,
  notes: string[],
): Result<readonly ServiceJob[]> {
  const problems: Problem[] = [];
  const jobs = [...prepared].map(([service, { series, trainable }]): ServiceJob => {
    const kept = input.kept?.find((choice) => choice.service === service);
    const job: ServiceJob = {
      service,
      history: series,
      startMs,
      horizonSteps: input.horizonSteps,
      seasons,
      events: eventsFor(input.events, input.regionName, service),
      known: [],
      seed: input.seed ?? 1,
      ...(trainable === series ? {} : { trainable }),
      ...(input.timeZone === undefined ? {} : { timeZone: input.timeZone }),
      ...(kept === undefined ? {} : { kept }),
    };
    return { ...job, known: knownOf(job, input.regressors ?? [], problems, notes) };
  });
  return problems.length > 0 ? refused(problems) : ok(jobs);
}

function knownOf(
  job: ServiceJob,
  samples: readonly RegressorSample[],
  problems: Problem[],
  notes: string[],
): readonly KnownSeries[] {
  if (samples.length === 0) return [];
  const { startMs, stepMs, values } = job.history;
  const steps = values.length + leadsOf(job);
  const result = regressorSeries(samples, { service: job.service, startMs, stepMs, steps });
  if (!result.ok) {
    problems.push(...result.problems);
    return [];
  }
  notes.push(...(result.warnings ?? []).map(({ field, message }) => `${job.service}: ${field} ${message}`));
  return result.value;
}

/** Questions about the other region, for services that cannot answer for themselves. A bad history there only costs its help. */
function borrowedFrom(
  input: ForecastInput,
  jobs: readonly ServiceJob[],
  { startMs, seasons }: Frame,
  notes: string[],
): readonly ServiceJob[] {
  return jobs.flatMap((job): ServiceJob[] => {
    if (input.borrow === undefined || planOrigins(job.history.values.length, leadsOf(job), seasons) !== null) return [];
    const rows = input.borrow.rows.filter((row) => row.service === job.service);
    const options = { service: job.service, stepSeconds: input.stepSeconds, seasons, atMs: startMs };
    const prepared = prepareSeries(rows, options);
    if (!prepared.ok) {
      notes.push(
        ...prepared.problems.map((problem) => `${job.service}: the other region's history ${problem.message}`),
      );
      return [];
    }
    const { series: history } = prepared.value;
    const apart = Math.round((startMs - endMs(history)) / history.stepMs);
    if (apart < 0 || apart > MAX_STALE_SEASONS * (seasons.at(-1) ?? 1)) return [];
    const { kept: _, trainable: __, ...question } = job;
    return [{ ...question, history, known: [] }];
  });
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
  const canBorrow = new Set(input.borrow?.rows.map((row) => row.service));
  const newcomers: string[] = [];
  for (const [service, rows] of byService) {
    if (rows.length === 0 && canBorrow.has(service)) {
      newcomers.push(service);
      continue;
    }
    const events = eventsFor(input.events, input.regionName, service);
    const prepared = prepareSeries(rows, {
      service,
      stepSeconds: input.stepSeconds,
      seasons,
      isEventAt: (at) => isDuring(events, at),
      ...(isOpen(input.at) ? {} : { atMs: input.at }),
    });
    if (prepared.ok) value.set(service, prepared.value);
    else problems.push(...prepared.problems);
  }
  if (problems.length === 0) for (const service of newcomers) value.set(service, nothingYet(input, value));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value };
}

function isDuring(events: readonly TimedEvent[], at: number): boolean {
  return events.some((event) => event.startMs <= at && at < event.endMs);
}

/** A service that has not been seen here yet: it begins where the others end, or where the other region's history does. */
function nothingYet(input: ForecastInput, others: PreparedAll): PreparedSeries {
  const stepMs = input.stepSeconds * 1000;
  const lastMs = (input.borrow?.rows ?? []).reduce((last, row) => Math.max(last, row.at), 0);
  const ends = [...others.values()].map((one) => endMs(one.series));
  const latest = ends.length > 0 ? Math.max(...ends) : Math.floor(lastMs / stepMs) * stepMs + stepMs;
  const at = isOpen(input.at) ? latest : Math.floor(input.at / stepMs) * stepMs;
  const series = { startMs: ends.length > 0 ? latest : at, stepMs, values: [] };
  return { series, notes: [], marks: [], trainable: series, levelShift: null };
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
