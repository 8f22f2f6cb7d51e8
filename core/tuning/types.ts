import type { Adjustment, Override } from '../spec/live.js';
import type { Trust } from '../spec/forecast.js';
import type { Observation, ServiceObservation, Verdict } from '../spec/observation.js';
import type { ServicePlan } from '../spec/plan.js';
import type { Autonomy, AutonomyRule, OperateSpec, QuantileName, ServiceSpec } from '../spec/region.js';

/** The settings that the policy may move; everything else is the plan's. */
export const TUNED_FIELDS = ['rateLimit.rps', 'breaker.maxRequests'] as const;
export type TunedField = (typeof TUNED_FIELDS)[number];

/** Requests per second of the whole region at one moment of demand time. */
export type DemandQuantiles = Readonly<Record<QuantileName, number>>;

/** All that a decision about one service depends on. */
export interface ServiceContext {
  plan: ServicePlan;
  slo: ServiceSpec['slo'];
  capacity: Pick<ServiceSpec['capacity'], 'concurrency' | 'serviceTimeMs'>;
  /** What runs now on each proxy, after every layer. */
  live: Readonly<Record<TunedField, number>>;
  /** Services that this one calls. */
  callees: readonly string[];
  /** `null` beyond the forecast's horizon. */
  forecast: DemandQuantiles | null;
  trust: Trust;
}

/** All that one tick's decision depends on; the same context gives the same proposal. */
export interface TuningContext {
  planHash: string;
  observation: Observation;
  services: readonly ServiceContext[];
  /** Proxies that share the region's load; rates and limits are per proxy. */
  proxies: number;
  operate: OperateSpec;
  frozen: boolean;
  inFlight: InFlightAdjustment | null;
  overrides: readonly Override[];
  /** Absent: every change may be made. */
  autonomy?: AutonomyContext;
}

/** How far the policy may go by itself, and what people said of changes that waited for their word. */
export interface AutonomyContext {
  level: Autonomy;
  rules: readonly AutonomyRule[];
  /** A person has the region: nothing goes further than a suggestion. */
  takenOver: boolean;
  answers: readonly AnsweredChange[];
  /** What the change is for: to be made, or to be shown to a person. */
  least: 'act' | 'suggest';
}

/** A change that waited for a person's word, and got it. */
export interface AnsweredChange {
  /** `<service>.<field>` */
  address: string;
  from: number;
  to: number;
  planHash: string;
  answer: 'approved' | 'rejected';
  who: string;
}

/** An adjustment that has been applied and has no verdict yet. */
export interface InFlightAdjustment {
  adjustment: Adjustment;
  service: string;
  /** What the service did in the window that led to the adjustment. */
  baseline: ServiceObservation;
  /** Ticks that ended without a verdict so far. */
  inconclusiveTicks: number;
}

export type Direction = 'raise' | 'lower';

/** A change that somebody would like to make, before the guards have seen it. */
export interface Change {
  service: string;
  field: TunedField;
  from: number;
  to: number;
}

/** A change that every guard let through. */
export interface Proposal extends Change {
  /** `<service>.<field>` */
  address: string;
  direction: Direction;
  /** A sentence with the numbers that led to it. */
  reason: string;
  planHash: string;
}

/** One tick's decision with everything that was turned down on the way. */
export interface Consideration {
  proposal: Proposal | null;
  /** Why nothing was proposed, or what was turned down first, in words. */
  refusals: readonly { address: string | null; guard: string; reason: string }[];
}

export interface AdjustmentVerdict {
  verdict: Verdict;
  action: 'keep' | 'revert' | 'wait';
  reason: string;
}
