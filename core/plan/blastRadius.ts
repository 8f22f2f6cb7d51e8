import { oneLine } from '../spec/oneLine.js';
import type { MeshPlan, ServicePlan } from '../spec/plan.js';
import type { PlanDifference, ValueChange } from './explain/diffPlans.js';
import { diffPlans } from './explain/diffPlans.js';
import type { Fact, FactKind, PlanValue } from './explain/facts.js';
import { factsOf } from './explain/facts.js';
import { inForce } from './explain/timeline.js';
import { differenceInWords } from './explain/words.js';

/** How much of a region a plan changes against the one that runs. */
export interface BlastRadius {
  /** Share of the region's requests that go to services with a change, 0–100, one decimal, rounded up. */
  percent: number;
  /** Those services, the largest demand first; `summary` is its most urgent change in words. At most 20. */
  services: readonly { service: string; changes: number; summary: string }[];
}

/** The list lives in a workflow's state. */
const MAX_SERVICES = 20;
const MAX_SUMMARY = 160;

/** What changes what runs; demand and prices are told elsewhere, and change nothing by themselves. */
const MATERIAL: readonly string[] = ['service', 'admission', 'weights', 'failover', 'instances', 'limit', 'setting'];
/** Of these a number that hardly moves is the same. */
const STEADY: readonly string[] = ['instances', 'limit', 'setting'];

/**
 * Compares the plan that runs with the one that would take its place, over all windows. For the time that both cover,
 * values are compared moment by moment; later on, where the plan that runs says nothing, a value is a change where no
 * window of that plan has it. A number of a setting, or of instances, that moves by no more than `hysteresis` is the same.
 *
 * @param before `null`: nothing runs, everything changes
 * @param hysteresis share of the larger of the two numbers, 0–1, as `planning.hysteresis`
 */
export function blastRadius(before: MeshPlan | null, after: MeshPlan, hysteresis = 0): BlastRadius {
  const demands = peakDemands(before, after);
  const changed = before === null ? launched(after) : changesOf(before, after, hysteresis);
  const byDemand = [...changed].sort(([a], [b]) => (demands.get(b) ?? 0) - (demands.get(a) ?? 0) || (a < b ? -1 : 1));
  const services = byDemand.slice(0, MAX_SERVICES).map(([service, differences]) => {
    return { service, changes: differences.length, summary: summaryOf(service, differences) };
  });
  return { percent: percentOf(demands, changed), services };
}

type Changes = ReadonlyMap<string, readonly PlanDifference[]>;

function percentOf(demands: ReadonlyMap<string, number>, changed: Changes): number {
  if (changed.size === 0) return 0;
  const sum = (services: Iterable<string>): number =>
    [...services].reduce((total, service) => total + (demands.get(service) ?? 0), 0);
  const total = sum(demands.keys());
  const share = total > 0 ? sum(changed.keys()) / total : changed.size / demands.size;
  // Anything that changes is more than nothing, and what falls short of a bound is not let through by rounding.
  return Math.min(100, Math.max(0.1, Math.ceil(share * 1000 - 1e-9) / 10));
}

/** Of each service in its busiest window; of one that goes, as it was. rps. */
function peakDemands(before: MeshPlan | null, after: MeshPlan): Map<string, number> {
  const peaks = peaksOf(after);
  if (before === null) return peaks;
  const gone = [...peaksOf(before)].filter(([service]) => !peaks.has(service));
  return new Map([...peaks, ...gone]);
}

function peaksOf({ windows }: MeshPlan): Map<string, number> {
  const peaks = new Map<string, number>();
  for (const { services } of windows) {
    for (const { service, demand } of services) peaks.set(service, Math.max(peaks.get(service) ?? 0, demand.rps));
  }
  return peaks;
}

function launched(after: MeshPlan): Changes {
  const services = inForce(after)[0]?.services ?? new Map<string, ServicePlan>();
  return new Map(
    [...services.values()].map((one) => [one.service, [presence(one.service, { after: one.instances.value }, after)]]),
  );
}

function changesOf(before: MeshPlan, after: MeshPlan, hysteresis: number): Changes {
  const endMs = Date.parse(before.windows.at(-1)?.to ?? '');
  const startMs = Date.parse(after.windows[0]?.from ?? '');
  const shared = startMs < endMs ? diffPlans(before, after).filter((one) => isMaterial(one, hysteresis)) : [];
  const collected = new Map<string, PlanDifference[]>();
  const seen = new Set(shared.map((one) => one.address));
  const later = beyond(before, after, endMs, hysteresis).filter((one) => !seen.has(one.address));
  for (const difference of [...shared, ...later]) {
    const { service } = difference;
    if (service !== undefined) collected.set(service, [...(collected.get(service) ?? []), difference]);
  }
  return collected;
}

