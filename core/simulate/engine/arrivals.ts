import type { EntryDemand } from '../model.js';
import { createRandom, normal } from '../../forecast/random.js';
import { PURPOSE, exponential, mix } from './hash.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { floor, log, max, min, sqrt } = Math;

const SECOND_MS = 1000;

/**
 * Arrival times of one entry: a Poisson process whose rate follows the demand, by the time that it takes to gather one
 * more unit of exponential length (time change). The n-th arrival takes the n-th draw, whatever happens meanwhile.
 */
export class Arrivals {
  count = 0;
  private time = 0;
  private segment = 0;
  private second = -1;
  private factor = 1;
  private readonly seed: number;
  private readonly at: Float64Array;
  private readonly rps: Float64Array;
  private readonly linear: boolean;
  private readonly excess: number;

  constructor(demand: EntryDemand, seed: number) {
    this.seed = seed;
    const points = [...demand.points].sort((a, b) => a.atMs - b.atMs);
    this.at = Float64Array.from(points, (point) => point.atMs);
    this.rps = Float64Array.from(points, (point) => max(0, point.rps));
    this.linear = demand.shape === 'linear';
    this.excess = max(0, (demand.dispersion ?? 1) - 1);
  }

  /** Time of the next arrival; Infinity when no more come. */
  next(): number {
    let left = exponential(mix(this.seed, this.count), PURPOSE.arrival);
    this.count++;
    if (this.at.length === 0) return Infinity;
    for (;;) {
      const end = this.segmentEnd();
      const [from, slope] = this.rateHere();
      const length = end - this.time;
      const gathered = length === Infinity ? (from > 0 ? Infinity : 0) : length * (from + (slope * length) / 2);
      if (gathered >= left) {
        this.time += within(left, from, slope);
        return this.time;
      }
      if (end === Infinity) return Infinity;
      left -= gathered;
      this.time = end;
    }
  }

  /** Where the rate changes its course next. */
  private segmentEnd(): number {
    const { at, rps } = this;
    while (this.segment < at.length && at[this.segment]! <= this.time) this.segment++;
    const change = this.segment < at.length ? at[this.segment]! : Infinity;
    if (this.excess === 0) return change;
    const second = floor(this.time / SECOND_MS);
    if (change === Infinity && rps[rps.length - 1] === 0) return Infinity;
    if (second !== this.second) this.burst(second);
    return min(change, (second + 1) * SECOND_MS);
  }

  /** Arrivals per ms now, and how it grows by ms. */
  private rateHere(): [number, number] {
    const { at, rps, segment, time } = this;
    const scale = this.factor / SECOND_MS;
    const before = rps[max(0, segment - 1)]!;
    if (segment === 0 || segment === at.length || !this.linear) return [before * scale, 0];
    const slope = (rps[segment]! - before) / (at[segment]! - at[segment - 1]!);
    return [(before + slope * (time - at[segment - 1]!)) * scale, slope * scale];
  }

  /** Counts of a second at rate λ get variance λ + λ²v of a gamma factor with variance v: v = (D − 1) / λ. */
  private burst(second: number): void {
    this.second = second;
    this.factor = 1;
    const rate = this.rateHere()[0] * SECOND_MS;
    if (rate <= 0) return;
    const variance = this.excess / rate;
    this.factor = gamma(1 / variance, createRandom(mix(mix(this.seed, PURPOSE.burst), second))) * variance;
  }
}

/** Time in which a rate `from` that grows by `slope` gathers `left`. */
function within(left: number, from: number, slope: number): number {
  // The other form of the quadratic's root: exact where the slope is nothing.
  return (2 * left) / (from + sqrt(max(0, from * from + 2 * slope * left)));
}

/** Of scale 1 (Marsaglia and Tsang 2000). */
function gamma(shape: number, random: () => number): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / sqrt(9 * d);
  for (;;) {
    const z = normal(random);
    const root = 1 + c * z;
    if (root <= 0) continue;
    const v = root * root * root;
    if (log(1 - random()) < 0.5 * z * z + d - d * v + d * log(v)) return d * v;
  }
}
