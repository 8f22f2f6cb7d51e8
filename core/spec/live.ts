import type { AffinitySpec, EndpointSpec, Protocol } from './region.js';
import type { ServiceSettings, SettingValue } from './settings.js';

/** How far activation has brought the region: `localPercent` of the plan's local weights, limits enforced or not. */
export interface ActivationStage {
  localPercent: number;
  enforceLimits: boolean;
}

/** A person's value that outranks plan and policy. */
export interface Override {
  address: string;
  value: SettingValue;
  who: string;
  why: string;
  /** ISO 8601, UTC; absent: until cleared. */
  until?: string;
}

/** A bounded change of a live setting by the policy, made against one plan. */
export interface Adjustment {
  address: string;
  from: number;
  to: number;
  reason: string;
  planHash: string;
  /** ISO 8601, UTC */
  madeAt: string;
}

/**
 * Everything the live settings are made of: plan ⊕ ready capacity ⊕ stage ⊕ adjustments ⊕ overrides; the last wins.
 * `readyInstances` by service scales limits and breakers down to the capacity that is ready (absent: as planned).
 */
export interface LiveIntent {
  stage: ActivationStage;
  readyInstances?: Readonly<Record<string, number>>;
  adjustments: readonly Adjustment[];
  overrides: readonly Override[];
  /** ISO 8601, UTC: start of the plan's window that is to run; absent: the first. */
  window?: string;
}

/** Settings of one service as they should run, after the layers: what the mesh renderers take. */
export interface LiveService {
  service: string;
  entryPathPrefix?: string;
  healthPath: string;
  endpoints: readonly EndpointSpec[];
  /** Addresses beyond those, where instances may come up by themselves: their health is watched, nothing is sent there. */
  unplanned?: readonly EndpointSpec[];
  /** Absent: http. */
  protocol?: Protocol;
  affinity?: AffinitySpec;
  /** Failed requests may be asked again elsewhere, whatever they failed with. */
  idempotent?: boolean;
  /** Regions without weight that stand by, the first first: capacity to take over was proven. Absent: every neighbour. */
  failover?: readonly string[];
  /** Percent by region, summing to 100. */
  weights: Readonly<Record<string, number>>;
  settings: ServiceSettings;
  /** Why each value is what it is, by setting field or `weight.<region>`; rendered as comments. */
  reasons: Readonly<Record<string, string>>;
}

export interface LiveMesh {
  region: string;
  planHash: string;
  services: readonly LiveService[];
}
