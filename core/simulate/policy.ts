import type { AdmissionFactory, TwinControl } from './control.js';
import type { TwinDemand, TwinModel } from './model.js';

/**
 * A way to run a region in the twin: what is set at the start, what acts by the tick and what acts by the request.
 * Policies are compared on the same model, demand, faults and seed.
 */
export interface TwinPolicy {
  /** kebab-case, unique: `istio-defaults`. */
  name: string;
  /** Paper, documentation or source that it follows, with section where that helps. */
  source: string;
  /** What tuning may choose from, the source's own values first. One set of the same names each; at least one. */
  grid: readonly PolicyParams[];
  /** Fresh for each run: nothing is shared between two runs. The same input gives the same behaviour. */
  create(input: PolicyInput): PolicyRun;
}

/** By name; the unit is in the name (`targetUtilisation`, `intervalMs`). */
export type PolicyParams = Readonly<Record<string, number>>;

export interface PolicyInput {
  /**
   * The region with the settings, weights and instances of our plan, and `maxInstances` as far as its quota goes. A
   * policy that does not use our plan replaces what it would not have.
   */
  model: TwinModel;
  /** Of the policy's own chance. */
  seed: number;
  /** One of `grid`. */
  params: PolicyParams;
  /** What was forecast before the run began, for policies that look ahead. Absent: nobody knows. */
  forecast?: TwinDemand;
}

/** What `simulate` takes of a policy. */
export interface PolicyRun {
  model: TwinModel;
  control?: TwinControl;
  admission?: AdmissionFactory;
}

/** Throws a RangeError where a set does not name it: a mistake of whoever made the set. */
export function param(params: PolicyParams, name: string): number {
  const value = params[name];
  if (value === undefined) throw new RangeError(`a set of parameters without ${name}`);
  return value;
}
