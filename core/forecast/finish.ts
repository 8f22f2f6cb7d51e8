import type { DemandForecast, ForecastSeries, Trust } from '../spec/forecast.js';
import type { QuantileName } from '../spec/region.js';
import type { ServiceChoice } from './ensemble/choice.js';
import { pointsOf } from './ensemble/choice.js';
import type { Donor } from './coldStart.js';
import { borrowForecast } from './coldStart.js';
import type { Curves } from './curves.js';
import { curvesOf } from './curves.js';
import type { DraftOutcome, ServiceDraft, ServiceJob } from './ensemble/draft.js';
import { leadsOf } from './ensemble/draft.js';
import { widenedByEvents } from './events/eventShapeSpread.js';
import { explain } from './explain.js';
import { isoOf } from './history/prepare/rules.js';
import { poolScores } from './calibration/calibrationPool.js';
import { samplePaths } from './calibration/paths.js';
import type { Calibration } from './calibration/quantiles.js';
import { calibrate, monotone, quantileAt } from './calibration/quantiles.js';
import type { CallsByEntry } from './reconcile.js';
import { reconcile } from './reconcile.js';
import { formatStep } from './steps.js';
import { judgeTrust } from './trust.js';

/** What is known of the region beside each service's own history. */
export interface RegionContext {
  /** Demand that one request a second at each entry brings; absent: forecasts are not made to agree. */
  calls?: CallsByEntry;
  entries?: readonly string[];
  /** Drafts of the same services in another region, from whom a service without history borrows. */
  elsewhere?: readonly Answered[];
  /** Demand here for one request there, as a person states it. */
  borrowScale?: number;
}

/** A question and what came of it. */
export interface Answered {
  job: ServiceJob;
  outcome: DraftOutcome;
}

export interface FinishedRegion {
  forecast: DemandForecast;
  /** For the next forecast. */
  choices: readonly ServiceChoice[];
}

type Quantiles = Readonly<Record<QuantileName, number>>;

/** Factors on the last value where nothing better is known; wide on purpose, and never to be applied (trust `none`). */
const GUESS: Quantiles = { p50: 1, p80: 1.25, p90: 1.5, p95: 2, p99: 3 };

/** The drafts of a region's services as one forecast: made to agree, calibrated together, gaps filled from siblings. */
export function finishRegion(answered: readonly Answered[], context: RegionContext = {}): FinishedRegion {
  const drafted = draftedOf(answered);
  const notes: string[] = [];
  const agreed = agree(drafted, context, notes);
  const finished = finishAll(agreed);
  const donors = donorsOf(agreed, finished, context);
  const series = answered.map(({ job, outcome }): ForecastSeries => {
    const own = finished.get(job.service);
    if (own !== undefined) return own;
    return withoutModel(job, outcome.kind === 'none' ? outcome.reason : 'no model', donors);
  });
  const said = answered.flatMap(({ job, outcome }) =>
    (outcome.kind === 'draft' ? outcome.draft.notes : outcome.notes).map((note) => `${job.service}: ${note}`),
  );
  // Errors as they were before services agreed: the next forecast makes them agree anew.
  const choices = drafted.map(({ job, draft }): ServiceChoice => {
    const p50 = finished.get(job.service)?.quantiles.p50 ?? [];
    return { ...draft.choice, last: { startMs: job.startMs, p50 } };
  });
  const joint = samplePaths({
    services: agreed.map(({ draft: { service, choice } }) => ({ service, heldOut: choice.heldOut })),
    shortestSeason: answered[0]?.job.seasons[0] ?? 1,
    seed: answered[0]?.job.seed ?? 1,
  });
  return { forecast: { series, joint, notes: [...said, ...notes] }, choices };
}

interface Drafted {
  job: ServiceJob;
  draft: ServiceDraft;
}

function draftedOf(answered: readonly Answered[]): Drafted[] {
  return answered.flatMap(({ job, outcome }) => (outcome.kind === 'draft' ? [{ job, draft: outcome.draft }] : []));
}

/** Held-out errors of a reconciled forecast are those of the reconciled one: its calibration must know them. */
function agree(drafted: readonly Drafted[], context: RegionContext, notes: string[]): readonly Drafted[] {
  const { calls, entries } = context;
  if (calls === undefined || entries === undefined) return drafted;
  const services = drafted.map(({ draft: { service, choice, mean, factors } }) => ({
    service,
    heldOut: choice.heldOut,
    mean: mean.map((value, step) => value * (factors.p50[step] ?? 1)),
    scale: choice.scale,
  }));
  const result = reconcile(services, calls, entries);
  if (result === null) return drafted;
  const gain = Math.round(100 * (1 - result.after / result.before));
  notes.push(`forecasts were made to agree along the service graph: back-test error ${gain} % less`);
  return drafted.map(({ job, draft }) => {
    const own = result.byService.get(draft.service);
    if (own === undefined) return { job, draft };
    const heldOut = draft.choice.heldOut.map((one, origin) => ({
      ...one,
      predicted: own.predicted[origin] ?? one.predicted,
    }));
    const mean = own.mean.map((value, step) => value / (draft.factors.p50[step] ?? 1));
    return { job, draft: { ...draft, mean, choice: { ...draft.choice, heldOut } } };
  });
}

