import { sojournTail } from './queue.js';

/** An instance is never planned busier than this: what a mean over minutes hides between its seconds needs the rest. */
export const MAX_UTILISATION = 0.8;
/** Requests that may take longer than the SLO's p99, by its definition. */
const TAIL = 0.01;
/** ln 100: the p99 of an exponential time in means. */
const EXPONENTIAL_P99 = Math.log(100);
/** Of the SLO, at most this much may be the p99 of service alone; the rest is left for waiting. */
const SERVICE_SHARE = 0.8;

export interface CapacityInput {
  concurrency: number;
  serviceTimeMs: number;
  sloP99Ms: number;
}

export interface PerInstance {
  /** rps that one instance takes within the SLO; 0 when no rate does. */
  rps: number;
  /** What keeps it from taking more. */
  binding: 'slo' | 'utilisation';
}

/**
 * The largest arrival rate at which one instance of `concurrency` workers meets its p99 SLO.
 *
 * Each instance is one M/M/c queue of its own. That is what random splitting over instances gives; picking the less
 * loaded of two, as the plan's balancer does, waits less, so this errs on the safe side. One shared queue for all
 * instances (Erlang C over the sum) would err on the other: no balancer reaches it.
 *
 * Service times are taken as exponential where the SLO leaves room for their tail. An SLO below 5.8 mean service
 * times says that they vary less; then only as much of them is exponential as keeps their own p99 at 0.8 SLO.
 */
export function perInstanceRps(input: CapacityInput): PerInstance {
  const { fixedMs, exponentialMs } = splitServiceTime(input);
  const meets = (arrivalRps: number): boolean =>
    sojournTail(input.sloP99Ms, { arrivalRps, concurrency: input.concurrency, fixedMs, exponentialMs }) <= TAIL;
  const cap = (MAX_UTILISATION * input.concurrency * 1000) / input.serviceTimeMs;
  if (meets(cap)) return { rps: cap, binding: 'utilisation' };
  if (!meets(0)) return { rps: 0, binding: 'slo' };
  let [low, high] = [0, cap];
  // The tail grows with the rate, so bisection finds the edge; 50 halvings are beyond a double's precision.
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (meets(middle)) low = middle;
    else high = middle;
  }
  return { rps: low, binding: 'slo' };
}

function splitServiceTime({ serviceTimeMs, sloP99Ms }: CapacityInput): { fixedMs: number; exponentialMs: number } {
  // fixed + p99 of the exponential part = SERVICE_SHARE × SLO, with fixed + exponential = serviceTimeMs.
  const fitting = (SERVICE_SHARE * sloP99Ms - serviceTimeMs) / (EXPONENTIAL_P99 - 1);
  const exponentialMs = Math.min(serviceTimeMs, Math.max(0, fitting));
  return { fixedMs: serviceTimeMs - exponentialMs, exponentialMs };
}

export interface InstancesInput {
  demandRps: number;
  perInstance: PerInstance;
  minInstances: number;
  /** Number of endpoints that the region file has. */
  maxInstances: number;
}

export interface InstanceCount {
  count: number;
  /** What the number came from; `endpoints`: more would be needed than there are addresses. */
  binding: 'slo' | 'utilisation' | 'minInstances' | 'endpoints';
  /** rps that the count cannot take; 0 unless `endpoints` binds. */
  shortfallRps: number;
}

/** The smallest number of instances that takes the demand within the SLO. More demand never gives fewer. */
export function instancesFor(input: InstancesInput): InstanceCount {
  const { demandRps, perInstance, maxInstances } = input;
  const minInstances = Math.min(input.minInstances, maxInstances);
  // The small allowance keeps 400 rps over 100 rps at 4 where the quotient comes out as 4.0000000001.
  const needed = demandRps <= 0 ? 0 : Math.ceil(demandRps / perInstance.rps - 1e-9);
  if (needed > maxInstances) {
    const shortfallRps = demandRps - maxInstances * perInstance.rps;
    return { count: maxInstances, binding: 'endpoints', shortfallRps };
  }
  if (needed <= minInstances) return { count: minInstances, binding: 'minInstances', shortfallRps: 0 };
  return { count: needed, binding: perInstance.binding, shortfallRps: 0 };
}
