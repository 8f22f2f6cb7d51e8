import type { Curves } from '../curves.js';
import { curvesOf } from '../curves.js';
import type { MemberBackTest, OriginTruth, Prediction } from './backTest.js';
import { backTest, planFrom, predictFrom } from './backTest.js';
import type { HeldOut, ServiceChoice } from './choice.js';
import { isModelName, phaseAt, whyChooseAnew } from './choice.js';
import type { Ensemble } from './ensemble.js';
import { weigh, weightedSum } from './ensemble.js';
import type { EventPlan, TimedEvent } from '../events/events.js';
import type { LocalJob } from '../localJob.js';
import { curvesBack, onLocalClock } from '../localJob.js';
import type { ForecastMember, KnownSeries } from '../members/members.js';
import { planOrigins } from './origins.js';
import type { Series } from '../series.js';
import { endMs } from '../series.js';

/** The question for one service. Plain data, so that any thread can work on it. */
export interface ServiceJob {
  service: string;
  history: Series;
  /** When the first step of the forecast starts, milliseconds since the epoch; not before the history ends. */
  startMs: number;
  horizonSteps: number;
  /** In steps, rising. */
  seasons: readonly number[];
  events: readonly TimedEvent[];
  /** Over the history and all steps from its end to the end of the horizon. */
  known: readonly KnownSeries[];
  seed: number;
  /** The same history with outliers pulled in, which models learn from; absent: there are none. */
  trainable?: Series;
  /** IANA zone whose clock demand follows; absent: UTC. */
  timeZone?: string;
  /** What an earlier forecast decided; used as long as it answers the question. */
  kept?: ServiceChoice;
}

/** One service forecast by itself, before the region's services are looked at together. Plain data. */
export interface ServiceDraft {
  service: string;
  choice: ServiceChoice;
  /** Whether the choice is an earlier one. */
  isKept: boolean;
  /** rps, by lead from the end of the history; effects of events that were seen are in it. */
  mean: readonly number[];
  /** By lead: what events do beside that, as factors on each quantile. */
  factors: Curves;
  /** By lead: standard deviation of the logarithm of what events that were seen do (`EventPlan.spread`). */
  spreads: readonly number[];
  /** By lead: place in the shortest season, counted as `phaseAt` counts it. */
  phases: readonly number[];
  unknownKinds: readonly string[];
  notes: readonly string[];
}

/** `none`: no model can answer, and why. */
export type DraftOutcome =
  { kind: 'draft'; draft: ServiceDraft } | { kind: 'none'; service: string; reason: string; notes: readonly string[] };

/**
 * Members back-tested, weighed and asked for one service; yields before each fit. With a kept choice that still holds,
 * only the members that it gives weight are fitted, once.
 */
export function* draftService(job: ServiceJob, members: readonly ForecastMember[]): Generator<string, DraftOutcome> {
  const said: string[] = [];
  const asked = members.flatMap(({ name }) => (isModelName(name) ? [name] : []));
  const local = onLocalClock(job, leadsOf(job));
  if (job.kept !== undefined) {
    const why = whyChooseAnew(job.kept, { ...job, asked });
    const again = why === null ? yield* askAgain(local, job.kept, members) : null;
    if (again !== null) return { kind: 'draft', draft: again };
    said.push(`models were chosen anew: ${why ?? 'a model of the last choice cannot forecast any more'}`);
  }
  const { history, seasons } = local.job;
  const none = (reason: string): DraftOutcome => ({ kind: 'none', service: job.service, reason, notes: said });
  const plan = planOrigins(history.values.length, local.leads, seasons);
  if (plan === null) {
    const need = `a back-test needs about two seasons of ${seasons[0] ?? 0} steps`;
    return none(`only ${history.values.length} steps of history; ${need}`);
  }
  const { origins, tested, dropped } = yield* backTest(
    members,
    { measured: history, trainable: trainableOf(local.job) },
    plan,
    local.job,
  );
  said.push(...dropped.map(({ name, reason }) => `${name} was left out: ${reason}`));
  const together = yield* forecastTogether(local, { tested, origins }, said);
  if (together === null) return none(`no model could forecast (${said.join('; ')})`);
  const { ensemble } = together;
  const choice: ServiceChoice = {
    service: job.service,
    stepMs: history.stepMs,
    horizonSteps: job.horizonSteps,
    seasons,
    asked,
    chosenAtMs: endMs(job.history),
    models: modelsOf(tested, ensemble, together.learned),
    mase: ensemble.mase,
    scale: origins.at(-1)?.scale ?? 0,
    heldOut: origins.map(({ origin, actual }, at): HeldOut => ({
      originMs: history.startMs + origin * history.stepMs,
      actual,
      predicted: ensemble.heldOut[at] ?? [],
    })),
    notes: said,
  };
  return { kind: 'draft', draft: { ...draftOf(local, together, said), choice, isKept: false } };
}

