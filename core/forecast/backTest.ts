import type { EventPlan, TimedEvent } from './events.js';
import { planEvents } from './events.js';
import type { ForecastMember } from './members.js';
import type { OriginPlan } from './origins.js';
import type { Series } from './series.js';
import { mean, sliceSeries } from './series.js';

/** History that any member is given: six weeks of hours, or three of the longest season, whichever is longer. */
const TRAIN_STEPS = 1008;
const TRAIN_STEPS_MOST = 2016;

/** One forecast value beside what came. `lead` counts from 1. */
export interface BackTestPoint {
  origin: number;
  lead: number;
  actual: number;
  predicted: number;
}

export interface MemberBackTest {
  member: ForecastMember;
  /** Mean over origins of the mean absolute error in units of the seasonal naive's error in the history before. */
  mase: number;
  points: readonly BackTestPoint[];
}

export interface BackTestOutcome {
  tested: readonly MemberBackTest[];
  /** Members that could not forecast from every origin, and why. */
  dropped: readonly { name: string; reason: string }[];
}

export type Prediction = { ok: true; mean: readonly number[]; events: EventPlan } | { ok: false; reason: string };

export function trainSteps(seasons: readonly number[]): number {
  return Math.min(TRAIN_STEPS_MOST, Math.max(TRAIN_STEPS, 3 * (seasons.at(-1) ?? 0)));
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
  context: { events: readonly TimedEvent[]; seasons: readonly number[]; seed: number },
): Prediction {
  const train = sliceSeries(series, origin, trainSteps(context.seasons));
  const { startMs, stepMs } = train;
  const grid = { startMs, stepMs, trainSteps: train.values.length, futureSteps: horizonSteps };
  const events = planEvents(context.events, grid);
  const forecast = member.forecast(train, horizonSteps, events.regressors, context.seed);
  if (!forecast.ok) return forecast;
  if (forecast.mean.length !== horizonSteps || !forecast.mean.every(Number.isFinite)) {
    return { ok: false, reason: 'its forecast is not finite' };
  }
  return { ok: true, mean: forecast.mean, events };
}

/** Rolling-origin back-test of all members on the same origins. Yields before each fit, so that a caller can breathe. */
export function* backTest(
  members: readonly ForecastMember[],
  series: Series,
  plan: OriginPlan,
  context: { events: readonly TimedEvent[]; seasons: readonly number[]; seed: number },
): Generator<string, BackTestOutcome> {
  const tested: MemberBackTest[] = [];
  const dropped: { name: string; reason: string }[] = [];
  for (const member of members) {
    const points: BackTestPoint[] = [];
    const scores: number[] = [];
    let failure: string | undefined;
    for (const [index, origin] of plan.origins.entries()) {
      yield `${member.name}, origin ${index + 1} of ${plan.origins.length}`;
      const predicted = predictFrom(member, series, origin, plan.horizonSteps, context);
      if (!predicted.ok) {
        failure = predicted.reason;
        break;
      }
      const fresh = pointsOf(series, origin, predicted);
      points.push(...fresh);
      const scale = naiveError(sliceSeries(series, origin, trainSteps(context.seasons)).values, context.seasons);
      const error = mean(fresh.map((point) => Math.abs(point.actual - point.predicted)));
      scores.push(scale > 0 ? error / scale : error > 0 ? Infinity : 0);
    }
    if (failure === undefined) tested.push({ member, mase: mean(scores), points });
    else dropped.push({ name: member.name, reason: failure });
  }
  return { tested, dropped };
}

function pointsOf(series: Series, origin: number, predicted: Prediction & { ok: true }): BackTestPoint[] {
  return predicted.mean.map((value, step) => ({
    origin,
    lead: step + 1,
    actual: series.values[origin + step] ?? 0,
    predicted: value * predicted.events.statedFactor(step, 'p50'),
  }));
}

/** Mean absolute difference to one (shortest) season earlier: the scale of MASE. */
function naiveError(values: readonly number[], seasons: readonly number[]): number {
  const lag = seasons.find((season) => season < values.length) ?? 1;
  return mean(values.slice(lag).map((value, index) => Math.abs(value - (values[index] ?? 0))));
}