/** Errors of all services together say how errors are spread; each leans on that as far as its own are few. */
function finishAll(drafted: readonly Drafted[]): Map<string, ForecastSeries> {
  const shortest = drafted[0]?.job.seasons[0] ?? 1;
  const points = drafted.map(({ job, draft }) =>
    pointsOf(draft.choice.heldOut, { stepMs: job.history.stepMs, season: shortest }),
  );
  const pool = poolScores(points, shortest);
  return new Map(
    drafted.map((one, index) => {
      const calibration = calibrate(points[index] ?? [], shortest, pool);
      return [one.draft.service, finishService(one, calibration)];
    }),
  );
}

function finishService({ job, draft }: Drafted, calibration: Calibration): ForecastSeries {
  const { choice } = draft;
  const stale = leadsOf(job) - job.horizonSteps;
  const { trust, score, reason } = judgeTrust({
    mase: choice.mase,
    coverage90: calibration.coverage90,
    origins: choice.heldOut.length,
    historySteps: job.history.values.length,
    longestSeason: job.seasons.at(-1) ?? 1,
    staleSteps: stale,
    unknownKinds: draft.unknownKinds,
  });
  const steps = draft.mean.slice(stale).map((value, index) => {
    const ordinary = quantileAt(calibration, value, stale + index + 1, draft.phases[stale + index]);
    const around = widenedByEvents(ordinary, draft.spreads[stale + index] ?? 0);
    return monotone((name) => around[name] * (draft.factors[name][stale + index] ?? 1));
  });
  const models = choice.models.map(({ name, weight, mase }) => ({ name, weight, mase: significant(mase) }));
  const quantiles = curvesOf((name) => steps.map((step) => step[name]));
  const explanation = explain(job, draft, quantiles.p50);
  return seriesOf(job, { models, trust, score, reason, quantiles, explanation });
}

function donorsOf(
  drafted: readonly Drafted[],
  finished: ReadonlyMap<string, ForecastSeries>,
  { elsewhere, borrowScale }: RegionContext,
): (service: string) => Donor[] {
  const siblings = drafted.flatMap(({ job, draft }): Donor[] => {
    const own = finished.get(draft.service);
    return own === undefined
      ? []
      : [{ name: draft.service, isSameService: false, history: job.history, quantiles: own.quantiles }];
  });
  const answers = draftedOf(elsewhere ?? []);
  const there = finishAll(answers);
  const others = answers.flatMap(({ job }): Donor[] => {
    const quantiles = there.get(job.service)?.quantiles;
    return quantiles === undefined
      ? []
      : [
          {
            name: job.service,
            isSameService: true,
            history: job.history,
            quantiles,
            ...(borrowScale === undefined ? {} : { statedScale: borrowScale }),
          },
        ];
  });
  return (service) => [
    ...others
      .filter((donor) => donor.name === service)
      .map((donor) => ({ ...donor, name: `${service} in the other region` })),
    ...siblings,
  ];
}

/** Borrowed from another, or else the last value, which nothing may be applied on. */
function withoutModel(job: ServiceJob, reason: string, donorsFor: (service: string) => Donor[]): ForecastSeries {
  const borrowed = borrowForecast(job.history, donorsFor(job.service));
  if (borrowed !== null) {
    return seriesOf(job, {
      models: [{ name: 'borrowed', weight: 1, mase: 1 }],
      trust: 'low',
      score: 0,
      reason: `${reason}; ${borrowed.reason}`,
      quantiles: borrowed.quantiles,
      explanation: [`Too little history of its own: it ${borrowed.reason}.`],
    });
  }
  const last = job.history.values.at(-1) ?? 0;
  return seriesOf(job, {
    // One step ahead, the last value is the very scale that MASE divides by: its own is 1.
    models: [{ name: 'last-value', weight: 1, mase: 1 }],
    trust: 'none',
    score: 0,
    reason: `${reason}; the last value stands in`,
    quantiles: curvesOf((name) => Array.from({ length: job.horizonSteps }, () => last * GUESS[name])),
    explanation: ['No forecast: limits follow what arrives until there is more history.'],
  });
}

interface Told {
  models: ForecastSeries['models'];
  trust: Trust;
  score: number;
  reason: string;
  quantiles: Curves;
  explanation: readonly string[];
}

function seriesOf(job: ServiceJob, { models, trust, score, reason, quantiles, explanation }: Told): ForecastSeries {
  const { stepMs } = job.history;
  return {
    service: job.service,
    step: formatStep(stepMs / 1000),
    models,
    trust,
    trustScore: score,
    trustReason: reason,
    explanation,
    timestamps: quantiles.p50.map((_, index) => isoOf(job.startMs + index * stepMs)),
    quantiles: curvesOf((name) => quantiles[name].map(significant)),
  };
}

/** Six digits: more would be noise of the fit, and would differ between processors. */
function significant(value: number): number {
  return Number(value.toPrecision(6));
}
