import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { createRandom } from '../../random.js';
import { needsRetraining } from './drift.js';
import type { NetworkTask } from './inputs.js';
import { shapeOf } from './inputs.js';
import type { LstmModel } from './model.js';
import { decodeWeights, encodeWeights, inputNames, MODEL_KIND, MODEL_VERSION, parseLstmModel } from './model.js';
import { parameterCount } from './parameters.js';

const DAY_MS = 86_400_000;
const TASK: NetworkTask = {
  stepSeconds: 3600,
  seasons: [24, 168],
  horizonSteps: 48,
  regressors: [
    { name: 'heat', mean: -3, deviation: 7 },
    { name: 'rain', mean: 2, deviation: 0.5 },
  ],
};
const COUNT = parameterCount(shapeOf(TASK, 4, 5, 2));
const RANDOM = createRandom(1);
const WEIGHTS = Float64Array.from({ length: COUNT }, () => Math.fround(RANDOM() - 0.5));
const MODEL: LstmModel = {
  kind: MODEL_KIND,
  version: MODEL_VERSION,
  ...TASK,
  hidden: 4,
  decoder: 5,
  quantiles: [0.5, 0.9],
  inputs: inputNames(TASK),
  trainedOn: 'a'.repeat(64),
  validationMase: 0.8,
  honest: { untilMs: 10 * DAY_MS, weights: encodeWeights(WEIGHTS) },
  current: { untilMs: 17 * DAY_MS, weights: encodeWeights(WEIGHTS) },
};

function fields(value: unknown): string[] {
  const result = parseLstmModel(value);
  return result.ok ? [] : result.problems.map(({ field }) => field);
}

describe('weights as text', () => {
  it('come back as the 32-bit floats that they were', () => {
    expect(decodeWeights(encodeWeights(WEIGHTS))).toEqual(WEIGHTS);
    expect(encodeWeights(Float64Array.of(1, -0.5))).toBe('AACAPwAAAL8=');
  });
});

describe('parseLstmModel', () => {
  it('reads what it wrote', () => {
    expect(parseLstmModel(JSON.parse(JSON.stringify(MODEL)))).toEqual({ ok: true, value: MODEL, warnings: [] });
  });

  it('refuses what is no model at all', () => {
    for (const value of [null, undefined, 7, 'model', [], [MODEL]]) expect(fields(value)).toEqual(['']);
    expect(new Set(fields({}))).toEqual(new Set(Object.keys(MODEL)));
  });

  it.each([
    ['kind', { kind: 'other' }],
    ['version', { version: 2 }],
    ['stepSeconds', { stepSeconds: 0 }],
    ['seasons', { seasons: [168, 24] }],
    ['horizonSteps', { horizonSteps: 1.5 }],
    ['hidden', { hidden: 1e9 }],
    ['quantiles', { quantiles: [0.5, 1] }],
    ['regressors', { regressors: [{ name: 'rain', mean: 0, deviation: 0 }] }],
    ['inputs', { inputs: [...MODEL.inputs].reverse() }],
    ['trainedOn', { trainedOn: 'yesterday' }],
    ['validationMase', { validationMase: Number.NaN }],
    ['honest', { honest: { weights: MODEL.honest.weights } }],
    ['honest.weights', { honest: { ...MODEL.honest, weights: encodeWeights(WEIGHTS.subarray(1)) } }],
    ['current.weights', { current: { ...MODEL.current, weights: encodeWeights(WEIGHTS.map(() => Number.NaN)) } }],
    ['current.weights', { current: { ...MODEL.current, weights: 'no base64 at all' } }],
    ['honest.untilMs', { honest: { ...MODEL.honest, untilMs: 18 * DAY_MS } }],
  ])('refuses a wrong %s, and names it', (field, change) => {
    expect(fields({ ...MODEL, ...change })).toEqual([field]);
  });

  it('reports all that is wrong at once', () => {
    expect(fields({ ...MODEL, kind: 'other', seasons: [], hidden: -1 })).toEqual(['kind', 'seasons', 'hidden']);
  });

  it('never throws, and never accepts what it could not use', () => {
    const anyField = fc.constantFrom(...Object.keys(MODEL));
    fc.assert(
      fc.property(anyField, fc.anything(), (field, value) => {
        const result = parseLstmModel({ ...MODEL, [field]: value });
        if (result.ok) expect(decodeWeights(result.value.honest.weights)).toHaveLength(COUNT);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe('needsRetraining', () => {
  const nowMs = 18 * DAY_MS;

  it('is content with errors like those of the validation', () => {
    expect(needsRetraining(MODEL, [0.8, 0.9, 0.7, 1.1, 0.6], nowMs)).toEqual({ needed: false });
  });

  it('asks for it when most services go wrong, and not when one does', () => {
    const reason = 'its recent MASE is 1.30, where it was 0.80 in validation';
    expect(needsRetraining(MODEL, [1.3, 1.3, 1.4, 0.7, 1.3], nowMs)).toEqual({ needed: true, reason });
    expect(needsRetraining(MODEL, [0.8, 0.9, 0.7, 30, 0.6], nowMs)).toEqual({ needed: false });
    expect(needsRetraining(MODEL, [9, 9], nowMs)).toEqual({ needed: false });
    expect(needsRetraining(MODEL, [9, 9, 0.8, Number.NaN, Number.POSITIVE_INFINITY], nowMs)).toEqual({ needed: false });
  });

  it('asks for it when the network is old', () => {
    expect(needsRetraining(MODEL, [], 45 * DAY_MS)).toEqual({ needed: false });
    const reason = 'it has not seen the last 4 of its longest season';
    expect(needsRetraining(MODEL, [], 46 * DAY_MS)).toEqual({ needed: true, reason });
  });
});
