import type { EdgeLatency } from '../../spec/graph.js';

/** Beyond any time that was measured. */
const LARGEST_BOUND = 1e12;

/** Cumulative counts by upper bound, of one or more Prometheus histograms with the same buckets. */
export type Buckets = Map<number, number>;

/** Milliseconds for one unit of the bounds. Null where nothing was counted, or not within bounds. */
export function latencyOf(buckets: Buckets | undefined, msPerUnit: number): EdgeLatency | null {
  if (buckets === undefined) return null;
  const [p50, p99] = [quantileOf(buckets, 0.5), quantileOf(buckets, 0.99)];
  if (p50 === null || p99 === null) return null;
  return { p50Ms: p50 * msPerUnit, p99Ms: Math.max(p50, p99) * msPerUnit };
}

/** As Prometheus' `histogram_quantile`: linear within a bucket, and the last finite bound beyond it. */
function quantileOf(buckets: Buckets, level: number): number | null {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const finite = sorted.filter(([bound]) => Number.isFinite(bound));
  const total = sorted.at(-1)?.[1] ?? 0;
  const last = finite.at(-1);
  if (!(total > 0) || last === undefined) return null;
  const rank = level * total;
  let [below, lower] = [0, 0];
  for (const [bound, count] of finite) {
    if (count >= rank) {
      const share = count > below ? (rank - below) / (count - below) : 1;
      return Math.max(0, lower + (bound - lower) * share);
    }
    below = Math.max(below, count);
    lower = Math.max(0, bound);
  }
  return Math.max(0, last[0]);
}

/** Adds one sample `…_bucket{le="…"}` to the buckets of `key`; false where its bound or count cannot be. */
export function addBucket(all: Map<string, Buckets>, key: string, le: string | undefined, count: number): boolean {
  const bound = le === '+Inf' || le === 'Inf' ? Infinity : Number(le === '' ? NaN : le);
  const isBound = bound === Infinity || Math.abs(bound) <= LARGEST_BOUND;
  if (!isBound || !(count >= 0) || !Number.isFinite(count)) return false;
  const own = all.get(key) ?? new Map<number, number>();
  all.set(key, own.set(bound, (own.get(bound) ?? 0) + count));
  return true;
}
