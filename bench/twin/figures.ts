import { quantile } from '../statistics.js';
import type { Sent } from './load.js';

/** What one run showed, after its warm-up. */
export interface Figures {
  offeredRps: number;
  /** Of what was answered with success. */
  p50Ms: number;
  p99Ms: number;
  /** Answered with success within the deadline. */
  goodputRps: number;
  /** Of what was offered. */
  errorPercent: number;
}

/** A run whose requests were sent later than this (p99) shows the sender, not the mesh. */
export const MOST_LAG_MS = 1;

export function lagP99Ms(sent: readonly Sent[]): number {
  return quantile(
    sent.map(({ lagMs }) => lagMs),
    0.99,
  );
}

export function figuresOf(
  sent: readonly Sent[],
  options: { durationMs: number; warmUpMs: number; deadlineMs: number },
): Figures {
  const counted = sent.filter(({ intendedMs }) => intendedMs >= options.warmUpMs);
  const good = counted.filter(({ status }) => status === 200);
  const latencies = good.map(({ latencyMs }) => latencyMs);
  const seconds = (options.durationMs - options.warmUpMs) / 1000;
  return {
    offeredRps: counted.length / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    goodputRps: latencies.filter((ms) => ms <= options.deadlineMs).length / seconds,
    errorPercent: (100 * (counted.length - good.length)) / Math.max(1, counted.length),
  };
}
