import type { Problem } from '../spec/problem.js';
import type { NeighbourSpec, RegionSpec } from '../spec/region.js';
import { median } from '../forecast/series.js';
import { LEAST_FOR_MEDIAN, medianInterval } from './networkLatency.js';

/** One measurement of the way to a neighbour. */
export interface LatencyRound {
  neighbour: string;
  /** Milliseconds since the epoch. */
  at: number;
  rttP50Ms: number;
}

/** What a region file states of the way to a neighbour against what was measured; ms, one way. */
export interface LatencyComparison {
  neighbour: string;
  statedMs: number;
  /** Median of the rounds with what encloses it at 95 %; `null`: too few rounds. */
  measuredMs: number | null;
  lowMs: number | null;
  highMs: number | null;
  rounds: number;
  verdict: 'agrees' | 'differs' | 'unknown';
  /** In words, with the numbers. */
  reason: string;
}

/** A difference is worth a word above this share of what is stated, and above so many ms. */
const WORTH_SAYING = 0.2;
const WORTH_SAYING_MS = 1;

/**
 * Compares the latency stated for each neighbour (`networkLatencyMs`, one way) with the rounds measured: half of their
 * round trip. It differs when the stated value is outside of what encloses the measured one and by more than a fifth.
 */
export function compareLatencies(region: RegionSpec, rounds: readonly LatencyRound[]): LatencyComparison[] {
  return region.neighbours.map((neighbour) => {
    const oneWay = rounds.flatMap((round) => (round.neighbour === neighbour.name ? [round.rttP50Ms / 2] : []));
    return comparisonOf(neighbour, oneWay);
  });
}

function comparisonOf({ name, networkLatencyMs: statedMs }: NeighbourSpec, oneWay: number[]): LatencyComparison {
  const rising = oneWay.sort((a, b) => a - b);
  const interval = medianInterval(rising);
  const same = { neighbour: name, statedMs, rounds: rising.length };
  if (interval === null) {
    const reason = `${number(statedMs)} ms stated; ${rising.length} measurements, of ${LEAST_FOR_MEDIAN} that it takes`;
    return { ...same, measuredMs: null, lowMs: null, highMs: null, verdict: 'unknown', reason };
  }
  const [lowMs, highMs] = interval;
  const measuredMs = median(rising);
  const apart = Math.abs(measuredMs - statedMs);
  const outside = statedMs < lowMs || statedMs > highMs;
  const differs = outside && apart > Math.max(WORTH_SAYING_MS, WORTH_SAYING * statedMs);
  const measured = `${number(measuredMs)} ms measured (${number(lowMs)}–${number(highMs)}, ${rising.length} times)`;
  const reason = `${number(statedMs)} ms stated, ${measured}, one way`;
  return { ...same, measuredMs, lowMs, highMs, verdict: differs ? 'differs' : 'agrees', reason };
}

/** One problem for each neighbour whose stated latency is contradicted, at its field of the region file. */
export function latencyProblems(region: RegionSpec, comparisons: readonly LatencyComparison[]): Problem[] {
  return comparisons.flatMap(({ neighbour, verdict, measuredMs, reason }): Problem[] => {
    if (verdict !== 'differs' || measuredMs === null) return [];
    const index = region.neighbours.findIndex(({ name }) => name === neighbour);
    const rests = 'weights, failover and time-outs of the plan rest on it';
    return [
      {
        code: 'latency-contradicted',
        field: `neighbours[${index}].networkLatencyMs`,
        message: `network latency to ${neighbour}: ${reason}; ${rests}`,
        fix: `state ${number(measuredMs)}, or set planning.networkLatency to "measured"`,
      },
    ];
  });
}

/**
 * The region with measured latencies where the stated ones are contradicted. Those that agree stay as stated, so that
 * a plan does not move with every measurement.
 */
export function withMeasuredLatencies(region: RegionSpec, comparisons: readonly LatencyComparison[]): RegionSpec {
  const measured = new Map(comparisons.flatMap((one) => (one.verdict === 'differs' ? [[one.neighbour, one]] : [])));
  if (measured.size === 0) return region;
  const neighbours = region.neighbours.map((neighbour) => {
    const measuredMs = measured.get(neighbour.name)?.measuredMs;
    return typeof measuredMs === 'number' ? { ...neighbour, networkLatencyMs: number(measuredMs) } : neighbour;
  });
  return { ...region, neighbours };
}

function number(ms: number): number {
  return Number(ms.toPrecision(3));
}
