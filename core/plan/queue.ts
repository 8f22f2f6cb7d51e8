/**
 * Erlang's C: the chance that an arrival has to wait, for `servers` parallel servers under `offered` erlangs
 * (arrival rate × mean service time). By the recursion of Erlang's B, which neither over- nor underflows.
 */
export function erlangC(servers: number, offered: number): number {
  if (offered <= 0) return 0;
  if (offered >= servers) return 1;
  let blocked = 1;
  for (let k = 1; k <= servers; k++) blocked = (offered * blocked) / (k + offered * blocked);
  return blocked / (1 - (offered / servers) * (1 - blocked));
}

export interface SojournInput {
  arrivalRps: number;
  concurrency: number;
  /** Part of the service time that every request takes. */
  fixedMs: number;
  /** Mean of the exponential rest of the service time. */
  exponentialMs: number;
}

/**
 * Chance that a request is not answered within `thresholdMs`: waiting as in M/M/c with mean service time
 * fixed + exponential, plus that service time. With `fixedMs` 0 it is exact for M/M/c; with less variable service
 * it is an upper bound, because waiting shrinks with the variance of service.
 */
export function sojournTail(thresholdMs: number, input: SojournInput): number {
  const serviceMs = input.fixedMs + input.exponentialMs;
  const offered = (input.arrivalRps / 1000) * serviceMs;
  if (offered >= input.concurrency) return 1;
  const t = thresholdMs - input.fixedMs;
  if (t <= 0) return 1;
  const waits = erlangC(input.concurrency, offered);
  const waitRate = input.concurrency / serviceMs - input.arrivalRps / 1000;
  if (input.exponentialMs <= 0) return waits * Math.exp(-waitRate * t);
  const serviceRate = 1 / input.exponentialMs;
  return (1 - waits) * Math.exp(-serviceRate * t) + waits * sumTail(waitRate, serviceRate, t);
}

/** P(X + Y > t) of two independent exponentials. */
function sumTail(rateA: number, rateB: number, t: number): number {
  // The closed form divides by the difference of the rates; at equal rates its limit is Erlang-2.
  if (Math.abs(rateA - rateB) < 1e-9 * Math.max(rateA, rateB)) return (1 + rateA * t) * Math.exp(-rateA * t);
  return (rateA * Math.exp(-rateB * t) - rateB * Math.exp(-rateA * t)) / (rateA - rateB);
}