function isMaterial({ kind, address = '', changes }: PlanDifference, hysteresis: number): boolean {
  if (!MATERIAL.includes(kind) && !address.endsWith('.endpoints')) return false;
  return changes.some((change) => !isSame(kind, change.before, change.after, hysteresis));
}

function isSame(kind: string, a: PlanValue | undefined, b: PlanValue | undefined, hysteresis: number): boolean {
  if (typeof a === 'number' && typeof b === 'number' && STEADY.includes(kind)) {
    return Math.abs(a - b) <= hysteresis * Math.max(Math.abs(a), Math.abs(b));
  }
  if (typeof a === 'object' && typeof b === 'object') {
    const regions = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...regions].every((region) => (a[region] ?? 0) === (b[region] ?? 0));
  }
  return a === b;
}

/** Values of the new plan after the end of the other, that the other has at no time. */
function beyond(before: MeshPlan, after: MeshPlan, endMs: number, hysteresis: number): PlanDifference[] {
  const known = knownValues(before);
  const found = new Map<string, PlanDifference>();
  for (const { toMs, fromMs, services } of inForce(after)) {
    if (toMs <= endMs) continue;
    for (const plan of services.values()) {
      const values = known.get(plan.service);
      if (values === undefined) {
        found.set(plan.service, presence(plan.service, { after: plan.instances.value }, after));
        continue;
      }
      for (const fact of materialFacts(plan)) {
        const had = values.get(fact.address) ?? [];
        if (found.has(fact.address) || isKnown(fact, had, hysteresis)) continue;
        const before = had.at(-1);
        const span = { from: new Date(Math.max(fromMs, endMs)).toISOString(), to: new Date(toMs).toISOString() };
        found.set(
          fact.address,
          differenceOf(plan.service, fact, {
            ...span,
            ...(before === undefined ? {} : { before }),
            after: fact.value,
          }),
        );
      }
    }
  }
  return [...found.values()];
}

/** A number between the least and the greatest that ran is none that nobody has seen. */
function isKnown({ kind, value }: Fact, had: readonly PlanValue[], hysteresis: number): boolean {
  if (had.some((one) => isSame(kind, one, value, hysteresis))) return true;
  if (typeof value !== 'number' || !STEADY.includes(kind)) return false;
  const numbers = had.filter((one) => typeof one === 'number');
  return value >= Math.min(...numbers) && value <= Math.max(...numbers);
}

function knownValues(plan: MeshPlan): Map<string, Map<string, PlanValue[]>> {
  const known = new Map<string, Map<string, PlanValue[]>>();
  for (const { services } of plan.windows) {
    for (const one of services) {
      const values = known.get(one.service) ?? new Map<string, PlanValue[]>();
      known.set(one.service, values);
      for (const fact of materialFacts(one))
        values.set(fact.address, [...(values.get(fact.address) ?? []), fact.value]);
    }
  }
  return known;
}

function materialFacts(plan: ServicePlan): Fact[] {
  const facts = factsOf(plan).filter((fact) => MATERIAL.includes(fact.kind));
  if (facts.some((fact) => fact.kind === 'admission')) return facts;
  // Where a plan says nothing, everything is let in.
  const all = {
    kind: 'admission' as FactKind,
    address: `${plan.service}.admission`,
    unit: 'share',
    value: 1,
    reason: '',
  };
  return [...facts, all];
}

function presence(service: string, change: Pick<ValueChange, 'before' | 'after'>, plan: MeshPlan): PlanDifference {
  const span = { from: plan.windows[0]?.from ?? '', to: plan.windows.at(-1)?.to ?? '' };
  return {
    ...{ kind: 'service', direction: 'new', service, address: service, unit: 'count' },
    ...{ changes: [{ ...span, ...change }], allTheTime: true },
  };
}

function differenceOf(service: string, { kind, address, unit }: Fact, change: ValueChange): PlanDifference {
  return { kind, direction: 'changed', service, address, unit, changes: [change], allTheTime: false };
}

function summaryOf(service: string, differences: readonly PlanDifference[]): string {
  const [first] = differences;
  if (first === undefined) return '';
  const words = oneLine(differenceInWords(first)).slice(`${service}: `.length);
  const text = words.length > MAX_SUMMARY ? `${words.slice(0, MAX_SUMMARY - 1)}…` : words;
  return differences.length === 1 ? text : `${text}; and ${differences.length - 1} more`;
}
