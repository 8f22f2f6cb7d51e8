import type { SettingField, ServiceSettings } from './settings.js';
import type { EndpointSpec, QuantileName } from './region.js';
import type { Trust } from './forecast.js';

/**
 * What the mesh of a region should be. Content-addressed: `planHash` is SHA-256 of the canonical JSON of
 * everything else.
 */
export interface MeshPlan {
  version: 1;
  region: string;
  windows: readonly PlanWindow[];
  warnings: readonly string[];
}

export interface PlanWindow {
  /** ISO 8601, UTC; demand time. */
  from: string;
  to: string;
  /** In the first window all services; in a later one those that run otherwise than in the window before. */
  services: readonly ServicePlan[];
}

/** A value with why it is what it is: `reason` is a sentence, `inputs` the numbers it came from. */
export interface Reasoned<T> {
  value: T;
  reason: string;
  inputs?: Readonly<Record<string, number | string>>;
}

export interface ServicePlan {
  service: string;
  /** `level`: the quantile as a number, where costs chose it. */
  demand: { quantile: QuantileName; rps: number; trust: Trust; level?: number };
  /** Of the demand, what our proxies ask for, once callers elsewhere ask there and what is refused never calls. */
  arrivingRps?: number;
  instances: Reasoned<number>;
  /** Addresses of the planned instances, the first `instances.value` of the region file's. */
  endpoints: readonly EndpointSpec[];
  /** rps that one ready instance takes within the SLO. */
  perInstanceRps: number;
  /** Calls per request to other services, by callee: what the lint follows timeouts and retries along. */
  calls?: Readonly<Record<string, number>>;
  /** Percent of requests by region; our own region's entry first; sums to 100. */
  weights: Readonly<Record<string, Reasoned<number>>>;
  /** Neighbours that were shown to have room for all that may fail over to them, the first first. */
  failover?: readonly { region: string; spareRps: number }[];
  /** What one more request here costs all who are on its way, in the currency of `costs`. */
  price?: Reasoned<number>;
  /** Of an entry: the share of its requests that is let in, 0–1. */
  admission?: Reasoned<number>;
  /** Of an entry: the p99 of whole requests in its busiest window, ms, by sampled paths. */
  requestP99Ms?: Reasoned<number>;
  settings: { readonly [F in SettingField]: Reasoned<ServiceSettings[F]> };
  /** Ranges the gates covered: the adjustment may move a number only inside. */
  bounds: Readonly<Partial<Record<SettingField, { min: number; max: number }>>>;
}
