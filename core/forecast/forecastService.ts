import type { ForecastSeries, Trust } from '../spec/forecast.js';
import type { QuantileName } from '../spec/region.js';
import type { MemberBackTest, Prediction } from './backTest.js';
import { backTest, predictFrom } from './backTest.js';
import type { Ensemble } from './ensemble.js';
import { weigh, weightedSum } from './ensemble.js';
import type { EventPlan, TimedEvent } from './events.js';
import type { ForecastMember, KnownSeries } from './members.js';
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
  /** Over the history and all steps from its end to the end of the horizon. */
  known: readonly KnownSeries[];
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

/** Back-tests the members on one history, weighs them by it, and puts the quantiles they earned together around them. */
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
  const forecast = yield* forecastTogether(input, tested, leads, said);
  if (forecast === null) {
    const outcome = lastValue(input, `no model could forecast (${said.join('; ')})`);
    return { ...outcome, notes: said };
  }
  const { ensemble, mean, events } = forecast;
  const calibration = calibrate(ensemble.heldOut, seasons[0] ?? 1);
  const { trust, reason } = judgeTrust({
    mase: ensemble.mase,
    coverage90: calibration.coverage90,
    origins: plan.origins.length,
    historySteps: history.values.length,
    longestSeason: seasons.at(-1) ?? 1,
    staleSteps: stale,
    unknownKinds: events.unknownKinds,
  });
  const steps = mean.slice(stale).map((value, index) => {
    const around = quantileAt(calibration, value, stale + index + 1);
    return monotone((name) => around[name] * events.statedFactor(stale + index, name));
  });
  return {
    series: toSeries(input, modelsOf(tested, ensemble), trust, reason, steps),
    notes: [...said, ...events.notes],
  };
}

interface Together {
  ensemble: Ensemble;
  mean: readonly number[];
  events: EventPlan;
}

/**
 * The weighted forecast. A member that fails only now loses its say, and the others are weighed anew; `null` when
 * none is left.
 */
function* forecastTogether(
  input: ServiceInput,
  tested: readonly MemberBackTest[],
  leads: number,
  said: string[],
): Generator<string, Together | null> {
  const done = new Map<MemberBackTest, Prediction & { ok: true }>();
  let left = tested;
  for (;;) {
    const [first, ...others] = left;
    if (first === undefined) return null;
    const ensemble = weigh([first, ...others]);
    const failed: MemberBackTest[] = [];
    for (const test of ensemble.weights.keys()) {
      if (done.has(test)) continue;
      yield `${input.service}: ${test.member.name}, forecast`;
      const predicted = predictFrom(test.member, input.history, input.history.values.length, leads, input);
      if (predicted.ok) {
        done.set(test, predicted);
        continue;
      }
      failed.push(test);
      said.push(`${test.member.name} was left out: ${predicted.reason}`);
    }
    const [events] = [...done.values()].map((predicted) => predicted.events);
    if (failed.length === 0 && events !== undefined) {
      const at = (step: number): number => weightedSum(ensemble.weights, (test) => done.get(test)?.mean[step] ?? 0);
      return { ensemble, mean: Array.from({ length: leads }, (_, step) => at(step)), events };
    }
    left = left.filter((test) => !failed.includes(test));
  }
}

function* tell<T>(service: string, steps: Generator<string, T>): Generator<string, T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    yield `${service}: ${step.value}`;
  }
}

function modelsOf(tested: readonly MemberBackTest[], { weights }: Ensemble): ForecastSeries['models'] {
  const bestFirst = [...tested].sort((a, b) => a.mase - b.mase);
  return bestFirst.map((test) => ({
    name: test.member.name,
    weight: weights.get(test) ?? 0,
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
