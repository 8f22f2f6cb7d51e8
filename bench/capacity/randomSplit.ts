import { erlangC } from '../../core/plan/capacity/erlang.js';

/** No instance is planned busier. */
const MAX_UTILISATION = 0.8;
/** Requests that may take longer than the SLO's p99, by its definition. */
const TAIL = 0.01;
/** ln 100: the p99 of an exponential time in means. */
const EXPONENTIAL_P99 = Math.log(100);
/** Of the SLO, at most this much may be the p99 of service alone; the rest is left for waiting. */
const SERVICE_SHARE = 0.8;

export interface RandomSplitInput {
  concurrency: number;
  serviceTimeMs: number;
  sloP99Ms: number;
}

/**
 * rps at which one instance meets its p99 SLO as an M/M/c queue of its own, which a random split over instances gives;
 * 0 when no rate does. Service times are a fixed part and an exponential one, as much as keeps its own p99 at 0.8 SLO.
 */
export function randomSplitRps(input: RandomSplitInput): number {
  const { concurrency, serviceTimeMs, sloP99Ms } = input;
  const fitting = (SERVICE_SHARE * sloP99Ms - serviceTimeMs) / (EXPONENTIAL_P99 - 1);
  const exponentialMs = Math.min(serviceTimeMs, Math.max(0, fitting));
  const meets = (arrivalRps: number): boolean => tail(input, arrivalRps, exponentialMs) <= TAIL;
  const cap = (MAX_UTILISATION * concurrency * 1000) / serviceTimeMs;
  if (meets(cap)) return cap;
  if (!meets(0)) return 0;
  let [low, high] = [0, cap];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (meets(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function tail(
  { concurrency, serviceTimeMs, sloP99Ms }: RandomSplitInput,
  arrivalRps: number,
  exponentialMs: number,
): number {
  const offered = (arrivalRps / 1000) * serviceTimeMs;
  if (offered >= concurrency) return 1;
  const t = sloP99Ms - (serviceTimeMs - exponentialMs);
  if (t <= 0) return 1;
  const waits = erlangC(concurrency, offered);
  const waitRate = concurrency / serviceTimeMs - arrivalRps / 1000;
  if (exponentialMs <= 0) return waits * Math.exp(-waitRate * t);
  const serviceRate = 1 / exponentialMs;
  return (1 - waits) * Math.exp(-serviceRate * t) + waits * sumTail(waitRate, serviceRate, t);
}

/** P(X + Y > t) of two independent exponentials. */
function sumTail(rateA: number, rateB: number, t: number): number {
  // The closed form divides by the difference of the rates; at equal rates its limit is Erlang-2.
  if (Math.abs(rateA - rateB) < 1e-9 * Math.max(rateA, rateB)) return (1 + rateA * t) * Math.exp(-rateA * t);
  return (rateA * Math.exp(-rateB * t) - rateB * Math.exp(-rateA * t)) / (rateA - rateB);
}
