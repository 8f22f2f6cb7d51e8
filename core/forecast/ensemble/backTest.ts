import type { EventPlan, TimedEvent } from '../events/events.js';
import { planEvents } from '../events/events.js';
import type { ForecastMember, KnownSeries, Regressor } from '../members/members.js';
import type { OriginPlan } from './origins.js';
import { whyInsane } from './sane.js';
import { levelled } from '../history/prepare/levelShift.js';
import type { Series } from '../series.js';
import { mean, sliceSeries } from '../series.js';

/** History that any member is given: six weeks of hours, or three of the longest season, whichever is longer. */
const TRAIN_STEPS = 1008;
const TRAIN_STEPS_MOST = 2016;
/** A larger error says no more; an endless one would leave no member a weight, and cannot be written as JSON. */
const WORST_ERROR = 1e6;
/** A costly member is given up after so many origins, if its error is so many times that of the best. */
const SCREEN_ORIGINS = 2;
const SCREEN_TIMES = 2;

/** One forecast value beside what came. `lead` counts from 1. */
export interface BackTestPoint {
  origin: number;
  lead: number;
  actual: number;
  predicted: number;
}

/** What a back-test asked for from one origin. */
export interface OriginTruth {
  /** Index into the series. */
  origin: number;
  /** What came, by lead. */
  actual: readonly number[];
  /** The seasonal naive's error in the history before it, rps. */
  scale: number;
}

export interface MemberBackTest {
  member: ForecastMember;
  /** Mean over origins of the mean absolute error in units of the seasonal naive's error in the history before. */
  mase: number;
  /** By origin, then by lead. */
  predicted: readonly (readonly number[])[];
}

export interface BackTestOutcome {
  origins: readonly OriginTruth[];
  tested: readonly MemberBackTest[];
  /** Members that could not forecast from every origin, and why. */
  dropped: readonly { name: string; reason: string }[];
}

export type Prediction =
  { ok: true; mean: readonly number[]; events: EventPlan; learned?: string } | { ok: false; reason: string };

/** What is known beside the history itself. */
export interface ForecastContext {
  events: readonly TimedEvent[];
  known: readonly KnownSeries[];
  seasons: readonly number[];
  seed: number;
}

export function trainSteps(seasons: readonly number[]): number {
  return Math.min(TRAIN_STEPS_MOST, Math.max(TRAIN_STEPS, 3 * (seasons.at(-1) ?? 0)));
}

/**
 * What events do, learned from all of a series before index `origin`: the same for all members, so worth making once
 * for each origin.
 */
export function planFrom(series: Series, origin: number, horizonSteps: number, context: ForecastContext): EventPlan {
  const { startMs, stepMs } = series;
  const grid = { startMs, stepMs, trainSteps: origin, futureSteps: horizonSteps };
  return planEvents(context.events, grid, series.values.slice(0, origin), context.seasons);
}

/**
 * Forecast of one member from index `origin` of a series, events included. The member sees nothing at or after the
 * origin; the calendar of events is known ahead by its nature.
 */
export function predictFrom(
  member: ForecastMember,
  series: Series,
  origin: number,
  horizonSteps: number,
  context: ForecastContext,
  events: EventPlan = planFrom(series, origin, horizonSteps, context),
  learned?: string,
): Prediction {
  // What measured values do is learned slowly: days of like weather are few in six weeks.
  const most = context.known.length > 0 ? TRAIN_STEPS_MOST : trainSteps(context.seasons);
  const train = sliceSeries(series, origin, member.historySteps ?? most);
  const from = origin - train.values.length;
  const values = context.known.map(({ name, values }): Regressor => ({
    name,
    train: values.slice(from, origin),
    future: values.slice(origin, origin + horizonSteps),
  }));
  const quiet = { ...train, values: levelled(events.quiet.slice(from), context.seasons) };
  const forecast = member.forecast(quiet, horizonSteps, values, context.seed, learned);
  if (!forecast.ok) return forecast;
  if (forecast.mean.length !== horizonSteps)
    return { ok: false, reason: 'its forecast is not of the length asked for' };
  const reason = whyInsane(quiet.values, forecast.mean);
  if (reason !== null) return { ok: false, reason };
  const mean = forecast.mean.map((value, step) => value * events.learnedFactor(step));
  return { ok: true, mean, events, ...(forecast.learned === undefined ? {} : { learned: forecast.learned }) };
}

