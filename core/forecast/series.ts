/** Demand at equal steps, without holes: `values[i]` is the mean rps of the step that starts at `startMs + i × stepMs`. */
export interface Series {
  startMs: number;
  stepMs: number;
  values: readonly number[];
}

export function endMs(series: Series): number {
  return series.startMs + series.values.length * series.stepMs;
}

/** The last `steps` steps that end before index `end`. */
export function sliceSeries(series: Series, end: number, steps: number = end): Series {
  const from = Math.max(0, end - steps);
  return { ...series, startMs: series.startMs + from * series.stepMs, values: series.values.slice(from, end) };
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
