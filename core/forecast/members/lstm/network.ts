import { createEncoderTape, encode, encodeBack, summaryOf } from './encoder.js';
import type { NetworkShape, Parameters } from './parameters.js';
import { addOuterProducts, addProduct, addRows, setBackProduct } from './products.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { floor, tanh } = Math;

/** What the network is asked: `window` has `shape.inputs` numbers a cell, `known` has `shape.known` numbers a lead. */
export interface NetworkInput {
  window: Float64Array;
  known: Float64Array;
  leads: number;
}

/** Outputs by lead, then by quantile, in units of the target. */
export function infer(p: Parameters, shape: NetworkShape, input: NetworkInput): Float64Array {
  const tape = encoded(p, shape, input);
  return decode(p, shape, input, summaryOf(tape, shape)).outputs;
}

/**
 * Mean quantile loss (Koenker and Bassett 1978) of one sample over its leads and quantiles, twice, so that at the middle
 * quantile it is the absolute error. Adds its gradient to `gradient`.
 */
export function learn(
  p: Parameters,
  gradient: Parameters,
  shape: NetworkShape,
  input: NetworkInput,
  targets: Float64Array,
  quantiles: readonly number[],
): number {
  const tape = encoded(p, shape, input);
  const summary = summaryOf(tape, shape);
  const decoded = decode(p, shape, input, summary);
  const slopes = new Float64Array(decoded.outputs.length);
  const loss = quantileLoss(decoded.outputs, targets, quantiles, slopes);
  const summarySlope = decodeBack(p, gradient, shape, input, decoded, slopes, summary);
  encodeBack(p, gradient, shape, input.window, tape, summarySlope);
  return loss;
}

/** As above; writes the slope of the loss along each output. */
export function quantileLoss(
  outputs: Float64Array,
  targets: Float64Array,
  quantiles: readonly number[],
  slopes: Float64Array,
): number {
  const share = 2 / outputs.length;
  let loss = 0;
  for (let at = 0; at < outputs.length; at++) {
    const quantile = quantiles[at % quantiles.length] ?? 0.5;
    const short = (targets[floor(at / quantiles.length)] ?? 0) - (outputs[at] ?? 0);
    loss += share * (short >= 0 ? quantile * short : (quantile - 1) * short);
    slopes[at] = share * (short >= 0 ? -quantile : 1 - quantile);
  }
  return loss;
}

function encoded(p: Parameters, shape: NetworkShape, { window }: NetworkInput): ReturnType<typeof createEncoderTape> {
  const tape = createEncoderTape(window.length / shape.inputs, shape);
  encode(p, shape, window, tape);
  return tape;
}

interface Decoded {
  /** By lead: the layer after its activation. */
  layer: Float64Array;
  outputs: Float64Array;
}

/** Every lead by itself: one layer over the summary and what is known of the lead, and a straight line around it. */
function decode(p: Parameters, shape: NetworkShape, { known, leads }: NetworkInput, summary: Float64Array): Decoded {
  const { decoder, outputs: width } = shape;
  const layer = new Float64Array(leads * decoder);
  const outputs = new Float64Array(leads * width);
  const shared = Float64Array.from(p.decoderBias);
  addProduct(shared, summary, p.summaryWeights);
  for (let lead = 0; lead < leads; lead++) {
    const row = known.subarray(lead * shape.known, (lead + 1) * shape.known);
    const own = layer.subarray(lead * decoder, (lead + 1) * decoder);
    own.set(shared);
    addProduct(own, row, p.knownWeights);
    for (let unit = 0; unit < decoder; unit++) own[unit] = tanh(own[unit] ?? 0);
    const out = outputs.subarray(lead * width, (lead + 1) * width);
    out.set(p.outputBias);
    addProduct(out, own, p.outputWeights);
    addProduct(out, row, p.skipWeights);
  }
  return { layer, outputs };
}

/** Adds to `gradient`; gives what a change of the summary is worth. */
function decodeBack(
  p: Parameters,
  gradient: Parameters,
  shape: NetworkShape,
  { known, leads }: NetworkInput,
  { layer }: Decoded,
  slopes: Float64Array,
  summary: Float64Array,
): Float64Array {
  const { decoder, outputs: width } = shape;
  const layerSlopes = new Float64Array(layer.length);
  for (let lead = 0; lead < leads; lead++) {
    const own = layerSlopes.subarray(lead * decoder, (lead + 1) * decoder);
    setBackProduct(own, slopes.subarray(lead * width, (lead + 1) * width), p.outputWeights);
  }
  for (let at = 0; at < layer.length; at++) layerSlopes[at] = (layerSlopes[at] ?? 0) * (1 - (layer[at] ?? 0) ** 2);
  addRows(gradient.outputBias, slopes);
  addOuterProducts(gradient.outputWeights, layer, slopes, leads);
  addOuterProducts(gradient.skipWeights, known, slopes, leads);
  addOuterProducts(gradient.knownWeights, known, layerSlopes, leads);
  const shared = new Float64Array(decoder);
  addRows(shared, layerSlopes);
  addRows(gradient.decoderBias, shared);
  addOuterProducts(gradient.summaryWeights, summary, shared, 1);
  const summarySlope = new Float64Array(shape.hidden);
  setBackProduct(summarySlope, shared, p.summaryWeights);
  return summarySlope;
}
