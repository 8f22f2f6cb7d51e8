import type { AggregateFunction } from '../port.js';
import { floorTo } from './columns.js';
import type { Columns } from './columns.js';

/** What is kept of the values of a bucket: enough for every aggregate function, and to be added to. */
export const [COUNT, SUM, MIN, MAX, LAST, LAST_AT, STATS] = [0, 1, 2, 3, 4, 5, 6] as const;

/** A rollup has 60 minutes, and for each statistic one number a minute. */
export const [MINUTE_MS, MINUTES] = [60_000, 60];

/** Statistics of one series by bucket and field. What is added may come in any order. */
export class Buckets {
  readonly #everyMs: number;
  readonly #index = new Map<number, number>();
  readonly #stats = new Map<number, number[]>();
  #lastStart = Number.NaN;
  #lastIndex = 0;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  addColumns({ times, values }: Columns): void {
    const buckets = new Uint32Array(times.length);
    for (let i = 0; i < times.length; i += 1) buckets[i] = this.#bucket(times[i]!);
    for (const [field, column] of values) {
      const stats = this.#of(field);
      for (let i = 0; i < column.length; i += 1) {
        const value = column[i] ?? Number.NaN;
        if (Number.isNaN(value)) continue;
        addTo(stats, (buckets[i] ?? 0) * STATS, 1, value, value, value, value, times[i] ?? 0);
      }
    }
  }

  /** Minutes `first` ≤ minute < `end` of the hour that begins at `startMs`, from the statistics of its rollup. */
  addMinutes(field: number, startMs: number, s: Float64Array, first: number, end: number): void {
    const stats = this.#of(field);
    for (let i = first; i < end; i += 1) {
      const [count, at] = [s[i]!, startMs + i * MINUTE_MS];
      if (count === 0) continue;
      const to = this.#bucket(at) * STATS;
      const lastAt = at + s[LAST_AT * MINUTES + i]!;
      const [min, max] = [s[MIN * MINUTES + i]!, s[MAX * MINUTES + i]!];
      addTo(stats, to, count, s[SUM * MINUTES + i]!, min, max, s[LAST * MINUTES + i]!, lastAt);
    }
  }

  /** By begin of the buckets, in time order; NaN where a bucket has no value. */
  columns(by: AggregateFunction): Columns {
    const times = Float64Array.from(this.#index.keys()).sort();
    const order = new Uint32Array(times.length);
    for (let i = 0; i < times.length; i += 1) order[i] = this.#index.get(times[i]!)!;
    const values = new Map<number, Float64Array>();
    for (const [field, stats] of this.#stats) {
      const column = new Float64Array(times.length);
      for (let i = 0; i < times.length; i += 1) column[i] = result(stats, order[i]! * STATS, by);
      values.set(field, column);
    }
    return { times, values };
  }

  #bucket(at: number): number {
    const start = floorTo(at, this.#everyMs);
    if (start === this.#lastStart) return this.#lastIndex;
    let index = this.#index.get(start);
    if (index === undefined) this.#index.set(start, (index = this.#index.size));
    this.#lastStart = start;
    this.#lastIndex = index;
    return index;
  }

  #of(field: number): number[] {
    let stats = this.#stats.get(field);
    if (stats === undefined) this.#stats.set(field, (stats = []));
    return stats;
  }
}

// The arguments one by one, not as an object: this runs for every value of a query.
function addTo(
  stats: number[],
  i: number,
  count: number,
  sum: number,
  min: number,
  max: number,
  last: number,
  lastAt: number,
): void {
  while (stats.length < i + STATS) stats.push(0, 0, Infinity, -Infinity, Number.NaN, -Infinity);
  stats[i] = (stats[i] ?? 0) + count;
  stats[i + SUM] = (stats[i + SUM] ?? 0) + sum;
  if (min < (stats[i + MIN] ?? 0)) stats[i + MIN] = min;
  if (max > (stats[i + MAX] ?? 0)) stats[i + MAX] = max;
  if (lastAt >= (stats[i + LAST_AT] ?? 0)) {
    stats[i + LAST] = last;
    stats[i + LAST_AT] = lastAt;
  }
}

const POSITION = { count: COUNT, sum: SUM, min: MIN, max: MAX, last: LAST } as const;

function result(stats: readonly number[], i: number, by: AggregateFunction): number {
  const count = stats[i] ?? 0;
  if (count === 0) return Number.NaN;
  return by === 'mean' ? stats[i + SUM]! / count : stats[i + POSITION[by]]!;
}
