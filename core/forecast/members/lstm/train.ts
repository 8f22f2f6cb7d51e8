import { canonicalJson, sha256 } from '../../../spec/hash.js';
import type { Result } from '../../../spec/problem.js';
import { ok, refused } from '../../../spec/problem.js';
import { createRandom } from '../../random.js';
import type { Fitted, FitPlan, LstmProgress } from './fit.js';
import { fit, maseOf } from './fit.js';
import type { NetworkTask } from './inputs.js';
import { shapeOf } from './inputs.js';
import type { LstmModel } from './model.js';
import { decodeWeights, encodeWeights, inputNames, MODEL_KIND, MODEL_VERSION, weightsBefore } from './model.js';
import { initialWeights } from './parameters.js';
import { learnedRegressors } from './regressors.js';
import type { Sample, SampleRange } from './samples.js';
import { rangeOf, validationSamples, viewOf } from './samples.js';
import type { LstmLimits, LstmService, LstmTraining } from './training.js';
import { atMemberSteps, before, hashOfService, problemsOf, spanOf, tooLittle } from './training.js';

const LIMITS: LstmLimits = { epochs: 16, samplesPerEpoch: 2048, hidden: 24, decoder: 32 };
/** The middle one is the forecast; the high one makes the network learn where a service is uncertain. */
const QUANTILES = [0.5, 0.9];
/** Share of what lies before the held-back tail that says when to stop. */
const VALIDATION_SHARE = 0.2;
const COLD = { epochShare: 1, onwardShare: 0.2, rates: [4e-3, 4e-4], patience: 4 } as const;
/** What was learned once only has to be kept up. */
const WARM = { epochShare: 0.15, onwardShare: 0.1, rates: [8e-4, 2e-4], patience: 2 } as const;
/** The newest part of a history leaves nothing to validate on: a few small steps, that cannot go far. */
const ONWARD_RATES = [8e-4, 2e-4] as const;
const SAMPLES_A_YIELD = 32;
const PREPARING: LstmProgress = { stage: 'prepare', epoch: 0, samples: 0, loss: 0, validationLoss: null };

/**
 * Trains one network over all services of a region; yields often, so that a worker can report, breathe and stop. What
 * it makes is for members at the resolution that `atResolution` gives them.
 * Refused: input that is not sound, or too little history before the held-back tail.
 */
export function* trainLstm(asked: LstmTraining): Generator<LstmProgress, Result<LstmModel>> {
  const problems = problemsOf(asked);
  if (problems.length > 0) return refused(problems);
  const input = atMemberSteps(asked);
  const span = spanOf(input);
  const hashes: string[] = [];
  const known: LstmService[] = [];
  for (const service of input.series) {
    yield PREPARING;
    hashes.push(hashOfService(service));
    known.push(before(service, span.honestMs));
  }
  const make = makeOf(input, known, span);
  const { learned, tested } = yield* splitRanges(known, make.task);
  if (learned.length === 0) return refused([tooLittle(input)]);
  const validation: Sample[] = [];
  for (const sample of validationSamples(tested, make.task)) {
    if (validation.push(sample) % SAMPLES_A_YIELD === 0) yield PREPARING;
  }
  const validated = yield* fit({ ...make.plan, ranges: learned, validation });
  const validationMase = yield* maseOf(make.plan, validation, validated);
  const { honest, current } = yield* goneOnWith(validated, make, known, input.series);
  const { seasons, horizonSteps, heldBackSteps } = input;
  return ok({
    kind: MODEL_KIND,
    version: MODEL_VERSION,
    ...make.task,
    hidden: make.plan.shape.hidden,
    decoder: make.plan.shape.decoder,
    quantiles: QUANTILES,
    inputs: inputNames(make.task),
    trainedOn: sha256(canonicalJson({ hashes, seasons, horizonSteps, heldBackSteps })),
    validationMase,
    honest: { untilMs: span.honestMs, weights: encodeWeights(honest.weights) },
    current: { untilMs: span.endMs, weights: encodeWeights(current.weights) },
  });
}

