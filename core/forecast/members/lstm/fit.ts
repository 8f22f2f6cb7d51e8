import { createRandom } from '../../random.js';
import { mean } from '../../series.js';
import { Adam } from './adam.js';
import type { NetworkTask } from './inputs.js';
import { infer, learn, quantileLoss } from './network.js';
import type { NetworkShape } from './parameters.js';
import { partsOf } from './parameters.js';
import type { Sample, SampleRange } from './samples.js';
import { drawSample } from './samples.js';
import { demandAt, naiveErrorOf } from './frame.js';

export interface LstmProgress {
  /** `honest`: on what lies before the held-back tail; `current`: on everything. */
  stage: 'prepare' | 'honest' | 'current';
  /** Counts from 1. */
  epoch: number;
  /** Learned from in this stage so far. */
  samples: number;
  /** Mean over this epoch so far, in units of the seasonal naive's error. */
  loss: number;
  /** After the last epoch; `null` before there is one, and where nothing is left to validate on. */
  validationLoss: number | null;
}

export interface FitPlan {
  stage: LstmProgress['stage'];
  task: NetworkTask;
  shape: NetworkShape;
  quantiles: readonly number[];
  start: Float64Array;
  ranges: readonly SampleRange[];
  /** Empty: all epochs are run, and the last weights are taken. */
  validation: readonly Sample[];
  epochs: number;
  samplesPerEpoch: number;
  /** Of the first epoch and of the last; in between it falls by a constant factor. */
  rates: readonly [number, number];
  /** Epochs without a better validation loss before it stops. */
  patience: number;
  seed: number;
}

export interface Fitted {
  weights: Float64Array;
  /** Epochs that led to these weights. */
  epochs: number;
  /** Of these weights; of the start where no epoch was better. `null`: not validated. */
  validationLoss: number | null;
}

const BATCH = 16;
const MOST_NORM = 1;
/**
 * What is kept is a running mean of the weights, since single batches move them about: over so many batches at most, and
 * over a part of those that there were at first.
 */
const AVERAGED_BATCHES = 100;
const FIRST_PART = 0.2;

/** Gradient descent with early stopping; yields after every batch. */
export function* fit(plan: FitPlan): Generator<LstmProgress, Fitted> {
  const { stage, validation, samplesPerEpoch, epochs } = plan;
  const weights = Float64Array.from(plan.start);
  const average = Float64Array.from(plan.start);
  const gradient = new Float64Array(weights.length);
  const adam = new Adam(weights.length);
  const random = createRandom(plan.seed);
  let samples = 0;
  let batches = 0;
  let best: Fitted = { weights: plan.start, epochs: 0, validationLoss: null };
  let progress: LstmProgress = { stage, epoch: 1, samples, loss: 0, validationLoss: null };
  if (validation.length > 0) best = { ...best, validationLoss: yield* validated(plan, plan.start, progress) };
  let last = best.validationLoss;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const rate = rateAt(plan, epoch);
    let loss = 0;
    for (let done = 0; done < samplesPerEpoch; done += BATCH) {
      const size = Math.min(BATCH, samplesPerEpoch - done);
      loss += learnBatch(plan, weights, gradient, size, random);
      adam.step(weights, gradient, size, rate, MOST_NORM);
      batches++;
      follow(average, weights, 1 / Math.min(AVERAGED_BATCHES, Math.max(1, FIRST_PART * batches)));
      samples += size;
      progress = { stage, epoch, samples, loss: loss / (done + size), validationLoss: last };
      yield progress;
    }
    if (validation.length === 0) {
      best = { weights: average, epochs: epoch, validationLoss: null };
      continue;
    }
    last = yield* validated(plan, average, progress);
    yield { ...progress, validationLoss: last };
    if (last < (best.validationLoss ?? Number.POSITIVE_INFINITY)) {
      best = { weights: Float64Array.from(average), epochs: epoch, validationLoss: last };
    } else if (epoch - best.epochs >= plan.patience) break;
  }
  return best;
}

function follow(average: Float64Array, weights: Float64Array, share: number): void {
  for (let at = 0; at < average.length; at++) {
    average[at] = (average[at] ?? 0) + share * ((weights[at] ?? 0) - (average[at] ?? 0));
  }
}

function learnBatch(
  { ranges, task, shape, quantiles }: FitPlan,
  weights: Float64Array,
  gradient: Float64Array,
  size: number,
  random: () => number,
): number {
  const parts = partsOf(weights, shape);
  const slopes = partsOf(gradient, shape);
  let loss = 0;
  for (let index = 0; index < size; index++) {
    const { input, targets } = drawSample(ranges, task, random);
    loss += learn(parts, slopes, shape, input, targets, quantiles);
  }
  return loss;
}

function rateAt({ rates: [first, last], epochs }: FitPlan, epoch: number): number {
  return epochs === 1 ? first : first * (last / first) ** ((epoch - 1) / (epochs - 1));
}

/** Mean loss of the middle quantile alone: it is the forecast. */
function* validated(
  { shape, quantiles, validation }: FitPlan,
  weights: Float64Array,
  progress: LstmProgress,
): Generator<LstmProgress, number> {
  const parts = partsOf(weights, shape);
  let loss = 0;
  for (const [index, { input, targets }] of validation.entries()) {
    const outputs = infer(parts, shape, input);
    const middle = Float64Array.from(targets, (_, lead) => outputs[lead * quantiles.length] ?? 0);
    loss += quantileLoss(middle, targets, [0.5], new Float64Array(middle.length));
    if (index % BATCH === BATCH - 1) yield progress;
  }
  return loss / validation.length;
}

/** Mean absolute error of the middle quantile over samples, as demand, in units of the seasonal naive's before them. */
export function* maseOf(
  { stage, shape }: Pick<FitPlan, 'stage' | 'shape'>,
  samples: readonly Sample[],
  { weights, epochs, validationLoss }: Fitted,
): Generator<LstmProgress, number> {
  const parts = partsOf(weights, shape);
  const errors: number[] = [];
  for (const [index, { frame, leads, bases, input }] of samples.entries()) {
    const outputs = infer(parts, shape, input);
    const misses = leads.map((lead, at) => {
      const predicted = demandAt(frame, bases[at] ?? 0, outputs[at * shape.outputs] ?? 0);
      return Math.abs(predicted - (frame.view.values[frame.origin + lead - 1] ?? 0));
    });
    const scale = naiveErrorOf(frame);
    if (scale > 0) errors.push(mean(misses) / scale);
    if (index % BATCH === BATCH - 1) yield { stage, epoch: epochs, samples: 0, loss: 0, validationLoss };
  }
  return mean(errors);
}
