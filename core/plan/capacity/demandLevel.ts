import { peakQuantile } from '../../forecast/calibration/paths.js';
import type { DemandPaths } from '../../forecast/calibration/paths.js';
import type { QuantileName } from '../../spec/region.js';

export interface NewsvendorInput {
  /** Of a request that could not be served. */
  shortageCostPerRequest: number;
  /** Of an instance that stands idle for an hour, in the same currency. */
  idleCostPerInstanceHour: number;
  /** What one instance takes within its SLO. */
  perInstanceRps: number;
}

export interface DemandLevel {
  /** Probability with which the capacity should suffice, 0.5–0.99. */
  level: number;
  /** As the costs alone have it, before it was held within what the forecast knows. */
  byCosts: number;
  /** The forecast's own quantile nearest above. */
  quantile: QuantileName;
  reason: string;
}

/** The forecast's quantiles; beyond them it says nothing that was checked. */
const QUANTILES: readonly (readonly [QuantileName, number])[] = [
  ['p50', 0.5],
  ['p80', 0.8],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
];

/**
 * The newsvendor's rule (Arrow, Harris and Marschak 1951): one more instance pays while the chance that it is needed,
 * times what an hour without it costs, exceeds the chance that it idles, times what that costs. Demand is then the
 * quantile shortage ÷ (shortage + idle).
 */
export function newsvendorLevel(input: NewsvendorInput): DemandLevel {
  const { shortageCostPerRequest, idleCostPerInstanceHour, perInstanceRps } = input;
  const shortage = Math.max(0, shortageCostPerRequest) * Math.max(0, perInstanceRps) * 3600;
  const idle = Math.max(0, idleCostPerInstanceHour);
  const byCosts = shortage + idle > 0 ? shortage / (shortage + idle) : 0.5;
  const level = Math.min(0.99, Math.max(0.5, byCosts));
  const quantile = QUANTILES.find(([, value]) => value >= level - 1e-9)?.[0] ?? 'p99';
  const held = level === byCosts ? '' : `, held at ${percent(level)} %, where the forecast's quantiles end`;
  const reason = `an hour without an instance costs ${number(shortage)} (${number(perInstanceRps)} rps at ${number(shortageCostPerRequest)} a request), one that idles ${number(idle)}: capacity should suffice with ${percent(byCosts)} %${held}`;
  return { level, byCosts, quantile, reason };
}

export interface LeadInput {
  /** Seconds from the decision until an instance takes requests. */
  startupSeconds: number;
  /** How long before its demand a window is in force, on top. */
  leadSeconds: number;
  windowSeconds: number;
  stepSeconds: number;
}

/** Steps that one decision has to cover: the window, and what passes until the next one can act. */
export function leadSteps({ startupSeconds, leadSeconds, windowSeconds, stepSeconds }: LeadInput): number {
  return Math.max(1, Math.ceil((startupSeconds + leadSeconds + windowSeconds) / stepSeconds - 1e-9));
}

/**
 * Demand that capacity is bought for: the quantile of the highest demand within the lead window, over joint paths, rps.
 * The highest of the steps' own quantiles is less: where each step stays below its p95 with 95 %, all of twelve do with
 * 58–81 % (docs/capacity.md).
 */
export function leadDemand(paths: DemandPaths, fromStep: number, steps: number, level: number): number {
  return peakQuantile(paths, fromStep, steps, level);
}

function percent(part: number): number {
  return Number((100 * part).toPrecision(3));
}

function number(value: number): number {
  return Number(value.toPrecision(3));
}
