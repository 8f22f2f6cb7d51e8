import type { ServicePlan } from '../spec/plan.js';
import type { NeighbourSpec, RegionSpec, ServiceSpec } from '../spec/region.js';
import { SETTING_FIELDS } from '../spec/settings.js';
import { foldPaths } from './paths.js';
import type { Calls } from './paths.js';

/** A timeout cuts off what is hopeless, not what is slow: this many times the p99 SLO. */
const TIMEOUT_FACTOR = 4;
/** A request that is asked again has room for this many times the p99 SLO each time. */
const TRY_FACTOR = 2;
/** Of its own time, what a caller waits on top of its slowest callee, so that it is the callee's timeout that strikes. */
const CALLER_MARGIN = 0.2;
const LONGEST_MS = SETTING_FIELDS['timeout.requestMs'].max ?? Infinity;

/** Mean round trip of a request to where it is answered, in ms; `networkLatencyMs` counts one way. */
export function networkMs(weights: Readonly<Record<string, number>>, neighbours: readonly NeighbourSpec[]): number {
  return neighbours.reduce((sum, n) => sum + ((weights[n.name] ?? 0) / 100) * 2 * n.networkLatencyMs, 0);
}

export function furthestMs(region: RegionSpec): number {
  return Math.max(0, ...region.neighbours.map((neighbour) => neighbour.networkLatencyMs));
}

/**
 * Request timeouts in ms by service, tries and all: 4 × the p99 SLO, which leaves each of two tries twice its SLO, and
 * a caller's always above each of its callees'. A caller's does not leave room for a callee to use its timeout up
 * twice: that would double with each layer, and what timed out once is not slow but hopeless. What is added for each
 * layer is the caller's own, so that the budget of a path grows with its length and not with a power of it.
 */
export function requestTimeouts(region: RegionSpec, calls: Calls): Record<string, number> {
  const services = new Map(region.services.map((service) => [service.name, service]));
  const roundTripMs = 2 * furthestMs(region);
  return foldPaths(calls, (name, callees) => {
    const service = services.get(name);
    if (service === undefined) return 0;
    const own = ownTimeoutMs(service, roundTripMs);
    const slowest = Math.max(0, ...callees);
    const above = slowest > 0 ? slowest + CALLER_MARGIN * own + service.capacity.serviceTimeMs : 0;
    return Math.min(LONGEST_MS, Math.ceil(Math.max(own, above)));
  });
}

function ownTimeoutMs({ slo, idempotent }: ServiceSpec, roundTripMs: number): number {
  const tries = idempotent === true ? 2 : 1;
  return Math.max(TIMEOUT_FACTOR, tries * TRY_FACTOR) * slo.p99Ms + roundTripMs;
}

export interface TimeoutInput {
  region: RegionSpec;
  service: ServiceSpec;
  timeouts: Readonly<Record<string, number>>;
  calls: Readonly<Record<string, number>>;
}

type TimeoutField = Extract<keyof ServicePlan['settings'], `timeout.${string}`>;

export function timeoutSettings(input: TimeoutInput): Pick<ServicePlan['settings'], TimeoutField> {
  const { region, service, timeouts, calls } = input;
  const timeoutMs = Math.min(LONGEST_MS, timeouts[service.name] ?? Math.ceil(ownTimeoutMs(service, 0)));
  const inputs: Record<string, number> = { p99Ms: service.slo.p99Ms };
  for (const callee of Object.keys(calls)) inputs[`timeout of ${callee}`] = timeouts[callee] ?? 0;
  const networkLatencyMs = furthestMs(region);
  const connectMs = Math.ceil(Math.min(timeoutMs / 2, 250 + 4 * networkLatencyMs));
  return {
    'timeout.requestMs': {
      value: timeoutMs,
      reason: Object.keys(inputs).length > 1 ? CALLER_REASON : LEAF_REASON,
      inputs,
    },
    'timeout.connectMs': {
      value: Math.max(1, Math.min(connectMs, SETTING_FIELDS['timeout.connectMs'].max ?? Infinity)),
      reason: 'several round trips to the furthest neighbour, and at most half of the request timeout',
      inputs: { networkLatencyMs },
    },
  };
}

const CALLER_REASON = `${TIMEOUT_FACTOR} times the p99 SLO, and longer than the slowest service that it calls`;
const LEAF_REASON = `${TIMEOUT_FACTOR} times the p99 SLO: cuts off what is hopeless, not what is slow`;
