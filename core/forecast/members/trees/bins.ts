/** Most bins of a column; a bin's number fits into a byte. */
const MOST_BINS = 64;

/** Rows enough to tell the quantiles by. */
const SAMPLE = 1024;

/** Columns cut into bins by their quantiles, so that a split is found by counting. */
export interface Binning {
  /** By column: ascending upper bounds, inclusive; values above the last one fall into one bin more. */
  readonly bounds: readonly Float64Array[];
}

/** Bins with about as many of the values each, equal values together. `columns[j][i]`: value of column j in row i. */
export function binningOf(columns: readonly Float64Array[]): Binning {
  return { bounds: columns.map(boundsOf) };
}

function boundsOf(column: Float64Array): Float64Array {
  const every = Math.max(1, Math.floor(column.length / SAMPLE));
  const sorted = column.filter((_, row) => row % every === 0).sort();
  const bounds: number[] = [];
  for (let bin = 1; bin < MOST_BINS; bin++) {
    const bound = sorted[Math.floor((bin * sorted.length) / MOST_BINS) - 1] ?? Number.NaN;
    // The largest value bounds nothing: there is none above it.
    if (bound < (sorted.at(-1) ?? 0) && bound > (bounds.at(-1) ?? Number.NEGATIVE_INFINITY)) bounds.push(bound);
  }
  return Float64Array.from(bounds);
}

/** The bin of each value, by column. */
export function binned({ bounds }: Binning, columns: readonly Float64Array[]): Uint8Array[] {
  return columns.map((column, index) => {
    const own = bounds[index] ?? new Float64Array();
    return Uint8Array.from(column, (value) => binOf(own, value));
  });
}

function binOf(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (bounds[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Room for the bins of any column. */
export const BIN_ROOM = MOST_BINS;
