import { PEERS } from '../../core/simulate/peers/all.js';
import type { TwinPolicy } from '../../core/simulate/policy.js';
import type { TunerOptions } from '../../core/simulate/tuner.js';
import { planOnlyPolicy, tunerPolicy } from '../../core/simulate/tuner.js';
import type { Scenario } from './run.js';
import { runPolicy } from './run.js';

export const OURS = tunerPolicy().name;
export const PLAN_ONLY = planOnlyPolicy().name;
export const PEER_NAMES: readonly string[] = PEERS.map(({ name }) => name);
export const TOPFULL = 'topfull-mimd';
/** Peers that look at each service by itself. */
export const PER_SERVICE: readonly string[] = ['adaptive-concurrency', 'gradient2', 'breakwater'];

/** Our tuner after so many passes over the training: the runs that a peer has to try as many points of its grid. */
export function warmTuner(
  training: readonly Scenario[],
  { passes, seed }: { passes: number; seed: number },
  options: TunerOptions = {},
): TwinPolicy {
  let state: TunerOptions['state'];
  for (let pass = 0; pass < passes; pass++) {
    for (const scenario of training) {
      const policy = tunerPolicy({
        ...options,
        ...(state === undefined ? {} : { state }),
        learned: (after) => {
          state = after;
        },
      });
      runPolicy(scenario, policy, policy.grid[0] ?? {}, seed + pass);
    }
  }
  return tunerPolicy({ ...options, ...(state === undefined ? {} : { state }) });
}

/** What each part of the tuner is good for: it runs without it. */
export const ABLATIONS: Readonly<Record<string, TunerOptions>> = {
  'without-forecast': { withoutForecast: true },
  'without-warm-start': { withoutWarmStart: true },
  'without-guards': { withoutGuards: true },
  'without-split': { withoutSplit: true },
};

/** Policies that learn: they are never taken from runs before. */
export const LEARNING: readonly string[] = [OURS, ...Object.keys(ABLATIONS)];

export interface Choice {
  /** Absent: all but the ablations. */
  names?: readonly string[];
  ablations: boolean;
}

/** Our tuner, its ablations where asked for, our plan alone and all peers, or those of them that are named. */
export function comparedPolicies(
  training: readonly Scenario[],
  budget: { passes: number; seed: number },
  { names, ablations }: Choice,
): TwinPolicy[] {
  const isAsked = (name: string): boolean => names === undefined || names.includes(name);
  const ours = isAsked(OURS) ? [warmTuner(training, budget)] : [];
  const lesser = Object.entries(ablations ? ABLATIONS : {}).map(([name, options]) => ({
    ...warmTuner(training, budget, options),
    name,
  }));
  return [...ours, ...lesser, ...[planOnlyPolicy(), ...PEERS].filter(({ name }) => isAsked(name))];
}
