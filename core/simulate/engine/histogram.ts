/** Bits of the mantissa that choose a bucket: 128 buckets an octave. */
const BITS = 7;
/** 2^-10 ms to 2^24 ms; what is outside counts at the edge. */
const LOWEST = 1023 - 10;
const OCTAVES = 34;
const BUCKETS = OCTAVES << BITS;

/** Half a bucket's width over its low end: how far a quantile is at most from the true one, relative. */
export const QUANTILE_ERROR = 1 / (1 << (BITS + 1));

/** Counts of times in ms, in buckets that are 1/128 of an octave's start wide. */
export class Histogram {
  count = 0;
  private readonly counts = new Uint32Array(BUCKETS);
  private low = BUCKETS;
  private high = -1;
  private readonly number = new Float64Array(1);
  private readonly words = new Uint32Array(this.number.buffer);

  add(ms: number): void {
    this.number[0] = ms;
    // The upper word of a double: exponent, then the highest bits of the mantissa.
    let bucket = (this.words[1]! >>> (20 - BITS)) - (LOWEST << BITS);
    if (bucket < 0) bucket = 0;
    else if (bucket >= BUCKETS) bucket = BUCKETS - 1;
    this.counts[bucket]!++;
    this.count++;
    if (bucket < this.low) this.low = bucket;
    if (bucket > this.high) this.high = bucket;
  }

  /** Of the nearest rank; `null` where nothing was counted. */
  quantile(level: number): number | null {
    if (this.count === 0) return null;
    const rank = Math.max(1, Math.ceil(level * this.count));
    let below = 0;
    for (let bucket = this.low; bucket <= this.high; bucket++) {
      below += this.counts[bucket]!;
      if (below >= rank) return middle(bucket);
    }
    return middle(this.high);
  }

  mergeInto(other: Histogram): void {
    for (let bucket = this.low; bucket <= this.high; bucket++) other.counts[bucket]! += this.counts[bucket]!;
    other.count += this.count;
    other.low = Math.min(other.low, this.low);
    other.high = Math.max(other.high, this.high);
  }

  clear(): void {
    if (this.high >= this.low) this.counts.fill(0, this.low, this.high + 1);
    this.count = 0;
    this.low = BUCKETS;
    this.high = -1;
  }

  /** Width of the bucket that holds `ms`, ms. */
  static width(ms: number): number {
    return 2 ** Math.floor(Math.log2(Math.max(ms, 2 ** -10))) / (1 << BITS);
  }
}

function middle(bucket: number): number {
  const octave = 2 ** ((bucket >> BITS) + LOWEST - 1023);
  return octave * (1 + ((bucket & ((1 << BITS) - 1)) + 0.5) / (1 << BITS));
}
