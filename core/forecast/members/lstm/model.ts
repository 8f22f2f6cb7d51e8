import type { Problem, Result } from '../../../spec/problem.js';
import { ok, refused } from '../../../spec/problem.js';
import { isRecord } from '../../../spec/rawDocument.js';
import type { LearnedRegressor, NetworkTask } from './inputs.js';
import { cellInputs, leadInputs, shapeOf } from './inputs.js';
import type { NetworkShape } from './parameters.js';
import { parameterCount } from './parameters.js';

export const MODEL_KIND = 'psmg/lstm';
export const MODEL_VERSION = 1;

/** Weights and what they have seen: nothing at or after `untilMs`. */
export interface LstmWeights {
  untilMs: number;
  /** 32-bit floats, little-endian, in base64. */
  weights: string;
}

/** One network for all services of a region. Plain JSON; a few tens of kilobytes. */
export interface LstmModel extends NetworkTask {
  kind: typeof MODEL_KIND;
  version: typeof MODEL_VERSION;
  hidden: number;
  decoder: number;
  /** The middle one comes first. */
  quantiles: readonly number[];
  /** What the numbers that the network reads stand for: a program that gives others cannot use it. */
  inputs: readonly string[];
  /** Hash of histories and regressors that it was trained on. */
  trainedOn: string;
  /** Of the honest weights on data that they did not see: mean absolute error in units of the short naive's. */
  validationMase: number;
  /** Trained on what lies before the held-back tail, so that back-tests in that tail are honest. */
  honest: LstmWeights;
  /** The same, trained further on everything. */
  current: LstmWeights;
}

/** The latest weights that have seen nothing at or after a time. */
export function weightsBefore({ honest, current }: LstmModel, timeMs: number): LstmWeights | null {
  return [current, honest].find(({ untilMs }) => untilMs <= timeMs) ?? null;
}

export function encodeWeights(weights: Float64Array): string {
  const bytes = Buffer.alloc(4 * weights.length);
  for (const [index, weight] of weights.entries()) bytes.writeFloatLE(weight, 4 * index);
  return bytes.toString('base64');
}

export function decodeWeights(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  return Float64Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(4 * index));
}

export function inputNames(task: NetworkTask): string[] {
  return [...cellInputs(task).map((name) => `cell ${name}`), ...leadInputs(task).map((name) => `lead ${name}`)];
}

export function modelShape(model: LstmModel): NetworkShape {
  return shapeOf(model, model.hidden, model.decoder, model.quantiles.length);
}

/** Reads a stored model; refuses one that is damaged or made for other inputs, with everything wrong about it. */
export function parseLstmModel(value: unknown): Result<LstmModel> {
  const problems: Problem[] = [];
  const check = (holds: boolean, field: string, expected: string): void => {
    if (!holds) problems.push({ code: 'lstm-model', field, message: 'is not valid', expected });
  };
  if (!isRecord(value)) return refused([{ code: 'lstm-model', field: '', message: 'is not an object' }]);
  check(value.kind === MODEL_KIND, 'kind', `"${MODEL_KIND}"`);
  check(value.version === MODEL_VERSION, 'version', String(MODEL_VERSION));
  check(isPositive(value.stepSeconds), 'stepSeconds', 'a number > 0');
  check(isSeasons(value.seasons), 'seasons', 'whole numbers > 0, rising');
  check(isCount(value.horizonSteps, 1_000_000), 'horizonSteps', 'a whole number > 0');
  check(isCount(value.hidden, 1024), 'hidden', 'a whole number, 1–1024');
  check(isCount(value.decoder, 1024), 'decoder', 'a whole number, 1–1024');
  check(isQuantiles(value.quantiles), 'quantiles', 'numbers between 0 and 1');
  check(isRegressors(value.regressors), 'regressors', 'a list of {name, mean, deviation > 0}');
  check(isStrings(value.inputs), 'inputs', 'a list of names');
  check(typeof value.trainedOn === 'string' && /^[0-9a-f]{64}$/.test(value.trainedOn), 'trainedOn', 'a SHA-256 in hex');
  check(isPositive(value.validationMase) || value.validationMase === 0, 'validationMase', 'a number ≥ 0');
  check(isWeights(value.honest), 'honest', '{untilMs, weights}');
  check(isWeights(value.current), 'current', '{untilMs, weights}');
  if (problems.length > 0) return refused(problems);
  const model = value as unknown as LstmModel;
  const names = inputNames(model);
  check(model.inputs.join('\n') === names.join('\n'), 'inputs', names.join(', '));
  const count = parameterCount(modelShape(model));
  for (const name of ['honest', 'current'] as const) {
    const weights = decodeWeights(model[name].weights);
    const sound = weights.length === count && weights.every(Number.isFinite);
    check(sound, `${name}.weights`, `${count} finite 32-bit floats in base64`);
  }
  check(model.honest.untilMs <= model.current.untilMs, 'honest.untilMs', 'not after current.untilMs');
  return problems.length > 0 ? refused(problems) : ok(model);
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isCount(value: unknown, most: number): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= most;
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isSeasons(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  const seasons: unknown[] = value;
  return seasons.every(
    (season, index) => isCount(season, 1_000_000) && (index === 0 || Number(season) > Number(seasons[index - 1])),
  );
}

function isQuantiles(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((level) => isPositive(level) && level < 1);
}

function isRegressors(value: unknown): value is LearnedRegressor[] {
  return (
    Array.isArray(value) &&
    value.every(
      (one) =>
        isRecord(one) &&
        typeof one.name === 'string' &&
        typeof one.mean === 'number' &&
        Number.isFinite(one.mean) &&
        isPositive(one.deviation),
    )
  );
}

function isWeights(value: unknown): value is LstmWeights {
  return isRecord(value) && Number.isFinite(value.untilMs) && typeof value.weights === 'string';
}
