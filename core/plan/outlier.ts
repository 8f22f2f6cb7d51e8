import type { ServicePlan } from '../spec/plan.js';
import type { NeighbourSpec, RegionSpec, ServiceSpec } from '../spec/region.js';
import { furthestMs } from './timeouts.js';
import { oneDecimal } from '../spec/oneDecimal.js';

const HEALTH_INTERVAL_MS = 1000;
const MONTH_SECONDS = 30 * 86_400;
const FEWEST_FAILURES = 3;
const MOST_FAILURES = 20;
/** More than half is no outlier any more. */
const MOST_EJECTED_PERCENT = 50;
/** Percents come in steps, so that they do not move with every change of demand. */
const PERCENT_STEP = 10;

export interface OutlierInput {
  region: RegionSpec;
  service: ServiceSpec;
  demandRps: number;
  instances: number;
  perInstanceRps: number;
  weights: Readonly<Record<string, number>>;
  /** Regions without weight that stand by; absent: every neighbour that can spare anything. */
  standby?: readonly string[];
}

/**
 * Failures in a row that take an endpoint out: the fewest (3 to 20) that a sound endpoint, which fails at random at
 * the error rate of its SLO, shows less than once a month. At λ requests a second and error rate e a run of k failures
 * begins λ·(1−e)·e^k times a second, over all proxies together.
 */
export function consecutiveFailures(maxErrorRate: number, rps: number): number {
  if (maxErrorRate <= 0 || rps <= 0) return FEWEST_FAILURES;
  const begins = rps * (1 - maxErrorRate) * MONTH_SECONDS;
  const exact = Math.log(begins) / -Math.log(maxErrorRate);
  return Math.min(MOST_FAILURES, Math.max(FEWEST_FAILURES, Math.floor(exact) + 1));
}

/**
 * Percent of a cluster's hosts that may be out at a time: as many as leave enough for the demand, at least one, at
 * most half. Gateways of neighbours are hosts of the cluster too, and a percent that is less than one host ejects none.
 */
export function ejectionPercent(input: OutlierInput): number {
  const { region, service, instances, perInstanceRps, weights } = input;
  if (instances <= 0) return MOST_EJECTED_PERCENT;
  const localRps = (input.demandRps * (weights[region.name] ?? 0)) / 100;
  const needed = Math.ceil(localRps / perInstanceRps - 1e-9);
  const standsBy = ({ name, spareRps }: NeighbourSpec): boolean =>
    input.standby === undefined ? (spareRps[service.name] ?? 0) > 0 : input.standby.includes(name);
  const gateways = region.neighbours.filter((one) => (weights[one.name] ?? 0) > 0 || standsBy(one)).length;
  const hosts = instances + gateways;
  // An endpoint that is alone is asked even when it fails: it may be its callee that does, and nobody else answers.
  if (hosts === 1) return 0;
  const one = Math.ceil(100 / hosts);
  const spared = Math.floor((100 * (instances - needed)) / hosts / PERCENT_STEP) * PERCENT_STEP;
  return Math.max(one, Math.min(MOST_EJECTED_PERCENT, spared));
}

/**
 * A proxy whose cluster changes asks all its endpoints anew and takes the first answer for the truth: one that is merely
 * slow then would leave nobody to ask.
 */
const HEALTH_PATIENCE = 4;
const LEAST_HEALTH_TIMEOUT_MS = 500;

export type HealthField = Extract<keyof ServicePlan['settings'], `outlier.${string}` | `health.${string}`>;

export function outlierSettings(input: OutlierInput): Pick<ServicePlan['settings'], HealthField> {
  const { service, instances, perInstanceRps } = input;
  const networkLatencyMs = furthestMs(input.region);
  const patientMs = HEALTH_PATIENCE * service.slo.p99Ms + 2 * networkLatencyMs;
  const timeoutMs = Math.ceil(Math.min(HEALTH_INTERVAL_MS, Math.max(LEAST_HEALTH_TIMEOUT_MS, patientMs)));
  const { maxErrorRate, p99Ms } = service.slo;
  const failures = consecutiveFailures(maxErrorRate, perInstanceRps);
  return {
    'outlier.consecutive5xx': {
      value: failures,
      reason: failures === MOST_FAILURES ? AT_MOST_REASON : CHANCE_REASON,
      inputs: { maxErrorRate, perInstanceRps: oneDecimal(perInstanceRps) },
    },
    'outlier.maxEjectionPercent': {
      value: ejectionPercent(input),
      reason: 'as many endpoints as the demand can do without, at least one of several, never more than half',
      inputs: { instances },
    },
    'health.timeoutMs': {
      value: timeoutMs,
      reason: 'four times the p99 SLO and a round trip to the furthest neighbour, at most one interval',
      inputs: { p99Ms, networkLatencyMs },
    },
    ...ALWAYS,
  };
}

const ALWAYS = {
  'outlier.intervalMs': { value: 1000, reason: 'returns an endpoint soon after its time out of rotation' },
  'outlier.baseEjectionMs': { value: 10_000, reason: 'long enough for a restart, short enough to be found out soon' },
  'health.intervalMs': { value: HEALTH_INTERVAL_MS, reason: 'a dead endpoint is known within three seconds' },
  'health.unhealthyThreshold': { value: 3, reason: 'one lost answer takes no endpoint out' },
  'health.healthyThreshold': { value: 2, reason: 'an endpoint that answers twice has finished starting' },
} as const;

const CHANCE_REASON = 'so many failures in a row happen to a sound endpoint less than once a month';
const AT_MOST_REASON = 'at this error rate even more in a row would be chance, but a broken endpoint has to be found';
