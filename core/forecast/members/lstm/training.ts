import { canonicalJson, sha256 } from '../../../spec/hash.js';
import type { Problem } from '../../../spec/problem.js';
import type { Regressor } from '../members.js';
import { planOrigins } from '../../ensemble/origins.js';
import { coarseFactor } from '../resolution.js';
import type { Series } from '../../series.js';
import { endMs, mean } from '../../series.js';
import type { LstmModel } from './model.js';

export interface LstmService {
  service: string;
  /** Without what its events did. */
  history: Series;
  /** `train` lies over the history; what is ahead is not looked at. */
  regressors: readonly Regressor[];
}

export interface LstmLimits {
  /** Most epochs of a cold training; what is trained on from there takes a share of them. */
  epochs: number;
  samplesPerEpoch: number;
  /** Units of the encoder and of the decoder. */
  hidden: number;
  decoder: number;
}

/** What one network for all services of a region is trained on. Plain data, so that any thread can do it. */
export interface LstmTraining {
  series: readonly LstmService[];
  /** In steps, rising. */
  seasons: readonly number[];
  horizonSteps: number;
  /** Steps at the end of the history that the honest weights must not see: from the first back-test origin on. */
  heldBackSteps: number;
  seed: number;
  /** An earlier network, to go on from: far fewer epochs are then needed. One of another make is not used. */
  warm?: LstmModel;
  limits?: Partial<LstmLimits>;
}

/** Steps to hold back so that the honest weights see nothing that the back-test of any of these services asks for. */
export function heldBackFor(histories: readonly Series[], horizonSteps: number, seasons: readonly number[]): number {
  const end = Math.max(...histories.map(endMs));
  const firsts = histories.flatMap(({ startMs, stepMs, values }) => {
    const first = planOrigins(values.length, horizonSteps, seasons)?.origins[0];
    return first === undefined ? [] : [(end - startMs) / stepMs - first];
  });
  return Math.ceil(Math.max(0, ...firsts));
}

/** Where the held-back tail begins, and where the last history ends. */
export function spanOf({ series, heldBackSteps }: LstmTraining): { stepMs: number; honestMs: number; endMs: number } {
  const stepMs = series[0]?.history.stepMs ?? 1;
  const end = series.reduce((latest, { history }) => Math.max(latest, endMs(history)), Number.NEGATIVE_INFINITY);
  return { stepMs, honestMs: end - heldBackSteps * stepMs, endMs: end };
}

/** A service as it was known at a time. */
export function before({ service, history, regressors }: LstmService, timeMs: number): LstmService {
  const steps = Math.floor((timeMs - history.startMs) / history.stepMs);
  const end = Math.min(history.values.length, Math.max(0, steps));
  return {
    service,
    history: { ...history, values: history.values.slice(0, end) },
    regressors: regressors.map((one) => ({ ...one, train: one.train.slice(0, end), future: [] })),
  };
}

/** The same in the steps that members are asked in: histories of fine steps are seen as means of several. */
export function atMemberSteps(input: LstmTraining): LstmTraining {
  const factor = coarseFactor(input.seasons);
  if (factor === 1) return input;
  const series = input.series.map(({ service, history, regressors }): LstmService => {
    const skip = history.values.length % factor;
    const startMs = history.startMs + skip * history.stepMs;
    const values = meansOf(history.values.slice(skip), factor);
    return {
      service,
      history: { startMs, stepMs: history.stepMs * factor, values },
      regressors: regressors.map((one) => ({ ...one, train: meansOf(one.train.slice(skip), factor), future: [] })),
    };
  });
  return {
    ...input,
    series,
    seasons: input.seasons.map((season) => season / factor),
    horizonSteps: Math.ceil(input.horizonSteps / factor),
    heldBackSteps: Math.ceil(input.heldBackSteps / factor),
  };
}

function meansOf(values: readonly number[], count: number): number[] {
  return Array.from({ length: values.length / count }, (_, index) =>
    mean(values.slice(index * count, (index + 1) * count)),
  );
}

export function hashOfService({ service, history, regressors }: LstmService): string {
  const known = regressors.map(({ name, train }) => ({ name, train }));
  return sha256(canonicalJson({ service, history, known }));
}

/** Everything wrong with what is to be trained on. */
export function problemsOf({ series, seasons, horizonSteps, heldBackSteps }: LstmTraining): Problem[] {
  const problems: Problem[] = [];
  const check = (holds: boolean, field: string, message: string, expected: string): void => {
    if (!holds) problems.push({ code: 'lstm-training', field, message, expected });
  };
  const isCount = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  check(series.length > 0, 'series', 'is empty', 'one service at least');
  const rising = seasons.every((season, index) => isCount(season, 1) && season > (seasons[index - 1] ?? 0));
  check(seasons.length > 0 && rising, 'seasons', 'are not valid', 'whole numbers of steps, rising, one at least');
  check(isCount(horizonSteps, 1), 'horizonSteps', 'is not valid', 'a whole number > 0');
  check(isCount(heldBackSteps, 0), 'heldBackSteps', 'is not valid', 'a whole number ≥ 0');
  const stepMs = series[0]?.history.stepMs ?? 1;
  for (const [index, { history, regressors }] of series.entries()) {
    const field = `series[${index}]`;
    const { values } = history;
    check(history.stepMs === stepMs && stepMs > 0, `${field}.history.stepMs`, 'differs', `${stepMs}, as the first has`);
    check(values.every(isDemand), `${field}.history.values`, 'are not demand', 'finite numbers, none below zero');
    for (const { name, train } of regressors) {
      const sound = train.length === values.length && train.every(Number.isFinite);
      const expected = `${values.length} finite values`;
      check(sound, `${field}.regressors.${name}`, 'does not lie over the history', expected);
    }
  }
  return problems;
}

function isDemand(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

export function tooLittle({ seasons, heldBackSteps }: LstmTraining): Problem {
  return {
    code: 'lstm-history',
    field: 'series',
    message: `no service has enough history before its last ${heldBackSteps} steps`,
    expected: `four seasons of ${seasons[0] ?? 0} steps before them, to learn from and to validate on`,
  };
}