/** Of one length and grid: members learn from `trainable`, and are judged by what was measured. */
export interface TestedHistory {
  measured: Series;
  trainable: Series;
}

/**
 * Rolling-origin back-test of all members on the same origins. Yields before each fit, so that a caller can breathe. A
 * costly member that is far behind after the first origins is not tried on the others.
 */
export function* backTest(
  members: readonly ForecastMember[],
  history: TestedHistory,
  plan: OriginPlan,
  context: ForecastContext,
): Generator<string, BackTestOutcome> {
  const origins = plan.origins.map((origin): OriginTruth => {
    const { values } = sliceSeries(history.measured, origin, trainSteps(context.seasons));
    const actual = history.measured.values.slice(origin, origin + plan.horizonSteps);
    return { origin, actual, scale: naiveError(values, context.seasons) };
  });
  const events = origins.map(({ origin }) => planFrom(history.trainable, origin, plan.horizonSteps, context));
  const tested: (MemberBackTest & { scores: readonly number[] })[] = [];
  const dropped: { name: string; reason: string }[] = [];
  // Cheap members first: they say what a costly one has to reach.
  for (const member of [...members].sort((a, b) => Number(a.costly ?? false) - Number(b.costly ?? false))) {
    const predicted: (readonly number[])[] = [];
    const scores: number[] = [];
    let failure: string | undefined;
    for (const [index, truth] of origins.entries()) {
      if (index === SCREEN_ORIGINS && member.costly === true) failure = whyScreened(scores, tested, origins.length);
      if (failure !== undefined) break;
      yield `${member.name}, origin ${index + 1} of ${origins.length}`;
      const answer = predictFrom(member, history.trainable, truth.origin, plan.horizonSteps, context, events[index]);
      if (!answer.ok) {
        failure = answer.reason;
        break;
      }
      const fresh = answer.mean.map((value, step) => value * answer.events.statedFactor(step, 'p50'));
      predicted.push(fresh);
      scores.push(originError(truth, fresh));
    }
    if (failure === undefined) tested.push({ member, mase: mean(scores), predicted, scores });
    else dropped.push({ name: member.name, reason: failure });
  }
  return { origins, tested, dropped };
}

/** Mean absolute error of a forecast from one origin, in units of the seasonal naive's. */
export function originError({ actual, scale }: OriginTruth, predicted: readonly number[]): number {
  let sum = 0;
  for (const [step, value] of actual.entries()) sum += Math.abs(value - (predicted[step] ?? 0));
  return scaledError(sum / Math.max(1, actual.length), scale);
}

/** An error in units of the naive one, at most `WORST_ERROR`: that is any error where the naive one has none. */
function scaledError(error: number, scale: number): number {
  const scaled = error === 0 ? 0 : error / scale;
  return scaled < WORST_ERROR ? scaled : WORST_ERROR;
}

function whyScreened(
  scores: readonly number[],
  tested: readonly { member: ForecastMember; scores: readonly number[] }[],
  origins: number,
): string | undefined {
  const reached = mean(scores);
  const best = Math.min(...tested.map((other) => mean(other.scores.slice(0, scores.length))));
  if (!Number.isFinite(best) || reached <= SCREEN_TIMES * best) return undefined;
  const error = `MASE ${reached.toFixed(2)}, where the best has ${best.toFixed(2)}`;
  return `after ${scores.length} of ${origins} back-test origins: ${error}`;
}

/** Mean absolute difference to one (shortest) season earlier: the scale of MASE. */
function naiveError(values: readonly number[], seasons: readonly number[]): number {
  const lag = seasons.find((season) => season < values.length) ?? 1;
  return mean(values.slice(lag).map((value, index) => Math.abs(value - (values[index] ?? 0))));
}
