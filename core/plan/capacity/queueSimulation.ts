import type { LbPolicy } from '../../spec/settings.js';
import { createRandom } from '../../forecast/random.js';
import { drawTimes } from './drawTimes.js';
import { serviceTimeTail } from './serviceTimes.js';
import { chooser } from './simulatedBalancers.js';

/** Everything in mean service times, so that one run stands for services of any speed. */
export interface SimulationInput {
  instances: number;
  /** Workers of an instance; requests beyond them wait in its queue, first come first served. */
  concurrency: number;
  /** Client proxies, which balance without knowing of each other; each request comes through one at random. */
  proxies: number;
  policy: LbPolicy;
  /** Arriving work over all workers, below 1. */
  utilisation: number;
  serviceTimeCv: number;
  /** Squared coefficient of variation of the times between arrivals at all proxies together. */
  arrivalCv2: number;
  /** Requests that are counted; a third as many come before them. */
  requests: number;
  seed: number;
}

export interface SimulatedQueues {
  /** Sojourn times (waiting and service). */
  p50: number;
  p99: number;
  /** 95 % interval of the p99 by batch means. */
  p99Low: number;
  p99High: number;
  waitP99: number;
  /** Part of the requests that wait at all. */
  waiting: number;
}

const BATCHES = 20;
/** Student's t, 19 degrees of freedom, 97.5 %. */
const BATCH_T = 2.093;

/**
 * Discrete events of instances with a queue each. A request's end is known when it arrives, as queues are first come
 * first served: no list of events is needed, a proxy only counts those of its requests that have not ended yet.
 *
 * Only waits are sampled. A request's own service does not depend on its wait, so that the exact distribution of
 * service is added to the waits instead of samples of it (conditional Monte Carlo), which a tail needs most.
 */
export function simulateQueues(input: SimulationInput): SimulatedQueues {
  const waits = simulateWaits(input);
  const { serviceTimeCv } = input;
  const size = Math.floor(waits.length / BATCHES);
  const batches = Array.from({ length: BATCHES }, (_, i) =>
    sojournsFrom(waits.slice(i * size, (i + 1) * size), serviceTimeCv).quantile(0.99),
  );
  const mean = batches.reduce((sum, value) => sum + value, 0) / BATCHES;
  const variance = batches.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (BATCHES - 1);
  const half = BATCH_T * Math.sqrt(variance / BATCHES);
  const sojourns = sojournsFrom(waits, serviceTimeCv);
  const p99 = sojourns.quantile(0.99);
  return {
    p50: sojourns.quantile(0.5),
    p99,
    p99Low: p99 - half,
    p99High: p99 + half,
    waitP99: quantileOf(waits, 0.99),
    waiting: 1 - firstAbove(waits, 0) / waits.length,
  };
}

export interface SojournSample {
  quantile(level: number): number;
  /** Part of the requests that take longer. */
  tail(t: number): number;
}

/** Sojourn times of requests with these waits, which are sorted in place. */
export function sojournsFrom(waits: Float32Array, serviceTimeCv: number): SojournSample {
  waits.sort();
  const groups = waitGroups(waits, Math.min(400, Math.ceil(waits.length / 100)));
  const tail = (t: number): number =>
    groups.reduce((sum, { wait, part }) => sum + part * serviceTimeTail(serviceTimeCv, t - wait), 0);
  return { tail, quantile: (level) => quantileBy(tail, 1 - level) };
}

/** Waits of the requests in the order in which they arrive, in mean service times. */
export function simulateWaits(input: SimulationInput): Float32Array {
  const { instances, concurrency, utilisation, requests } = input;
  const random = createRandom(input.seed);
  const drawService = drawTimes(input.serviceTimeCv ** 2, random);
  const drawArrival = drawTimes(input.arrivalCv2, random);
  const between = 1 / (utilisation * instances * concurrency);
  const before = Math.floor(requests / 3);
  const choose = chooser({ ...input, requests: before + requests }, random);
  /** By instance a heap of when its workers are free. */
  const free = new Float64Array(instances * concurrency);
  const waits = new Float32Array(requests);
  let now = 0;
  for (let i = -before; i < requests; i++) {
    now += drawArrival() * between;
    const proxy = Math.floor(random() * input.proxies);
    const instance = choose.instance(proxy, now);
    const base = instance * concurrency;
    const start = Math.max(now, free[base] ?? 0);
    const end = start + drawService();
    replaceFirst(free, base, concurrency, end);
    choose.began(proxy, instance, end);
    if (i >= 0) waits[i] = start - now;
  }
  return waits;
}

interface WaitGroup {
  wait: number;
  part: number;
}

/** Sorted waits as means of groups: those of 0 in one, the longest tenth of the others in as many as the rest. */
function waitGroups(sorted: Float32Array, count: number): WaitGroup[] {
  const zero = firstAbove(sorted, 0);
  const groups: WaitGroup[] = zero > 0 ? [{ wait: 0, part: zero / sorted.length }] : [];
  const tail = Math.max(zero, Math.floor(sorted.length - (sorted.length - zero) / 10));
  for (const [from, to] of [
    [zero, tail],
    [tail, sorted.length],
  ] as const) {
    const size = Math.max(1, Math.ceil((to - from) / (count / 2)));
    for (let at = from; at < to; at += size) {
      const end = Math.min(to, at + size);
      let sum = 0;
      for (let i = at; i < end; i++) sum += sorted[i] ?? 0;
      groups.push({ wait: sum / (end - at), part: (end - at) / sorted.length });
    }
  }
  return groups;
}

function quantileBy(tail: (t: number) => number, above: number): number {
  let [low, high] = [0, 1];
  while (tail(high) > above) high *= 2;
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2;
    if (tail(middle) > above) low = middle;
    else high = middle;
  }
  return high;
}

/** Puts `value` in place of the smallest of a heap of `size` from `base`. */
function replaceFirst(heap: Float64Array, base: number, size: number, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    let least = heap[base + child] ?? 0;
    const right = child + 1 < size ? (heap[base + child + 1] ?? 0) : Infinity;
    if (right < least) {
      child++;
      least = right;
    }
    if (least >= value) break;
    heap[base + at] = least;
    at = child;
  }
  heap[base + at] = value;
}

function quantileOf(sorted: Float32Array, level: number): number {
  const place = level * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] ?? 0;
  return low + (place - below) * ((sorted[below + 1] ?? low) - low);
}

function firstAbove(sorted: Float32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
