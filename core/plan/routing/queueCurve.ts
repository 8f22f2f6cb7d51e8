/**
 * D(load): request-seconds a second that a site's load spends in queues and in service, times the cost of a second.
 * Waiting is M/M/m by Sakasegawa (1977): S/m · ρ^(√(2(m+1))−1) / (1−ρ). A balancer that picks the less busy of two
 * instances waits at least as if two instances shared a queue, so m = concurrency × min(instances, 2).
 * Beyond the capacity the curve goes on by its own parabola, plus what breaks the SLO: see `overload`.
 */
export interface QueueCurve {
  capacityRps: number;
  /** Rate at which all workers are always busy. */
  saturationRps: number;
  /** q of ρ^q / (1−ρ), the number waiting per `scale`. */
  power: number;
  scale: number;
  serviceSeconds: number;
  costPerSecond: number;
  /** Price a request beyond the capacity is charged from `OVERLOAD_BAND` above it on. */
  overloadPrice: number;
  /** Value and derivatives of the queues at the capacity. */
  atCapacity: readonly [number, number, number];
}

/** The price of overload is reached this far above the capacity, as a fraction of it. */
export const OVERLOAD_BAND = 0.02;
/** Beyond the band the price goes on rising by this fraction of it a band, so that less overload is always better. */
const OVERLOAD_RISE = 0.01;
/** No capacity is believed closer to saturation than this: the queue would have no end. */
const MOST_UTILISED = 0.98;

export interface CurveInput {
  instances: number;
  concurrency: number;
  serviceTimeMs: number;
  capacityRps: number;
  costPerSecond: number;
  overloadPrice: number;
}

export function queueCurve(input: CurveInput): QueueCurve {
  const workers = input.instances * input.concurrency;
  const pooled = input.concurrency * Math.min(input.instances, 2);
  const serviceSeconds = input.serviceTimeMs / 1000;
  const saturationRps = workers / serviceSeconds;
  const curve: QueueCurve = {
    capacityRps: Math.min(input.capacityRps, MOST_UTILISED * saturationRps),
    saturationRps,
    power: Math.sqrt(2 * (pooled + 1)),
    scale: workers / pooled,
    serviceSeconds,
    costPerSecond: input.costPerSecond,
    overloadPrice: input.overloadPrice,
    atCapacity: [0, 0, 0],
  };
  const out = new Float64Array(3);
  evaluateQueue(curve, curve.capacityRps, out);
  return { ...curve, atCapacity: [out[0]!, out[1]!, out[2]!] };
}

/** Value, first and second derivative by load of the queues alone, in `out[0..2]`; on as a parabola past the capacity. */
export function evaluateQueue(curve: QueueCurve, load: number, out: Float64Array): void {
  const beyond = load - curve.capacityRps;
  if (beyond > 0) {
    const at = curve.atCapacity;
    out[0] = at[0] + beyond * (at[1] + (beyond * at[2]) / 2);
    out[1] = at[1] + beyond * at[2];
    out[2] = at[2];
    return;
  }
  const { saturationRps, power: q, costPerSecond } = curve;
  // Sums of differences come out a little below zero at times.
  const rho = Math.max(0, load) / saturationRps;
  const free = 1 - rho;
  const low = Math.pow(rho, q - 2);
  const scaled = costPerSecond * curve.scale;
  out[0] = costPerSecond * curve.serviceSeconds * load + (scaled * low * rho * rho) / free;
  out[1] =
    costPerSecond * curve.serviceSeconds + (scaled * low * rho * (q * free + rho)) / (free * free * saturationRps);
  const bend = (q * (q - 1) + (2 * q * rho + (2 * rho * rho) / free) / free) / free;
  out[2] = (scaled * low * bend) / (saturationRps * saturationRps);
}

/** The whole curve: queues, and what breaks the SLO. */
export function evaluateCurve(curve: QueueCurve, load: number, out: Float64Array): void {
  evaluateQueue(curve, load, out);
  if (load > curve.capacityRps) overload(curve, load - curve.capacityRps, out);
}

/**
 * What is beyond the capacity breaks the SLO and so loses its value: the marginal price rises as a square to the
 * full price at the end of the band and nearly stays there.
 */
export function overload(curve: QueueCurve, excessRps: number, out: Float64Array): void {
  const band = OVERLOAD_BAND * curve.capacityRps;
  const price = curve.overloadPrice;
  const u = excessRps / band;
  const inside = Math.min(u, 1);
  const past = u - inside;
  out[0]! += price * band * (inside ** 3 / 3 + past * (1 + (OVERLOAD_RISE * past) / 2));
  out[1]! += price * (inside * inside + OVERLOAD_RISE * past);
  out[2]! += (price / band) * (past > 0 ? OVERLOAD_RISE : 2 * inside);
}
