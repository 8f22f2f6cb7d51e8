import type { RatePoint } from './load.js';

/** A load on a set-up, in multiples of its capacity. */
export interface Load {
  name: string;
  /** What is promised of it: latencies below capacity, goodput from there on. */
  judged: 'latency' | 'goodput';
  points: readonly { atMs: number; times: number }[];
  durationMs: number;
  /** From then on it counts. */
  warmUpMs: number;
}

const STEADY = [0.5, 0.65, 0.8, 1, 1.5, 2];
const [BEFORE, AFTER] = [0.7, 1.5];

/** `countedMs` of each after its warm-up; of the step, from the step on. */
export function loadsOf(countedMs: number, warmUpMs: number): Load[] {
  const durationMs = warmUpMs + countedMs;
  const steady = STEADY.map((times): Load => {
    const judged = times < 1 ? 'latency' : 'goodput';
    return { name: `${times}×`, judged, points: [{ atMs: 0, times }], durationMs, warmUpMs };
  });
  const stepAtMs = 2 * warmUpMs;
  const points = [
    { atMs: 0, times: BEFORE },
    { atMs: stepAtMs, times: AFTER },
  ];
  const name = `after ${BEFORE}→${AFTER}×`;
  return [...steady, { name, judged: 'goodput', points, durationMs: stepAtMs + countedMs, warmUpMs: stepAtMs }];
}

export function ratesOf({ points }: Pick<Load, 'points'>, capacityRps: number): RatePoint[] {
  return points.map(({ atMs, times }) => ({ atMs, rps: times * capacityRps }));
}
