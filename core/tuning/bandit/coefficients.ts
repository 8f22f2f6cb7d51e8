import { FEWEST_SLOTS, limitsFor } from '../../plan/limits.js';
import type { LimitsInput, ProxyLimits } from '../../plan/limits.js';
import type { ServicePlan } from '../../spec/plan.js';
import type { Criticality } from '../../spec/region.js';
import type { ServiceSettings } from '../../spec/settings.js';

/**
 * What the tuner moves: factors on what the planner reckoned with, without unit; 1 is the plan.
 *
 * | coefficient | multiplies | so that |
 * | --- | --- | --- |
 * | `limitMargin` | the margin of the rate limit, and with it its burst | a proxy lets in more or fewer requests per second |
 * | `concurrency` | requests in flight that a callee holds at a time: `inbound.maxRequests` where its instances have a proxy in front, else `breaker.*` | its queue is longer or shorter |
 * | `spill` | what one local instance is taken to serve when the router solves for weights | requests go to neighbours later or earlier |
 */
export const FAMILIES = ['limitMargin', 'concurrency', 'spill'] as const;
export type Family = (typeof FAMILIES)[number];

/** Rungs from the plan's, which is 0. */
export type Coefficients = Readonly<Record<Family, number>>;
export const PLANNED: Coefficients = { limitMargin: 0, concurrency: 0, spill: 0 };

export interface Move {
  family: Family;
  direction: 1 | -1;
}

/** Factors below the plan, the nearest first, and above it. */
interface Ladder {
  below: readonly number[];
  above: readonly number[];
}

/** Critical services are not limited below what ready capacity serves: 0.8 × 1.66 is the planner's own margin. */
const LADDERS: Readonly<Record<Family, Readonly<Record<Criticality, Ladder>>>> = {
  limitMargin: {
    critical: { below: [0.93, 0.86, 0.8], above: [1.1, 1.25, 1.5] },
    normal: { below: [0.93, 0.86, 0.8, 0.75], above: [1.1, 1.25, 1.5] },
    sheddable: { below: [0.9, 0.8, 0.7, 0.6, 0.5], above: [1.1, 1.25] },
  },
  concurrency: {
    critical: { below: [0.8, 0.64, 0.5], above: [1.25, 1.6, 2] },
    normal: { below: [0.8, 0.64, 0.5, 0.4, 0.32], above: [1.25, 1.6, 2] },
    sheddable: { below: [0.8, 0.64, 0.5, 0.4, 0.32, 0.25], above: [1.25, 1.6] },
  },
  spill: {
    critical: { below: [0.9, 0.8], above: [1.1] },
    normal: { below: [0.9, 0.8], above: [1.1, 1.2] },
    sheddable: { below: [0.9, 0.8, 0.7], above: [1.1, 1.2] },
  },
};

/** Factor of a rung; `null`: the ladder of this class does not reach so far. */
export function factorOf(family: Family, criticality: Criticality, rung: number): number | null {
  const { below, above } = LADDERS[family][criticality];
  if (rung === 0) return 1;
  return (rung < 0 ? below[-rung - 1] : above[rung - 1]) ?? null;
}

/** The coefficients after a move, or `null` where the ladder ends. */
export function moved(coefficients: Coefficients, criticality: Criticality, move: Move): Coefficients | null {
  const rung = coefficients[move.family] + move.direction;
  if (factorOf(move.family, criticality, rung) === null) return null;
  return { ...coefficients, [move.family]: rung };
}

/** One rung up or down in one coefficient, in a fixed order; never the ends' beyond. */
export function neighbours(coefficients: Coefficients, criticality: Criticality): readonly Move[] {
  return FAMILIES.flatMap((family) => ([-1, 1] as const).map((direction): Move => ({ family, direction }))).filter(
    (move) => moved(coefficients, criticality, move) !== null,
  );
}

export type TunedSettings = Pick<
  ServiceSettings,
  | 'rateLimit.rps'
  | 'rateLimit.burst'
  | 'inbound.maxRequests'
  | 'breaker.maxRequests'
  | 'breaker.maxPendingRequests'
  | 'breaker.maxConnections'
>;

export interface PlannedService {
  criticality: Criticality;
  /** Of the plan's window that runs. */
  settings: TunedSettings;
  /** Absent where no plan is at hand: then a value moves as far as its ladder. */
  bounds?: ServicePlan['bounds'];
  /** Requests that one instance works on at a time: its door is never narrower. */
  workersPerInstance: number;
  behindInbound: boolean;
}

/**
 * The plan's settings under other coefficients: the planner's formulas with the factor in them, within the plan's
 * bounds. At `PLANNED` they are the plan's own. Rates in requests per second and limits in requests, per proxy.
 */
export function settingsFor(planned: PlannedService, coefficients: Coefficients): TunedSettings {
  const { criticality, settings, bounds, workersPerInstance, behindInbound } = planned;
  const margin = factorOf('limitMargin', criticality, coefficients.limitMargin) ?? 1;
  const concurrency = factorOf('concurrency', criticality, coefficients.concurrency) ?? 1;
  const rps = within(bounds?.['rateLimit.rps'], whole(settings['rateLimit.rps'], margin, 1));
  const rated = {
    'rateLimit.rps': rps,
    'rateLimit.burst': whole(settings['rateLimit.burst'], margin, 1),
  };
  if (behindInbound) {
    const least = Math.min(settings['inbound.maxRequests'], workersPerInstance);
    const inbound = whole(settings['inbound.maxRequests'], concurrency, least);
    return { ...settings, ...rated, 'inbound.maxRequests': inbound };
  }
  const least = Math.min(settings['breaker.maxRequests'], FEWEST_SLOTS);
  const maxRequests = within(
    bounds?.['breaker.maxRequests'],
    whole(settings['breaker.maxRequests'], concurrency, least),
  );
  if (maxRequests === settings['breaker.maxRequests']) return { ...settings, ...rated };
  return {
    ...settings,
    ...rated,
    'breaker.maxRequests': maxRequests,
    'breaker.maxPendingRequests': maxRequests,
    'breaker.maxConnections': 2 * maxRequests,
  };
}

/** The planner's own function with the margin of these coefficients: where its input is at hand. */
export function replanned(input: LimitsInput, criticality: Criticality, coefficients: Coefficients): ProxyLimits {
  const margin = factorOf('limitMargin', criticality, coefficients.limitMargin) ?? 1;
  return limitsFor({ ...input, letIn: { ...input.letIn, margin: input.letIn.margin * margin } });
}

/** Requests per second that the router is to reckon one local instance with. */
export function routedInstanceRps(
  perInstanceRps: number,
  criticality: Criticality,
  coefficients: Coefficients,
): number {
  return perInstanceRps * (factorOf('spill', criticality, coefficients.spill) ?? 1);
}

/** A plan that was made by hand may have fractions: at factor 1 it stays as it is. */
function whole(value: number, factor: number, least: number): number {
  return factor === 1 ? value : Math.max(least, Math.ceil(value * factor - 1e-9));
}

function within(bounds: { min: number; max: number } | undefined, value: number): number {
  return bounds === undefined ? value : Math.min(bounds.max, Math.max(bounds.min, value));
}
