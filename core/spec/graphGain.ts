/** A call within a circle, by the places of its ends in it. */
export interface InnerCall {
  from: number;
  to: number;
  rate: number;
}

/** Rows of numbers; entry `[i][j]` is what i has to do with j. */
type Matrix = Float64Array[];

/** Larger circles than this are solved by rounds: elimination is cubic. */
const MAX_DENSE = 300;
/** A circle this close to endless multiplies demand a billion times: no plan can serve it. */
const LEAST_PIVOT = 1e-9;
const POWER_ROUNDS = 1000;
/** Where a circle is large, its gain is told less exactly rather than late. */
const POWER_STEPS = 1_000_000;
const SOLVE_ROUNDS = 20_000;
const PRECISION = 1e-12;

/**
 * What every round of calls multiplies requests by: the spectral radius of a matrix without negative numbers, by power
 * iteration on I + F, which has no periodic part, within the bounds of Collatz and Wielandt. Whether the circle is
 * endless is told by the bounds, and where they do not tell, by whether it can be solved.
 */
export function gainOf(size: number, calls: readonly InnerCall[]): { gain: number; endless: boolean } {
  let x = new Float64Array(size).fill(1);
  let [low, high, growth] = [0, Number.MAX_VALUE, 1];
  const rounds = Math.max(20, Math.min(POWER_ROUNDS, POWER_STEPS / size));
  for (let round = 0; round < rounds && high - low > 1e-10 * high; round++) {
    const next = x.slice();
    for (const { from, to, rate } of calls) next[to] = (next[to] ?? 0) + rate * (x[from] ?? 0);
    [low, high] = [Infinity, 0];
    let [largest, sum, before] = [0, 0, 0];
    for (let i = 0; i < size; i++) {
      const value = next[i] ?? 0;
      const ratio = value / (x[i] ?? 1);
      if (ratio < low) low = ratio;
      if (ratio > high) high = ratio;
      if (value > largest) largest = value;
      sum += value;
      before += x[i] ?? 0;
    }
    // Rates beyond what numbers hold: endless beyond doubt.
    if (!Number.isFinite(sum)) return { gain: Number.MAX_VALUE, endless: true };
    growth = sum / before;
    for (let i = 0; i < size; i++) next[i] = Math.max((next[i] ?? 0) / largest, Number.MIN_VALUE);
    x = next;
  }
  const certain = high < 2 - 1e-6 ? false : low >= 2 ? true : null;
  const endless = certain ?? solveCircle(calls, new Float64Array(size).fill(1)) === null;
  return { gain: endless ? Math.max(1, growth - 1) : Math.min(1 - LEAST_PIVOT, Math.max(0, growth - 1)), endless };
}

/**
 * What arrives at each service of a circle when `outside` comes in from elsewhere: λ of (I − Fᵀ)λ = outside. Null where
 * the circle is endless, as the rounds of calls then never die out.
 */
export function solveCircle(calls: readonly InnerCall[], outside: Float64Array): Float64Array | null {
  return outside.length <= MAX_DENSE ? solveDense(calls, outside) : solveByRounds(calls, outside);
}

function solveDense(calls: readonly InnerCall[], outside: Float64Array): Float64Array | null {
  const factors = openMatrix(outside.length, calls);
  if (!eliminate(factors)) return null;
  const x = outside.slice();
  for (const [i, row] of factors.entries()) {
    for (let j = 0; j < i; j++) x[i] = (x[i] ?? 0) - (row[j] ?? 0) * (x[j] ?? 0);
  }
  for (let i = x.length - 1; i >= 0; i--) {
    const row = factors[i];
    for (let j = i + 1; j < x.length; j++) x[i] = (x[i] ?? 0) - (row?.[j] ?? 0) * (x[j] ?? 0);
    x[i] = (x[i] ?? 0) / (row?.[i] ?? 1);
  }
  return x;
}

/** I − Fᵀ. */
function openMatrix(size: number, calls: readonly InnerCall[]): Matrix {
  const matrix = Array.from({ length: size }, (_, i) => {
    const row = new Float64Array(size);
    row[i] = 1;
    return row;
  });
  for (const { from, to, rate } of calls) {
    const row = matrix[to];
    if (row !== undefined) row[from] = (row[from] ?? 0) - rate;
  }
  return matrix;
}

/**
 * LU decomposition in place, without exchange of rows: an M-matrix needs none, and every pivot of one is positive. False
 * where one is not, as then the circle is endless.
 */
function eliminate(matrix: Matrix): boolean {
  for (const [k, pivotRow] of matrix.entries()) {
    const pivot = pivotRow[k] ?? 0;
    if (!(pivot > LEAST_PIVOT)) return false;
    for (let i = k + 1; i < matrix.length; i++) {
      const row = matrix[i];
      const factor = (row?.[k] ?? 0) / pivot;
      if (row === undefined || factor === 0) continue;
      row[k] = factor;
      for (let j = k + 1; j < row.length; j++) row[j] = (row[j] ?? 0) - factor * (pivotRow[j] ?? 0);
    }
  }
  return true;
}

/** Gauss and Seidel: from below, so that what has settled is never too much by more than rounding. */
function solveByRounds(calls: readonly InnerCall[], outside: Float64Array): Float64Array | null {
  const into = Array.from(outside, (): InnerCall[] => []);
  const own = new Float64Array(outside.length);
  for (const call of calls) {
    if (call.from === call.to) own[call.to] = (own[call.to] ?? 0) + call.rate;
    else into[call.to]?.push(call);
  }
  if (own.some((rate) => rate >= 1)) return null;
  const x = outside.slice();
  for (let round = 0; round < SOLVE_ROUNDS; round++) {
    let moved = 0;
    for (const [i, callers] of into.entries()) {
      let sum = outside[i] ?? 0;
      for (const { from, rate } of callers) sum += rate * (x[from] ?? 0);
      sum /= 1 - (own[i] ?? 0);
      if (sum > 0) moved = Math.max(moved, Math.abs(sum - (x[i] ?? 0)) / sum);
      x[i] = sum;
    }
    if (!Number.isFinite(moved)) return null;
    if (moved < PRECISION) return x;
  }
  return null;
}