/** Steps from the end of the history to the end of the horizon. */
export function leadsOf({ startMs, history, horizonSteps }: ServiceJob): number {
  return Math.round((startMs - endMs(history)) / history.stepMs) + horizonSteps;
}

function trainableOf({ history, trainable }: ServiceJob): Series {
  return trainable ?? history;
}

interface Together {
  /** By lead on the local clock. */
  mean: readonly number[];
  events: EventPlan;
}

/** Back on the clock of the question. */
function draftOf(
  { job, leads, back }: LocalJob,
  { mean, events }: Together,
  said: readonly string[],
): Omit<ServiceDraft, 'choice' | 'isKept'> {
  const { history, seasons } = job;
  const factors = curvesOf((name) => mean.map((_, step) => events.statedFactor(step, name)));
  const phases = Array.from({ length: leads }, (_, step) =>
    phaseAt(endMs(history) + step * history.stepMs, history.stepMs, seasons[0] ?? 1),
  );
  return {
    service: job.service,
    mean: back(mean),
    factors: curvesBack(factors, back),
    spreads: back(mean.map((_, step) => events.spread(step))),
    phases: back(phases),
    unknownKinds: events.unknownKinds,
    notes: [...said, ...events.notes],
  };
}

function* askAgain(
  local: LocalJob,
  kept: ServiceChoice,
  members: readonly ForecastMember[],
): Generator<string, ServiceDraft | null> {
  const { job, leads } = local;
  const events = planFrom(trainableOf(job), job.history.values.length, leads, job);
  const done: { weight: number; predicted: Prediction & { ok: true } }[] = [];
  for (const { name, weight, learned } of kept.models) {
    if (weight === 0) continue;
    const member = members.find((candidate) => candidate.name === name);
    if (member === undefined) return null;
    yield `${name}, forecast`;
    const predicted = predictFrom(member, trainableOf(job), job.history.values.length, leads, job, events, learned);
    if (!predicted.ok) return null;
    done.push({ weight, predicted });
  }
  if (done.length === 0) return null;
  const mean = Array.from({ length: leads }, (_, step) =>
    done.reduce((sum, { weight, predicted }) => sum + weight * (predicted.mean[step] ?? 0), 0),
  );
  return { ...draftOf(local, { mean, events }, kept.notes), choice: kept, isKept: true };
}

/**
 * The weighted forecast. A member that fails only now loses its say, and the others are weighed anew; `null` when
 * none is left.
 */
function* forecastTogether(
  { job, leads }: LocalJob,
  { tested, origins }: { tested: readonly MemberBackTest[]; origins: readonly OriginTruth[] },
  said: string[],
): Generator<string, (Together & { ensemble: Ensemble; learned: LearnedByMember }) | null> {
  const events = planFrom(trainableOf(job), job.history.values.length, leads, job);
  const done = new Map<MemberBackTest, Prediction & { ok: true }>();
  let left = tested;
  for (;;) {
    const [first, ...others] = left;
    if (first === undefined) return null;
    const ensemble = weigh([first, ...others], origins);
    if (ensemble.weights.size === 0) return null;
    const failed: MemberBackTest[] = [];
    for (const test of ensemble.weights.keys()) {
      if (done.has(test)) continue;
      yield `${test.member.name}, forecast`;
      const predicted = predictFrom(test.member, trainableOf(job), job.history.values.length, leads, job, events);
      if (predicted.ok) {
        done.set(test, predicted);
        continue;
      }
      failed.push(test);
      said.push(`${test.member.name} was left out: ${predicted.reason}`);
    }
    if (failed.length === 0) {
      const at = (step: number): number => weightedSum(ensemble.weights, (test) => done.get(test)?.mean[step] ?? 0);
      const learned = new Map([...done].map(([{ member }, one]) => [member.name, one.learned]));
      return { ensemble, mean: Array.from({ length: leads }, (_, step) => at(step)), events, learned };
    }
    left = left.filter((test) => !failed.includes(test));
  }
}

type LearnedByMember = ReadonlyMap<string, string | undefined>;

function modelsOf(
  tested: readonly MemberBackTest[],
  { weights }: Ensemble,
  learnedBy: LearnedByMember,
): ServiceChoice['models'] {
  const bestFirst = [...tested].sort((a, b) => a.mase - b.mase);
  return bestFirst.map((test) => {
    const learned = learnedBy.get(test.member.name);
    const model = { name: test.member.name, weight: weights.get(test) ?? 0, mase: test.mase };
    return learned === undefined ? model : { ...model, learned };
  });
}
