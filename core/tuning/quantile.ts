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

/** Products such as 0.07 × 100 end a hair above the whole number that they are. */
const RANK_NOISE = 1e-9;

/**
 * Quantile (nearest rank: the smallest latency that at least the share `q` does not exceed) of latencies counted in
 * buckets, by linear interpolation within the bucket that holds it. `null` when nothing was counted. An unbounded
 * last bucket answers with its lower bound and an infinite error.
 */
export function quantileOfBuckets(buckets: readonly LatencyBucket[], q: number): QuantileEstimate | null {
  const filled = inOrder(buckets.filter((b) => b.count > 0));
  const total = filled.reduce((sum, b) => sum + b.count, 0);
  const last = filled.at(-1);
  if (last === undefined) return null;
  const rank = Math.min(1, Math.max(0, q)) * total;
  let below = 0;
  for (const bucket of filled) {
    if (below + bucket.count >= rank * (1 - RANK_NOISE) || bucket === last) {
      const width = bucket.highMs - bucket.lowMs;
      if (!Number.isFinite(width)) return { valueMs: bucket.lowMs, errorMs: Infinity };
      const fraction = Math.min(1, Math.max(0, (rank - below) / bucket.count));
      return { valueMs: bucket.lowMs + width * fraction, errorMs: width };
    }
    below += bucket.count;
  }
  return null;
}

/** Adds up histograms of several proxies by bucket; by lower bound, the lowest first. */
export function mergeBuckets(histograms: readonly (readonly LatencyBucket[])[]): readonly LatencyBucket[] {
  const merged: LatencyBucket[] = [];
  for (const bucket of inOrder(histograms.flat())) {
    const last = merged.at(-1);
    if (last !== undefined && compare(last, bucket) === 0) last.count += bucket.count;
    else merged.push({ ...bucket });
  }
  return merged;
}

/** What was counted between two readings; `null` when a count went down, which only a restart does. */
export function bucketDelta(
  before: readonly LatencyBucket[],
  after: readonly LatencyBucket[],
): readonly LatencyBucket[] | null {
  const start = inOrder(before);
  const delta: LatencyBucket[] = [];
  let place = 0;
  for (const bucket of inOrder(after)) {
    let counted = 0;
    for (let known = start[place]; known !== undefined && compare(known, bucket) <= 0; known = start[++place]) {
      if (compare(known, bucket) < 0 && known.count > 0) return null;
      counted = known.count;
    }
    if (bucket.count < counted) return null;
    if (bucket.count !== counted) delta.push({ ...bucket, count: bucket.count - counted });
  }
  return start.slice(place).some((bucket) => bucket.count > 0) ? null : delta;
}

/** Readings come in order, and then nothing is copied. */
function inOrder(buckets: readonly LatencyBucket[]): readonly LatencyBucket[] {
  const isOrdered = buckets.every((bucket, i) => i === 0 || compare(buckets[i - 1] ?? bucket, bucket) <= 0);
  return isOrdered ? buckets : [...buckets].sort(compare);
}

function compare(a: LatencyBucket, b: LatencyBucket): number {
  if (a.lowMs !== b.lowMs) return a.lowMs - b.lowMs;
  // Two open ends are equal, though their difference is no number.
  return a.highMs === b.highMs ? 0 : a.highMs - b.highMs;
}
