import type { ForecastSeries, Trust } from '../spec/forecast.js';
import type { QuantileName } from '../spec/region.js';
import type { MemberBackTest } from './backTest.js';
import { backTest, predictFrom } from './backTest.js';
import type { TimedEvent } from './events.js';
import type { ForecastMember } from './members.js';
import { planOrigins } from './origins.js';
import { calibrate, monotone, quantileAt } from './quantiles.js';
import type { Series } from './series.js';
import { endMs } from './series.js';
import { formatStep } from './steps.js';
import { judgeTrust } from './trust.js';

export interface ServiceInput {
  service: string;
  history: Series;
  /** When the first step of the forecast starts, milliseconds since the epoch; not before the history ends. */
  startMs: number;
  horizonSteps: number;
  seasons: readonly number[];
  events: readonly TimedEvent[];
  members: readonly ForecastMember[];
  seed: number;
}

export interface ServiceOutcome {
  series: ForecastSeries;
  notes: readonly string[];
}

type Quantiles = Readonly<Record<QuantileName, number>>;

/** Factors on the last value where nothing better is known; wide on purpose, and never to be applied (trust `none`). */
const GUESS: Quantiles = { p50: 1, p80: 1.25, p90: 1.5, p95: 2, p99: 3 };

/** Back-tests the members on one history, lets the better one forecast, and puts the quantiles it earned around it. */
export function* forecastService(input: ServiceInput): Generator<string, ServiceOutcome> {
  const { service, history, seasons } = input;
  const stale = Math.round((input.startMs - endMs(history)) / history.stepMs);
  const leads = stale + input.horizonSteps;
  const plan = planOrigins(history.values.length, leads, seasons);
  if (plan === null) {
    const need = `a back-test needs about two seasons of ${seasons[0] ?? 0} steps`;
    return lastValue(input, `only ${history.values.length} steps of history; ${need}`);
  }
  const said: string[] = [];
  const { tested, dropped } = yield* tell(service, backTest(input.members, history, plan, input));
  said.push(...dropped.map(({ name, reason }) => `${name} was left out: ${reason}`));
  for (const candidate of [...tested].sort((a, b) => a.mase - b.mase)) {
    yield `${service}: ${candidate.member.name}, forecast`;
    const predicted = predictFrom(candidate.member, history, history.values.length, leads, input);
    if (!predicted.ok) {
      said.push(`${candidate.member.name} was left out: ${predicted.reason}`);
      continue;
    }
    const calibration = calibrate(candidate.points, seasons[0] ?? 1);
    const { trust, reason } = judgeTrust({
      mase: candidate.mase,
      coverage90: calibration.coverage90,
      origins: plan.origins.length,
      historySteps: history.values.length,
      longestSeason: seasons.at(-1) ?? 1,
      staleSteps: stale,
      unknownKinds: predicted.events.unknownKinds,
    });
    const steps = predicted.mean.slice(stale).map((value, index) => {
      const around = quantileAt(calibration, value, stale + index + 1);
      return monotone((name) => around[name] * predicted.events.statedFactor(stale + index, name));
    });
    const series = toSeries(input, modelsOf(tested, candidate), trust, reason, steps);
    return { series, notes: [...said, ...predicted.events.notes] };
  }
  const outcome = lastValue(input, `no model could forecast (${said.join('; ')})`);
  return { ...outcome, notes: said };
}

function* tell<T>(service: string, steps: Generator<string, T>): Generator<string, T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    yield `${service}: ${step.value}`;
  }
}

function modelsOf(tested: readonly MemberBackTest[], winner: MemberBackTest): ForecastSeries['models'] {
  return tested.map((test) => ({
    name: test.member.name,
    weight: test === winner ? 1 : 0,
    mase: significant(test.mase),
  }));
}

/** One step ahead, the last value is the very scale that MASE divides by: its own is 1. */
function lastValue(input: ServiceInput, reason: string): ServiceOutcome {
  const last = input.history.values.at(-1) ?? 0;
  const steps = Array.from({ length: input.horizonSteps }, () => monotone((name) => last * GUESS[name]));
  const models = [{ name: 'last-value', weight: 1, mase: 1 }];
  return { series: toSeries(input, models, 'none', `${reason}; the last value stands in`, steps), notes: [] };
}

function toSeries(
  input: ServiceInput,
  models: ForecastSeries['models'],
  trust: Trust,
  trustReason: string,
  steps: readonly Quantiles[],
): ForecastSeries {
  const { stepMs } = input.history;
  const of = (name: QuantileName): number[] => steps.map((step) => significant(step[name]));
  return {
    service: input.service,
    step: formatStep(stepMs / 1000),
    models,
    trust,
    trustReason,
    timestamps: steps.map((_, index) => new Date(input.startMs + index * stepMs).toISOString().replace('.000Z', 'Z')),
    quantiles: { p50: of('p50'), p80: of('p80'), p90: of('p90'), p95: of('p95'), p99: of('p99') },
  };
}

/** Six digits: more would be noise of the fit, and would differ between processors. */
function significant(value: number): number {
  return Number(value.toPrecision(6));
}
