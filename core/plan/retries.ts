import type { ServicePlan } from '../spec/plan.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import { inboundOf, isBehindInbound } from './inbound.js';
import type { InboundIndex } from './inbound.js';
import { foldPaths } from './paths.js';
import type { Calls } from './paths.js';
import { oneDecimal } from '../spec/oneDecimal.js';

/** Requests may be multiplied by retries, over a whole path of calls, by no more than this. */
export const MAX_AMPLIFICATION = 1.5;
const MAX_RETRY_BUDGET_PERCENT = 20;
/** Envoy's own default. */
const MIN_RETRIES = 3;
/** Of what an instance takes, the most that may be repeated requests. */
const MAX_CALLEE_SHARE = 0.1;
/**
 * The callee's cap is a rate, and so a larger part of little traffic than of much: amplification stays within bounds
 * down to this part of an instance's capacity. Below it the instance has twice what it needs.
 */
const CAP_HOLDS_FROM = 0.5;

/** Layers of retries on the deepest path of calls: those that only a caller's budget bounds, those that callees cap. */
export interface RetryLayers {
  budgeted: number;
  capped: number;
}

/** Linear in services and calls. */
export function retryLayers(region: RegionSpec, calls: Calls, inbound: InboundIndex = inboundOf(region)): RetryLayers {
  const services = new Map(region.services.map((service) => [service.name, service]));
  const deepest = (capped: boolean): number => {
    const counts = foldPaths(calls, (name, callees) => {
      const service = services.get(name);
      const counted = service !== undefined && isRetried(service) && isBehindInbound(service, inbound) === capped;
      return Math.max(0, ...callees) + (counted ? 1 : 0);
    });
    return Object.values(counts).reduce((most, count) => Math.max(most, count), 0);
  };
  return { budgeted: deepest(false), capped: deepest(true) };
}

/** Bytes on a connection cannot be asked again. */
export function isRetried(service: ServiceSpec): boolean {
  return service.protocol !== 'tcp';
}

/**
 * Whether a request that failed in whatever way is asked again elsewhere: where that does no harm, the callee itself
 * bounds how often, and it calls nobody, so that the failure is its own and not one that was repeated below already
 * (four layers that all repeat sent 1.5 times the requests to a callee that failed half of them, one layer 1.1). A
 * caller's budget bounds nothing: it counts requests in flight, and fast failures leave few of them (20 % let 3 times
 * the requests through). Otherwise only what no endpoint has begun to work on is repeated.
 */
export function retriesAnyFailure(
  service: ServiceSpec,
  behindInbound: boolean,
  calls: Readonly<Record<string, number>>,
): boolean {
  const callsNobody = Object.keys(calls).length === 0;
  return service.idempotent === true && behindInbound && callsNobody && isRetried(service);
}

/** Percent of requests in flight that may be retries, so that `layers` of them multiply to at most 1.5. */
export function retryBudgetPercent(layers: number, most: number = MAX_AMPLIFICATION): number {
  const exact = (most ** (1 / Math.max(1, layers)) - 1) * 100;
  return Math.min(MAX_RETRY_BUDGET_PERCENT, Math.floor(exact * 10) / 10);
}

/** Part of an instance's rate that repeated requests may have, so that `layers` caps multiply to at most 1.5. */
export function calleeRetryShare(layers: number, most: number = MAX_AMPLIFICATION): number {
  return Math.min(MAX_CALLEE_SHARE, CAP_HOLDS_FROM * (most ** (1 / Math.max(1, layers)) - 1));
}

export interface RetryInput {
  service: ServiceSpec;
  behindInbound: boolean;
  perInstanceRps: number;
  layers: RetryLayers;
  /** At one proxy. */
  maxRequests: number;
  /** Calls per request to other services, by callee. */
  calls: Readonly<Record<string, number>>;
}

export type RetryField = Extract<keyof ServicePlan['settings'], `retry.${string}`> | 'inbound.retryRps';

export function retrySettings(input: RetryInput): Pick<ServicePlan['settings'], RetryField> {
  const { service, behindInbound, perInstanceRps, layers, maxRequests, calls } = input;
  // A path that has layers of both kinds shares what is allowed between them.
  const most = layers.budgeted > 0 && layers.capped > 0 ? Math.sqrt(MAX_AMPLIFICATION) : MAX_AMPLIFICATION;
  const budget = behindInbound ? MAX_RETRY_BUDGET_PERCENT : retryBudgetPercent(layers.budgeted, most);
  const share = calleeRetryShare(layers.capped, most);
  return {
    'retry.budgetPercent': behindInbound
      ? { value: budget, reason: CAPPED_BUDGET_REASON }
      : {
          value: budget,
          reason: `${layers.budgeted} layers of retries multiply requests by at most ${MAX_AMPLIFICATION}`,
          inputs: { layers: layers.budgeted, maxAmplification: MAX_AMPLIFICATION },
        },
    'retry.minConcurrency': {
      value: Math.min(1000, Math.max(MIN_RETRIES, Math.ceil((maxRequests * budget) / 100))),
      reason: 'the budget of a full breaker: failures at connecting end so soon that few requests are in flight then',
      inputs: { maxRequests, budgetPercent: budget },
    },
    'retry.maxPerRequest': tries(service, behindInbound, calls),
    'inbound.retryRps': {
      value: Math.max(0.01, Math.round(perInstanceRps * share * 100) / 100),
      reason: `repeated requests are a small part of what one instance takes, so that ${layers.capped} layers of them multiply to at most ${MAX_AMPLIFICATION}`,
      inputs: { perInstanceRps: oneDecimal(perInstanceRps), layers: layers.capped },
    },
  };
}

const CAPPED_BUDGET_REASON = 'each instance bounds by itself how many repeated requests it takes';

function tries(
  service: ServiceSpec,
  behindInbound: boolean,
  calls: Readonly<Record<string, number>>,
): ServicePlan['settings']['retry.maxPerRequest'] {
  if (!isRetried(service)) return { value: 0, reason: 'bytes on a connection cannot be asked again' };
  if (retriesAnyFailure(service, behindInbound, calls)) {
    return { value: 1, reason: 'once, elsewhere, whatever it failed with: it does no harm and the callee bounds it' };
  }
  const reason =
    'once, elsewhere, and only what no endpoint has begun to work on: no layer repeats the work of another';
  return { value: 1, reason };
}
