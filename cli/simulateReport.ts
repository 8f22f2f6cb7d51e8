import { planHash } from '../core/spec/hash.js';
import { differences, goodputOverTime, rowsOf, sloVerdicts } from '../core/simulate/compare.js';
import type { ComparedRow, Difference, SloVerdict } from '../core/simulate/compare.js';
import { demandOfWindow } from '../core/simulate/demandOf.js';
import { faultsFor } from '../core/simulate/faultsOf.js';
import type { DemandSource } from '../core/simulate/demandOf.js';
import type { TwinFault } from '../core/simulate/model.js';
import type { PolicyParams, PolicyRun, TwinPolicy } from '../core/simulate/policy.js';
import { simulate } from '../core/simulate/simulate.js';
import { entriesOf } from './simulatePlans.js';
import type { SimulatedPlan } from './simulatePlans.js';

/** Windows of a run at most: what a line of a terminal shows. */
const MOST_WINDOWS = 60;

export interface SimulationOptions {
  seed: number;
  seconds: number;
  speed: number;
  holdsWorker: boolean;
}

/** What `psmg simulate --format json` prints; docs/simulate.md describes it. Times in seconds of simulated time. */
export interface SimulationReport {
  version: 1;
  region: string;
  seed: number;
  seconds: number;
  speed: number;
  windowSeconds: number;
  holdsWorker: boolean;
  demand: { source: string; seconds: number | null; entries: { entry: string; meanRps: number }[] };
  faults: readonly TwinFault[];
  plans: PlanReport[];
  notKnown: readonly string[];
}

export interface PlanReport {
  plan: string;
  planHash: string;
  window: { from: string; to: string };
  /** What acted, with its parameters; absent where policies were not asked for: nothing did. */
  policy?: { name: string; params: PolicyParams };
  rows: ComparedRow[];
  /** To the first plan; empty for itself. */
  differences: Difference[];
  slo: SloVerdict[];
  /** Good share by window, `null` where none ended. */
  goodput: { entry: string; shares: (number | null)[] }[];
  /** Faults of what this plan does not run. */
  faultsLeftOut: number;
}

/** What a reader must know before believing a figure. */
export const NOT_KNOWN: readonly string[] = [
  'Beside real Envoys of three set-ups its latencies are within 15 % (docs/benchmarks.md): it ranks plans, it is no promise.',
  "Service times and workers are the region file's; calls to others come on top of a service's own time.",
  'Neighbours are what they are stated to spare; the run begins with every planned instance ready and no queue.',
  'CPU, memory, garbage collection, bandwidth, TLS, and health checks that fail because of load are not modelled.',
];

/**
 * Runs every plan, under every policy where some are named, with the same seed and demand: the same arrivals, and the
 * same work of each request. A policy has the first set of its parameters, and for a forecast what the plan was made for.
 */
export function simulationReport(
  plans: readonly SimulatedPlan[],
  { demand, source, seconds }: DemandSource,
  faults: readonly TwinFault[],
  options: SimulationOptions,
  policies: readonly TwinPolicy[] = [],
): SimulationReport {
  const windowSeconds = Math.max(1, Math.ceil(options.seconds / MOST_WINDOWS));
  const reports: PlanReport[] = [];
  const acting: readonly (TwinPolicy | undefined)[] = policies.length === 0 ? [undefined] : policies;
  for (const [simulated, policy] of plans.flatMap((plan) => acting.map((one) => [plan, one] as const))) {
    const { name, plan, region, window, model } = simulated;
    const own = faultsFor(faults, model);
    const result = simulate({
      ...underPolicy(simulated, policy, options.seed),
      ...{ demand, faults: own, seed: options.seed },
      ...{ durationMs: options.seconds * 1000, windowMs: windowSeconds * 1000 },
    });
    const rows = rowsOf(result, region.name);
    reports.push({
      ...{ plan: name, planHash: planHash(plan), window: { from: window.from, to: window.to } },
      ...(policy === undefined ? {} : { policy: { name: policy.name, params: firstOf(policy) } }),
      ...{ rows, differences: reports[0] === undefined ? [] : differences(reports[0].rows, rows) },
      slo: sloVerdicts(result, region),
      goodput: model.entries.map(({ name: entry }) => ({ entry, shares: goodputOverTime(result, entry) })),
      faultsLeftOut: faults.length - own.length,
    });
  }
  const first = reports[0]?.rows ?? [];
  return {
    ...{ version: 1, region: plans[0]?.region.name ?? '', ...options, windowSeconds },
    demand: {
      ...{ source, seconds: seconds ?? null },
      entries: first
        .filter(({ of }) => of === 'entry')
        .map(({ name, figures }) => ({ entry: name, meanRps: figures.offered / options.seconds })),
    },
    ...{ faults, plans: reports, notKnown: NOT_KNOWN },
  };
}

function underPolicy(
  { model, region, window }: SimulatedPlan,
  policy: TwinPolicy | undefined,
  seed: number,
): PolicyRun {
  if (policy === undefined) return { model };
  const forecast = demandOfWindow(window, entriesOf(region), undefined);
  return policy.create({
    model,
    seed,
    params: firstOf(policy),
    ...(forecast.ok ? { forecast: forecast.value.demand } : {}),
  });
}

function firstOf({ name, grid: [first] }: TwinPolicy): PolicyParams {
  if (first === undefined) throw new RangeError(`${name} has no parameters`);
  return first;
}

/** Of each plan the services that broke their SLO. */
export function brokenSlos({ plans }: SimulationReport): { plan: string; policy?: string; broken: SloVerdict }[] {
  return plans.flatMap(({ plan, policy, slo }) =>
    slo
      .filter(({ verdict }) => verdict === 'broken')
      .map((broken) => ({ plan, ...(policy === undefined ? {} : { policy: policy.name }), broken })),
  );
}