interface Make {
  task: NetworkTask;
  /** Without what it learns from. */
  plan: Omit<FitPlan, 'ranges' | 'validation'>;
  /** Of each of the two fits that go on from the validated weights. */
  onwardEpochs: number;
}

/** What kind of network, and from where it starts. `known`: the services before the held-back tail. */
function makeOf(
  { seasons, horizonSteps, seed, warm, limits: asked }: LstmTraining,
  known: readonly LstmService[],
  { stepMs, honestMs }: ReturnType<typeof spanOf>,
): Make {
  const limits = { ...LIMITS, ...asked };
  const fresh: NetworkTask = {
    stepSeconds: stepMs / 1000,
    seasons,
    horizonSteps,
    regressors: learnedRegressors(known),
  };
  const weights = warm === undefined || !isAlike(warm, fresh, limits) ? null : weightsBefore(warm, honestMs);
  // Warm weights mean inputs of the size that they were trained with.
  const task = weights === null || warm === undefined ? fresh : { ...fresh, regressors: warm.regressors };
  const shape = shapeOf(task, limits.hidden, limits.decoder, QUANTILES.length);
  const { epochShare, onwardShare, rates, patience } = weights === null ? COLD : WARM;
  const plan: Make['plan'] = {
    stage: 'honest',
    task,
    shape,
    quantiles: QUANTILES,
    start: weights === null ? initialWeights(shape, createRandom(seed)) : decodeWeights(weights.weights),
    epochs: Math.ceil(limits.epochs * epochShare),
    samplesPerEpoch: limits.samplesPerEpoch,
    rates,
    patience,
    seed,
  };
  return { task, plan, onwardEpochs: Math.ceil(limits.epochs * onwardShare) };
}

function isAlike(warm: LstmModel, task: NetworkTask, limits: LstmLimits): boolean {
  return (
    warm.stepSeconds === task.stepSeconds &&
    warm.horizonSteps === task.horizonSteps &&
    warm.hidden === limits.hidden &&
    warm.decoder === limits.decoder &&
    warm.quantiles.join() === QUANTILES.join() &&
    warm.inputs.join('\n') === inputNames(task).join('\n')
  );
}

/** The last part before the held-back tail says when to stop; the part before it is learned from. */
function* splitRanges(
  services: readonly LstmService[],
  task: NetworkTask,
): Generator<LstmProgress, { learned: SampleRange[]; tested: SampleRange[] }> {
  const learned: SampleRange[] = [];
  const tested: SampleRange[] = [];
  for (const service of services) {
    yield PREPARING;
    const end = service.history.values.length;
    const most = Math.max(task.horizonSteps, task.seasons.at(-1) ?? 0);
    const split = end - Math.min(Math.floor(end * VALIDATION_SHARE), most);
    const view = viewOf(service, task);
    const first = rangeOf(view, task, 0, split);
    const last = rangeOf(view, task, split, end);
    if (first !== null) learned.push(first);
    if (last !== null) tested.push(last);
  }
  return { learned, tested };
}

/** The validated weights trained on: on all before the held-back tail, then on everything. */
function* goneOnWith(
  validated: Fitted,
  { task, plan, onwardEpochs }: Make,
  known: readonly LstmService[],
  all: readonly LstmService[],
): Generator<LstmProgress, { honest: Fitted; current: Fitted }> {
  const onward = { ...plan, validation: [], epochs: onwardEpochs, rates: ONWARD_RATES };
  const early = yield* rangesOf(known, task);
  const honest = yield* fit({ ...onward, start: validated.weights, ranges: early, seed: plan.seed + 1 });
  const whole = yield* rangesOf(all, task);
  const start = honest.weights;
  const current = yield* fit({ ...onward, stage: 'current', start, ranges: whole, seed: plan.seed + 2 });
  return { honest, current };
}

function* rangesOf(services: readonly LstmService[], task: NetworkTask): Generator<LstmProgress, SampleRange[]> {
  const ranges: SampleRange[] = [];
  for (const service of services) {
    yield PREPARING;
    const range = rangeOf(viewOf(service, task), task, 0, service.history.values.length);
    if (range !== null) ranges.push(range);
  }
  return ranges;
}
