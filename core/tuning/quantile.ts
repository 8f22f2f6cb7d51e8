export interface LatencyBucket {
  lowMs: number;
  highMs: number;
  count: number;
}

export interface QuantileEstimate {
  valueMs: number;
  /** The true quantile lies within this distance: the width of its bucket. */
  errorMs: number;
}

/**
 * Quantile of latencies counted in buckets, by linear interpolation within the bucket that holds it.
 * `null` when nothing was counted. An unbounded last bucket answers with its lower bound and an infinite error.
 */
export function quantileOfBuckets(buckets: readonly LatencyBucket[], q: number): QuantileEstimate | null {
  const filled = buckets.filter((b) => b.count > 0).sort((a, b) => a.lowMs - b.lowMs || a.highMs - b.highMs);
  const total = filled.reduce((sum, b) => sum + b.count, 0);
  const last = filled.at(-1);
  if (last === undefined) return null;
  const rank = Math.min(1, Math.max(0, q)) * total;
  let below = 0;
  for (const bucket of filled) {
    if (below + bucket.count >= rank || bucket === last) {
      const width = bucket.highMs - bucket.lowMs;
      if (!Number.isFinite(width)) return { valueMs: bucket.lowMs, errorMs: Infinity };
      const fraction = Math.min(1, Math.max(0, (rank - below) / bucket.count));
      return { valueMs: bucket.lowMs + width * fraction, errorMs: width };
    }
    below += bucket.count;
  }
  return null;
}

/** Adds up histograms of several proxies by bucket. */
export function mergeBuckets(histograms: readonly (readonly LatencyBucket[])[]): readonly LatencyBucket[] {
  const merged = new Map<string, LatencyBucket>();
  for (const bucket of histograms.flat()) {
    const key = bucketKey(bucket);
    const count = (merged.get(key)?.count ?? 0) + bucket.count;
    merged.set(key, { lowMs: bucket.lowMs, highMs: bucket.highMs, count });
  }
  return [...merged.values()].sort((a, b) => a.lowMs - b.lowMs || a.highMs - b.highMs);
}

/** What was counted between two readings; `null` when a count went down, which only a restart does. */
export function bucketDelta(
  before: readonly LatencyBucket[],
  after: readonly LatencyBucket[],
): readonly LatencyBucket[] | null {
  const start = new Map(before.map((b) => [bucketKey(b), b.count]));
  const end = new Map(after.map((b) => [bucketKey(b), b.count]));
  for (const [key, count] of start) {
    if ((end.get(key) ?? 0) < count) return null;
  }
  return after.map((b) => ({ ...b, count: b.count - (start.get(bucketKey(b)) ?? 0) })).filter((b) => b.count > 0);
}

function bucketKey(bucket: LatencyBucket): string {
  return `${bucket.lowMs}:${bucket.highMs}`;
}
