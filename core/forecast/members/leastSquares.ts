/**
 * Ridge regression by Cholesky: the `beta` that minimises `Σ (y − X beta)² + Σ penalty_j × beta_j²`.
 * `columns[j][i]` is the value of column j in row i. A column that says nothing gets zero.
 */
export function ridge(
  columns: readonly Float64Array[],
  target: Float64Array,
  from: number,
  penalties: readonly number[],
): number[] {
  const size = columns.length;
  const gram = columns.map((left, row) =>
    columns.slice(0, row + 1).map((right) => dot(left, right, from) + (left === right ? (penalties[row] ?? 0) : 0)),
  );
  return solvePositive(
    gram,
    columns.map((column) => dot(column, target, from)),
  ).slice(0, size);
}

function dot(left: Float64Array, right: Float64Array, from: number): number {
  let sum = 0;
  for (let index = from; index < left.length; index++) sum += (left[index] ?? 0) * (right[index] ?? 0);
  return sum;
}

/** Solves `A x = b` for a symmetric positive matrix given by its lower triangle. */
export function solvePositive(lower: readonly number[][], right: readonly number[]): number[] {
  const size = right.length;
  const root: number[][] = [];
  for (let row = 0; row < size; row++) {
    const line: number[] = [];
    for (let column = 0; column <= row; column++) {
      let sum = lower[row]?.[column] ?? 0;
      for (let inner = 0; inner < column; inner++)
        sum -= (line[inner] ?? 0) * (root[column]?.[inner] ?? line[inner] ?? 0);
      if (column < row) line.push(sum / (root[column]?.[column] ?? 1));
      // A dependent column is pinned to zero instead of being divided by nothing.
      else line.push(sum > 1e-10 * (lower[row]?.[row] ?? 0) ? Math.sqrt(sum) : Number.POSITIVE_INFINITY);
    }
    root.push(line);
  }
  const x = [...right];
  for (let row = 0; row < size; row++) {
    let sum = x[row] ?? 0;
    for (let inner = 0; inner < row; inner++) sum -= (root[row]?.[inner] ?? 0) * (x[inner] ?? 0);
    x[row] = sum / (root[row]?.[row] ?? 1);
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = x[row] ?? 0;
    for (let inner = row + 1; inner < size; inner++) sum -= (root[inner]?.[row] ?? 0) * (x[inner] ?? 0);
    x[row] = sum / (root[row]?.[row] ?? 1);
  }
  return x;
}

const MOST_ROUNDS = 12;
const DIFFERENCE = 1e-4;
const ENOUGH = 1e-3;

/**
 * Levenberg–Marquardt: parameters that minimise the sum of squares that `residuals` writes from index `from` on.
 * Ends after a dozen rounds: what a forecast gains by the last digits of a parameter is nothing.
 */
export function minimiseSquares(
  residuals: (parameters: readonly number[], out: Float64Array) => void,
  start: readonly number[],
  length: number,
  from: number,
): number[] {
  let best = [...start];
  const current = new Float64Array(length);
  const trial = new Float64Array(length);
  const slopes = best.map(() => new Float64Array(length));
  residuals(best, current);
  let sum = dot(current, current, from);
  let damping = 1e-3;
  for (let round = 0; round < MOST_ROUNDS && sum > 0; round++) {
    for (const [index, slope] of slopes.entries()) {
      residuals(
        best.map((value, place) => value + (place === index ? DIFFERENCE : 0)),
        trial,
      );
      for (let at = from; at < length; at++) slope[at] = ((trial[at] ?? 0) - (current[at] ?? 0)) / DIFFERENCE;
    }
    const before = sum;
    for (let attempt = 0; attempt < 4; attempt++) {
      const penalties = slopes.map((slope) => damping * dot(slope, slope, from) + 1e-9);
      const step = ridge(slopes, current, from, penalties);
      const next = best.map((value, index) => value - (step[index] ?? 0));
      residuals(next, trial);
      const reached = dot(trial, trial, from);
      if (reached < sum) {
        best = next;
        sum = reached;
        current.set(trial);
        damping /= 5;
        break;
      }
      damping *= 8;
    }
    if (before - sum <= ENOUGH * before) break;
  }
  return best;
}
