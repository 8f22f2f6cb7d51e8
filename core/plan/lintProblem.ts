import type { LiveService } from '../spec/live.js';
import type { ServicePlan } from '../spec/plan.js';
import type { Problem } from '../spec/problem.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import type { InboundIndex } from './inbound.js';
import { ADJUSTMENT_REASON, OVERRIDE_REASON } from './live.js';
import { neighboursFor } from './weights.js';

/** All that the lint looks at of one service. */
export interface LintInput {
  live: LiveService;
  spec: ServiceSpec;
  planned: ServicePlan;
  region: RegionSpec;
  inbound: InboundIndex;
  readyInstances?: Readonly<Record<string, number>>;
}

export function problem(
  code: string,
  { service }: Pick<LiveService, 'service'>,
  field: string,
  message: string,
  expectation?: string,
): Problem {
  const place = field === '' ? service : `${service}.${field}`;
  return { code, field: place, message, ...(expectation === undefined ? {} : { expected: expectation }) };
}

export function isOverridden(live: LiveService, field: string): boolean {
  return live.reasons[field]?.startsWith(OVERRIDE_REASON) === true;
}

export function isAdjusted(live: LiveService, field: string): boolean {
  return live.reasons[field]?.startsWith(ADJUSTMENT_REASON) === true;
}

/** Regions other than ours that take requests now or stand by. */
export function regionsBeside({ live, region }: Pick<LintInput, 'live' | 'region'>): Set<string> {
  const weighted = Object.keys(live.weights).filter((name) => name !== region.name && (live.weights[name] ?? 0) > 0);
  const standby = live.failover ?? neighboursFor(live.service, region.neighbours).map(({ name }) => name);
  return new Set([...weighted, ...standby]);
}
