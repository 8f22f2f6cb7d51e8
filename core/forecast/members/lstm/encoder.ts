import type { NetworkShape, Parameters } from './parameters.js';
import { GATES } from './parameters.js';
import { addOuterProducts, addProduct, addRows, setBackProduct } from './products.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up, and these are used a lot.
const { exp, tanh } = Math;

/** What the encoder computed over a window, kept for the way back. */
export interface EncoderTape {
  cells: number;
  /** By cell, after their activation. */
  gates: Float64Array;
  /** By cell, with the state before the first one (zero) in front. */
  memory: Float64Array;
  state: Float64Array;
  /** tanh of the memory after each cell. */
  shown: Float64Array;
}

export function createEncoderTape(cells: number, { hidden }: NetworkShape): EncoderTape {
  return {
    cells,
    gates: new Float64Array(cells * GATES * hidden),
    memory: new Float64Array((cells + 1) * hidden),
    state: new Float64Array((cells + 1) * hidden),
    shown: new Float64Array(cells * hidden),
  };
}

/** The state after the last cell: what the decoder is told of the window. */
export function summaryOf({ state, cells }: EncoderTape, { hidden }: NetworkShape): Float64Array {
  return state.subarray(cells * hidden, (cells + 1) * hidden);
}

/** LSTM (Hochreiter and Schmidhuber 1997, with forget gates) over `window`: `cells` rows of `inputs` numbers. */
export function encode(p: Parameters, shape: NetworkShape, window: Float64Array, tape: EncoderTape): void {
  const { inputs, hidden } = shape;
  const width = GATES * hidden;
  for (let cell = 0; cell < tape.cells; cell++) {
    const gates = tape.gates.subarray(cell * width, (cell + 1) * width);
    gates.set(p.gateBias);
    addProduct(gates, window.subarray(cell * inputs, (cell + 1) * inputs), p.inputWeights);
    addProduct(gates, tape.state.subarray(cell * hidden, (cell + 1) * hidden), p.stateWeights);
    activate(gates, cell, hidden, tape);
  }
}

function activate(gates: Float64Array, cell: number, hidden: number, { memory, state, shown }: EncoderTape): void {
  const before = cell * hidden;
  const after = before + hidden;
  for (let unit = 0; unit < hidden; unit++) {
    const input = sigmoid(gates[unit] ?? 0);
    const forget = sigmoid(gates[hidden + unit] ?? 0);
    const candidate = tanh(gates[2 * hidden + unit] ?? 0);
    const output = sigmoid(gates[3 * hidden + unit] ?? 0);
    const kept = forget * (memory[before + unit] ?? 0) + input * candidate;
    const seen = tanh(kept);
    gates[unit] = input;
    gates[hidden + unit] = forget;
    gates[2 * hidden + unit] = candidate;
    gates[3 * hidden + unit] = output;
    memory[after + unit] = kept;
    shown[before + unit] = seen;
    state[after + unit] = output * seen;
  }
}

/** Back through time: adds to `gradient` what a change of the summary by `summarySlope` is worth. Overwrites the slope. */
export function encodeBack(
  p: Parameters,
  gradient: Parameters,
  shape: NetworkShape,
  window: Float64Array,
  tape: EncoderTape,
  summarySlope: Float64Array,
): void {
  const { hidden } = shape;
  const width = GATES * hidden;
  const memorySlope = new Float64Array(hidden);
  const slopes = new Float64Array(tape.cells * width);
  for (let cell = tape.cells - 1; cell >= 0; cell--) {
    const own = slopes.subarray(cell * width, (cell + 1) * width);
    activateBack(cell, hidden, tape, summarySlope, memorySlope, own);
    setBackProduct(summarySlope, own, p.stateWeights);
  }
  addRows(gradient.gateBias, slopes);
  addOuterProducts(gradient.inputWeights, window, slopes, tape.cells);
  addOuterProducts(gradient.stateWeights, tape.state.subarray(0, tape.cells * hidden), slopes, tape.cells);
}

function activateBack(
  cell: number,
  hidden: number,
  { gates, memory, shown }: EncoderTape,
  stateSlope: Float64Array,
  memorySlope: Float64Array,
  gateSlopes: Float64Array,
): void {
  const at = cell * GATES * hidden;
  for (let unit = 0; unit < hidden; unit++) {
    const input = gates[at + unit] ?? 0;
    const forget = gates[at + hidden + unit] ?? 0;
    const candidate = gates[at + 2 * hidden + unit] ?? 0;
    const output = gates[at + 3 * hidden + unit] ?? 0;
    const seen = shown[cell * hidden + unit] ?? 0;
    const slope = stateSlope[unit] ?? 0;
    const kept = (memorySlope[unit] ?? 0) + slope * output * (1 - seen * seen);
    gateSlopes[unit] = kept * candidate * input * (1 - input);
    gateSlopes[hidden + unit] = kept * (memory[cell * hidden + unit] ?? 0) * forget * (1 - forget);
    gateSlopes[2 * hidden + unit] = kept * input * (1 - candidate * candidate);
    gateSlopes[3 * hidden + unit] = slope * seen * output * (1 - output);
    memorySlope[unit] = kept * forget;
  }
}

function sigmoid(value: number): number {
  return 1 / (1 + exp(-value));
}
