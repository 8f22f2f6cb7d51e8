import { normal } from '../../random.js';

/** Sizes of a network. The encoder reads `inputs` numbers a cell; the decoder `known` numbers a lead. */
export interface NetworkShape {
  inputs: number;
  known: number;
  /** Units of the encoder's LSTM. */
  hidden: number;
  /** Units of the decoder's one layer. */
  decoder: number;
  /** Quantiles that it gives for each lead. */
  outputs: number;
}

/** Of an LSTM, in this order: input, forget, candidate, output. */
export const GATES = 4;

const NAMES = [
  'inputWeights',
  'stateWeights',
  'gateBias',
  'summaryWeights',
  'knownWeights',
  'decoderBias',
  'outputWeights',
  'skipWeights',
  'outputBias',
] as const;
type ParameterName = (typeof NAMES)[number];

/** Matrices row by row; a row belongs to what goes in, a column to what comes out. */
export type Parameters = Readonly<Record<ParameterName, Float64Array>>;

function sizesOf({ inputs, known, hidden, decoder, outputs }: NetworkShape): Readonly<Record<ParameterName, number>> {
  return {
    inputWeights: inputs * GATES * hidden,
    stateWeights: hidden * GATES * hidden,
    gateBias: GATES * hidden,
    summaryWeights: hidden * decoder,
    knownWeights: known * decoder,
    decoderBias: decoder,
    outputWeights: decoder * outputs,
    skipWeights: known * outputs,
    outputBias: outputs,
  };
}

export function parameterCount(shape: NetworkShape): number {
  return Object.values(sizesOf(shape)).reduce((sum, size) => sum + size, 0);
}

/** The parts of one flat array of `parameterCount` numbers, without copying: who writes a part writes the array. */
export function partsOf(flat: Float64Array, shape: NetworkShape): Parameters {
  const sizes = sizesOf(shape);
  let from = 0;
  const parts = NAMES.map((name): [ParameterName, Float64Array] => {
    const part = flat.subarray(from, from + sizes[name]);
    from += sizes[name];
    return [name, part];
  });
  return Object.fromEntries(parts) as Record<ParameterName, Float64Array>;
}

/** Weights to start from. What leads to the output is zero, so that an untrained network changes nothing. */
export function initialWeights(shape: NetworkShape, random: () => number): Float64Array {
  const flat = new Float64Array(parameterCount(shape));
  const parts = partsOf(flat, shape);
  const spread = (part: Float64Array, fanIn: number): void => {
    for (let at = 0; at < part.length; at++) part[at] = normal(random) / Math.sqrt(3 * fanIn);
  };
  spread(parts.inputWeights, shape.inputs + shape.hidden);
  spread(parts.stateWeights, shape.hidden);
  spread(parts.summaryWeights, shape.hidden + shape.known);
  spread(parts.knownWeights, shape.hidden + shape.known);
  // A gate that starts open remembers (Jozefowicz, Zaremba and Sutskever 2015).
  parts.gateBias.fill(1, shape.hidden, 2 * shape.hidden);
  return flat;
}
