import { describe, expect, it } from '@jest/globals';

import { createRandom } from '../../random.js';
import { Adam } from './adam.js';
import type { NetworkInput } from './network.js';
import { infer, learn } from './network.js';
import type { NetworkShape } from './parameters.js';
import { initialWeights, parameterCount, partsOf } from './parameters.js';

/** No size a multiple of four: the rows that are left over by products of four are in the test. */
const SHAPE: NetworkShape = { inputs: 3, known: 5, hidden: 6, decoder: 7, outputs: 2 };
const QUANTILES = [0.5, 0.9];
const CELLS = 7;
const LEADS = 6;

function numbers(count: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => 2 * random() - 1);
}

function question(seed: number): { input: NetworkInput; targets: Float64Array } {
  const window = numbers(CELLS * SHAPE.inputs, seed);
  const known = numbers(LEADS * SHAPE.known, seed + 1);
  return { input: { window, known, leads: LEADS }, targets: numbers(LEADS, seed + 2) };
}

describe('the network', () => {
  it('has the gradient that finite differences have, for each single weight', () => {
    const weights = numbers(parameterCount(SHAPE), 1);
    const gradient = new Float64Array(weights.length);
    const { input, targets } = question(2);
    const lossOf = (flat: Float64Array): number =>
      learn(partsOf(flat, SHAPE), partsOf(new Float64Array(flat.length), SHAPE), SHAPE, input, targets, QUANTILES);
    learn(partsOf(weights, SHAPE), partsOf(gradient, SHAPE), SHAPE, input, targets, QUANTILES);
    const width = 1e-6;
    let most = 0;
    for (let at = 0; at < weights.length; at++) {
      const moved = (by: number): number => {
        const other = Float64Array.from(weights);
        other[at] = (weights[at] ?? 0) + by;
        return lossOf(other);
      };
      const slope = (moved(width) - moved(-width)) / (2 * width);
      expect(Math.abs(slope - (gradient[at] ?? 0))).toBeLessThan(1e-6);
      most = Math.max(most, Math.abs(slope));
    }
    expect(most).toBeGreaterThan(0.1);
  });

  it('adds the gradients of several samples', () => {
    const weights = numbers(parameterCount(SHAPE), 1);
    const both = new Float64Array(weights.length);
    const alone = [2, 12].map((seed) => {
      const own = new Float64Array(weights.length);
      const { input, targets } = question(seed);
      for (const sum of [own, both]) {
        learn(partsOf(weights, SHAPE), partsOf(sum, SHAPE), SHAPE, input, targets, QUANTILES);
      }
      return own;
    });
    for (const [at, sum] of both.entries()) expect(sum).toBeCloseTo((alone[0]?.[at] ?? 0) + (alone[1]?.[at] ?? 0), 12);
  });

  it('puts out zero before it has learned', () => {
    const weights = initialWeights(SHAPE, createRandom(1));
    expect([...infer(partsOf(weights, SHAPE), SHAPE, question(3).input)]).toEqual(Array(2 * LEADS).fill(0));
  });

  it('answers each lead by itself', () => {
    const p = partsOf(numbers(parameterCount(SHAPE), 1), SHAPE);
    const { input } = question(4);
    const first = { ...input, known: input.known.subarray(0, 2 * SHAPE.known), leads: 2 };
    expect([...infer(p, SHAPE, first)]).toEqual([...infer(p, SHAPE, input).subarray(0, 4)]);
  });

  it('learns quantiles: half and nine tenths of the targets come to lie below', () => {
    const shape = { ...SHAPE, inputs: 1, known: 1 };
    const weights = initialWeights(shape, createRandom(5));
    const gradient = new Float64Array(weights.length);
    const adam = new Adam(weights.length);
    const random = createRandom(6);
    const still = { window: new Float64Array(2), known: new Float64Array(8), leads: 8 };
    for (let step = 0; step < 3000; step++) {
      const targets = Float64Array.from({ length: 8 }, () => random());
      learn(partsOf(weights, shape), partsOf(gradient, shape), shape, still, targets, QUANTILES);
      adam.step(weights, gradient, 1, step < 2000 ? 0.01 : 0.001, 1);
    }
    const [middle = 0, high = 0] = infer(partsOf(weights, shape), shape, {
      ...still,
      known: new Float64Array(1),
      leads: 1,
    });
    expect(Math.abs(middle - 0.5)).toBeLessThan(0.05);
    expect(Math.abs(high - 0.9)).toBeLessThan(0.05);
  });
});

describe('Adam', () => {
  it('clips the gradient to a norm and clears it', () => {
    const step = (scale: number): number[] => {
      const adam = new Adam(2);
      const weights = new Float64Array(2);
      for (const slopes of [
        [30, 40],
        [3, 1],
      ]) {
        const gradient = Float64Array.from(slopes, (slope) => slope * scale);
        adam.step(weights, gradient, 1, 0.1, 1);
        expect([...gradient]).toEqual([0, 0]);
      }
      return [...weights];
    };
    // Both gradients are beyond the norm, so only their direction counts.
    for (const [at, weight] of step(1).entries()) expect(step(100)[at]).toBeCloseTo(weight, 6);
  });
});
