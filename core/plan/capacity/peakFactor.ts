import { normalQuantile } from '../../forecast/normalQuantile.js';

export interface PeakInput {
  /** Requests by second; empty or shorter than a step: nothing fine is known. */
  counts: readonly number[];
  /** Length of the forecast's step. */
  stepSeconds: number;
  /** Over steps, of the ratio; absent: 0.9. */
  quantile?: number;
  /** Mean demand where there are no counts, rps. */
  meanRps?: number;
  /** How much more requests bunch than Poisson; absent: 1. */
  arrivalCv2?: number;
}

export interface PeakFactor {
  /** Highest second over the mean of its step. */
  factor: number;
  /**
   * The part of it that is more than chance: `factor` over what Poisson arrivals of a steady rate show. Demand is
   * multiplied by this, as the queue model has Poisson arrivals already.
   */
  excess: number;
  /** Whole steps with counts. */
  steps: number;
  source: 'counts' | 'formula';
  reason: string;
}

/** Steps that weigh as much as the formula. */
const PRIOR_STEPS = 3;

/**
 * How far the busiest second of a step is above the step's mean, at a quantile over the steps. A few steps are shrunk
 * towards what chance alone would show; without any that is the answer.
 */
export function peakFactor(input: PeakInput): PeakFactor {
  const { counts, stepSeconds, quantile = 0.9, arrivalCv2 = 1 } = input;
  const seconds = Math.max(1, Math.round(stepSeconds));
  const ratios: number[] = [];
  let total = 0;
  for (let from = 0; from + seconds <= counts.length; from += seconds) {
    const step = counts.slice(from, from + seconds);
    const mean = step.reduce((sum, count) => sum + count, 0) / seconds;
    if (mean > 0) ratios.push(step.reduce((most, count) => Math.max(most, count), 0) / mean);
    total += mean * seconds;
  }
  const steps = Math.floor(counts.length / seconds);
  const meanRps = steps > 0 ? total / (steps * seconds) : (input.meanRps ?? 0);
  const chance = chancePeak(meanRps, seconds, 1);
  const bursty = chancePeak(meanRps, seconds, arrivalCv2);
  if (ratios.length === 0) {
    const reason = `no counts by second: chance alone makes the busiest of ${seconds} seconds ${ratio(bursty)} times the mean at ${ratio(meanRps)} rps`;
    return { factor: bursty, excess: bursty / chance, steps: 0, source: 'formula', reason };
  }
  const seen = quantileOf(ratios, quantile);
  const weight = ratios.length / (ratios.length + PRIOR_STEPS);
  const factor = Math.max(1, weight * seen + (1 - weight) * bursty);
  const reason = `the busiest second was ${ratio(seen)} times the mean of its ${seconds} s (quantile ${quantile} of ${ratios.length} steps), chance alone ${ratio(chance)}`;
  return { factor, excess: Math.max(1, factor / chance), steps: ratios.length, source: 'counts', reason };
}

/** Expected highest of n Poisson counts over their mean, with the variance times `cv2`: mean + z √(variance). */
function chancePeak(mean: number, n: number, cv2: number): number {
  if (mean <= 0 || n <= 1) return 1;
  // Blom's place of the highest of n in the normal distribution.
  return 1 + normalQuantile((n - 0.375) / (n + 0.25)) * Math.sqrt(Math.max(0, cv2) / mean);
}

function quantileOf(values: readonly number[], level: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = Math.min(1, Math.max(0, level)) * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] ?? 1;
  return low + (place - below) * ((sorted[below + 1] ?? low) - low);
}

function ratio(value: number): number {
  return Number(value.toPrecision(3));
}
