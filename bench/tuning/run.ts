import { createRandom } from '../../core/forecast/random.js';
import type { TwinDemand, TwinFault, TwinModel } from '../../core/simulate/model.js';
import type { PolicyParams, TwinPolicy } from '../../core/simulate/policy.js';
import type { TwinResult } from '../../core/simulate/result.js';
import { simulate } from '../../core/simulate/simulate.js';
import type { MeasureName, MedianInterval, RunMeasures } from './measures.js';
import { measuresOf, medianInterval, WINDOW_MS } from './measures.js';

/** A region under our plan, and what comes to it. */
export interface Scenario {
  /** What is tuned for by itself: an application. */
  group: string;
  name: string;
  /** 1: none. */
  surge: number;
  model: TwinModel;
  demand: TwinDemand;
  /** The median of what was forecast before. */
  forecast?: TwinDemand;
  faults?: readonly TwinFault[];
  durationMs: number;
  warmUpMs: number;
}

/** One policy in one scenario, over seeds that all policies share. */
export interface Cell {
  scenario: string;
  group: string;
  surge: number;
  policy: string;
  runs: readonly RunMeasures[];
}

/** Arrivals and work of each request hang on `seed` alone, so that policies see the same ones. */
export function runPolicy(scenario: Scenario, policy: TwinPolicy, params: PolicyParams, seed: number): TwinResult {
  const { model, demand, faults, durationMs, warmUpMs, forecast } = scenario;
  const input = { model, seed: Math.imul(seed, 7919) + 1, params, ...(forecast === undefined ? {} : { forecast }) };
  const run = policy.create(input);
  const rest = { demand, durationMs, warmUpMs, seed, windowMs: WINDOW_MS };
  return simulate({ ...run, ...rest, ...(faults === undefined ? {} : { faults }) });
}

export function measureRun(scenario: Scenario, policy: TwinPolicy, params: PolicyParams, seed: number): RunMeasures {
  return measuresOf(runPolicy(scenario, policy, params, seed), scenario.model);
}

/** How a run is measured: by running it, unless somebody knows already. */
export type Measure = typeof measureRun;

export interface Tuned {
  policy: string;
  group: string;
  params: PolicyParams;
  /** Mean reward in training. */
  reward: number;
  /** Of the grid, and how many points it has. */
  tried: number;
  of: number;
}

/**
 * The point of a policy's grid with the highest mean reward in training. Each policy may try `budget` points, its own
 * first one among them, the others drawn; with one point there is nothing to try. Equal ones: the earlier.
 */
export function tune(
  policy: TwinPolicy,
  training: readonly Scenario[],
  { budget, seed, measure = measureRun }: { budget: number; seed: number; measure?: Measure },
): Tuned {
  const candidates = drawn(policy.grid, budget, seed);
  const [first = {}] = candidates;
  const group = training[0]?.group ?? '';
  let best: Tuned = { policy: policy.name, group, params: first, reward: -Infinity, tried: 0, of: policy.grid.length };
  const isChoice = candidates.length > 1;
  for (const params of isChoice ? candidates : []) {
    const rewards = training.map((scenario) => measure(scenario, policy, params, seed).reward);
    const reward = rewards.reduce((sum, one) => sum + one, 0) / Math.max(1, rewards.length);
    if (reward > best.reward) best = { ...best, params, reward };
  }
  return { ...best, tried: isChoice ? candidates.length : 0 };
}

function drawn<T>(grid: readonly T[], budget: number, seed: number): T[] {
  const random = createRandom(seed);
  const [first, ...others] = grid;
  if (first === undefined) return [];
  const ranked = others.map((point) => ({ point, rank: random() })).sort((a, b) => a.rank - b.rank);
  return [first, ...ranked.slice(0, Math.max(0, budget - 1)).map(({ point }) => point)];
}

export interface CompareInput {
  scenarios: readonly Scenario[];
  /** Ready for a group; one that learns has learned on these by then. */
  policies: (training: readonly Scenario[]) => readonly TwinPolicy[];
  /** Scenarios to tune on, by group. */
  training: (group: string) => readonly Scenario[];
  seeds: readonly number[];
  budget: number;
  /** Points of it that a policy has had already: in runs it learned from. Absent: none. */
  spent?: (policy: string) => number;
  measure?: Measure;
  progress?: (text: string) => void;
}

export interface Compared {
  cells: readonly Cell[];
  tuned: readonly Tuned[];
}

/** Every policy in every scenario with every seed, each as tuned for the scenario's group. */
export function comparePolicies(input: CompareInput): Compared {
  const { scenarios, seeds, measure = measureRun, progress } = input;
  const seed = 1000 + (seeds[0] ?? 0);
  const tuned: Tuned[] = [];
  const cells: Cell[] = [];
  for (const group of new Set(scenarios.map((one) => one.group))) {
    const training = input.training(group);
    const policies = input.policies(training);
    const own = policies.map((policy) => {
      const budget = Math.max(1, input.budget - (input.spent?.(policy.name) ?? 0));
      return tune(policy, training, { budget, seed, measure });
    });
    tuned.push(...own);
    progress?.(`${group}: tuned`);
    for (const scenario of scenarios.filter((one) => one.group === group)) {
      policies.forEach((policy, i) => {
        const params = own[i]?.params ?? {};
        const runs = seeds.map((seed) => measure(scenario, policy, params, seed));
        cells.push({ scenario: scenario.name, group, surge: scenario.surge, policy: policy.name, runs });
      });
      progress?.(`${group}: ${scenario.name} × ${scenario.surge}`);
    }
  }
  return { cells, tuned };
}

export function interval({ runs }: Cell, measure: MeasureName): MedianInterval {
  return medianInterval(
    runs.map((run) => run[measure]),
    1,
  );
}
