import type { Counts, EntryResult, Latency, Refusals, ServiceResult, TwinSlice } from '../result.js';
import {
  ADMITTED,
  BREAKER,
  CONTROLLER,
  EGRESS,
  EJECTIONS,
  FAILED,
  INBOUND,
  INBOUND_RETRY,
  NO_HEALTHY_HOST,
  OFFERED,
  OK,
  OUTCOMES,
  QUEUE_FULL,
  RATE_LIMIT,
  RATE_LIMIT_WOULD,
  RETRIES,
  RETRY_BUDGET,
  TIMED_OUT,
  WITHIN_DEADLINE,
} from './codes.js';
import type { Entry } from './entry.js';
import type { Histogram } from './histogram.js';
import type { Place } from './place.js';
import type { World } from './world.js';

/** What has been counted up to a moment; two of them give what was between. */
export interface Mark {
  entries: readonly MarkedCounters[];
  places: readonly (MarkedCounters & { busyMs: number; paidMs: number; workerMs: number })[];
}

interface MarkedCounters {
  counters: Float64Array;
  latencySum: number;
}

export function placesOf(world: World): Place[] {
  return world.places.filter((place) => place !== undefined);
}

export function mark(world: World): Mark {
  return {
    entries: world.entries.map(({ counters, latencySum }) => ({ counters: counters.slice(), latencySum })),
    places: placesOf(world).map((place) => {
      const sums = { busyMs: 0, paidMs: 0, workerMs: 0 };
      for (const instance of place.instances) {
        sums.busyMs += instance.busyMs(world.now);
        sums.paidMs += instance.paidMs(world.now);
        sums.workerMs += instance.workers * instance.readyMs(world.now);
      }
      return { counters: place.counters.slice(), latencySum: place.latencySum, ...sums };
    }),
  };
}

/** What was counted between two marks; latencies of the histograms that `which` names. */
export function slice(world: World, from: Mark, to: Mark, which: 'window' | 'total' | 'interval'): TwinSlice {
  return {
    entries: world.entries.map((entry, i) => entryResult(entry, from.entries[i]!, to.entries[i]!, entry[which])),
    services: placesOf(world).map((place, i) => serviceResult(place, from.places[i]!, to.places[i]!, place[which])),
  };
}

function entryResult(entry: Entry, from: MarkedCounters, to: MarkedCounters, histogram: Histogram): EntryResult {
  return {
    entry: entry.name,
    ...counts(from, to),
    withinDeadline: to.counters[WITHIN_DEADLINE]! - from.counters[WITHIN_DEADLINE]!,
    latency: latency(from, to, histogram),
  };
}

function serviceResult(
  place: Place,
  from: Mark['places'][number],
  to: Mark['places'][number],
  histogram: Histogram,
): ServiceResult {
  const between = (counter: number): number => to.counters[counter]! - from.counters[counter]!;
  const workerMs = to.workerMs - from.workerMs;
  return {
    service: place.service,
    region: place.region,
    ...counts(from, to),
    latency: latency(from, to, histogram),
    utilisation: workerMs > 0 ? (to.busyMs - from.busyMs) / workerMs : null,
    instanceSeconds: (to.paidMs - from.paidMs) / 1000,
    egress: between(EGRESS),
    rateLimitWould: between(RATE_LIMIT_WOULD),
    ejections: between(EJECTIONS),
  };
}

function counts(from: MarkedCounters, to: MarkedCounters): Counts {
  const between = (counter: number): number => to.counters[counter]! - from.counters[counter]!;
  let ended = 0;
  for (let outcome = 0; outcome < OUTCOMES; outcome++) ended += to.counters[outcome]!;
  return {
    offered: between(OFFERED),
    admitted: between(ADMITTED),
    succeeded: between(OK),
    failed: between(FAILED),
    timedOut: between(TIMED_OUT),
    refused: refusals(between),
    retries: between(RETRIES),
    inFlight: to.counters[OFFERED]! - ended,
  };
}

function refusals(between: (counter: number) => number): Refusals {
  return {
    rateLimit: between(RATE_LIMIT),
    breaker: between(BREAKER),
    inbound: between(INBOUND),
    inboundRetry: between(INBOUND_RETRY),
    queueFull: between(QUEUE_FULL),
    noHealthyHost: between(NO_HEALTHY_HOST),
    controller: between(CONTROLLER),
    retryBudget: between(RETRY_BUDGET),
  };
}

function latency(from: MarkedCounters, to: MarkedCounters, histogram: Histogram): Latency {
  const count = to.counters[OK]! - from.counters[OK]!;
  return {
    meanMs: count > 0 ? (to.latencySum - from.latencySum) / count : null,
    p50Ms: histogram.quantile(0.5),
    p90Ms: histogram.quantile(0.9),
    p95Ms: histogram.quantile(0.95),
    p99Ms: histogram.quantile(0.99),
  };
}
