import type { MeshPlan, ServicePlan } from '../../spec/plan.js';
import type { Fact, FactKind, PlanValue } from './facts.js';
import { FACT_KINDS, factsOf, shownNumber } from './facts.js';
import type { Stretch } from './timeline.js';
import { commonStretches } from './timeline.js';

/** One value in a stretch of time. `before` or `after` is absent where only one of the plans has the value. */
export interface ValueChange {
  /** ISO 8601, UTC; demand time. */
  from: string;
  to: string;
  before?: PlanValue;
  after?: PlanValue;
  /** Why it is what it will be. */
  reason?: string;
}

export type DifferenceKind = 'warning' | 'service' | 'horizon' | 'windows' | FactKind;

/** What changes between two plans about one value, over all the time that both cover. */
export interface PlanDifference {
  kind: DifferenceKind;
  /** `both`: up at one time, down at another. `changed`: it has no direction. */
  direction: 'new' | 'gone' | 'up' | 'down' | 'both' | 'changed';
  /** Absent: of the plan as a whole. */
  service?: string;
  address?: string;
  unit?: string;
  /** By time, only where the two differ. At least one, unless it is about a text. */
  changes: readonly ValueChange[];
  /** The change holds, as it is, for all the time that both plans cover. */
  allTheTime: boolean;
  /** Of a warning: its words. */
  text?: string;
}

/** Of the plan as a whole, the most urgent first, with what is told of services between the two lists. */
const ORDER: readonly DifferenceKind[] = ['warning', 'service', ...FACT_KINDS, 'horizon', 'windows'];

/**
 * What changes when `after` takes the place of `before`: empty when nothing does. Windows may have been cut at other
 * times: values are compared by time. Warnings come first, then service by service, the most urgent change first; what
 * a person would read as the same is left out.
 */
export function diffPlans(before: MeshPlan, after: MeshPlan): PlanDifference[] {
  const stretches = commonStretches(before, after);
  const plansOwn = [...warnings(before, after), ...horizon(before, after), ...windows(before, after, stretches)];
  const services = [...new Set(stretches.flatMap((one) => [...one.before.keys(), ...one.after.keys()]))];
  const ofServices = services
    .map((service) => serviceDifferences(service, stretches))
    .filter((list) => list.length > 0);
  const first = (list: readonly PlanDifference[]): number => rank(list[0]);
  const size = (list: readonly PlanDifference[]): number => (list[0] === undefined ? 0 : magnitude(list[0]));
  ofServices.sort((a, b) => first(a) - first(b) || size(b) - size(a) || compare(a[0]?.service, b[0]?.service));
  const urgent = plansOwn.filter((one) => one.kind === 'warning');
  return [...urgent, ...ofServices.flat(), ...plansOwn.filter((one) => one.kind !== 'warning')];
}

function rank(difference: PlanDifference | undefined): number {
  return difference === undefined ? ORDER.length : ORDER.indexOf(difference.kind);
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : Number(a > b);
}

function warnings(before: MeshPlan, after: MeshPlan): PlanDifference[] {
  const only = (plan: MeshPlan, other: MeshPlan): string[] =>
    plan.warnings.filter((text) => !other.warnings.includes(text));
  const told = (text: string, direction: 'new' | 'gone'): PlanDifference => {
    return { kind: 'warning', direction, changes: [], allTheTime: true, text };
  };
  return [
    ...only(after, before).map((text) => told(text, 'new')),
    ...only(before, after).map((text) => told(text, 'gone')),
  ];
}

function horizon(before: MeshPlan, after: MeshPlan): PlanDifference[] {
  const span = (plan: MeshPlan): string => `${plan.windows[0]?.from ?? ''}/${plan.windows.at(-1)?.to ?? ''}`;
  if (span(before) === span(after)) return [];
  const change = { from: after.windows[0]?.from ?? '', to: after.windows.at(-1)?.to ?? '' };
  const changes = [{ ...change, before: span(before), after: span(after) }];
  return [{ kind: 'horizon', direction: 'changed', changes, allTheTime: true }];
}

/** Times inside of what both cover at which only one of the plans changes. */
function windows(before: MeshPlan, after: MeshPlan, stretches: readonly Stretch[]): PlanDifference[] {
  const [start = 0, end = 0] = [stretches[0]?.fromMs, stretches.at(-1)?.toMs];
  const begins = (plan: MeshPlan): number[] => plan.windows.map((window) => Date.parse(window.from));
  const only = (plan: MeshPlan, other: MeshPlan): ValueChange[] =>
    begins(plan)
      .filter((ms) => ms > start && ms < end && !begins(other).includes(ms))
      .map((ms) => ({ from: instant(ms), to: instant(ms) }));
  const told = (changes: readonly ValueChange[], direction: 'new' | 'gone'): PlanDifference[] =>
    changes.length === 0 ? [] : [{ kind: 'windows', direction, changes, allTheTime: false }];
  return [...told(only(after, before), 'new'), ...told(only(before, after), 'gone')];
}

function serviceDifferences(service: string, stretches: readonly Stretch[]): PlanDifference[] {
  const collected = new Map<string, { fact: Told; changes: ValueChange[] }>();
  for (const stretch of stretches) {
    for (const { fact, before, after } of changedFacts(stretch.before.get(service), stretch.after.get(service))) {
      const found = collected.get(fact.address) ?? { fact, changes: [] };
      collected.set(fact.address, found);
      append(found.changes, stretch, { before, after, reason: fact.reason });
    }
  }
  const all = { from: instant(stretches[0]?.fromMs ?? 0), to: instant(stretches.at(-1)?.toMs ?? 0) };
  const differences = [...collected.values()].map(({ fact, changes }) => difference(service, fact, changes, all));
  return differences.filter(isTold(differences)).sort((a, b) => rank(a) - rank(b));
}

/** A range moves along with its setting, and addresses with the count: they are told only where they move alone. */
function isTold(all: readonly PlanDifference[]): (one: PlanDifference) => boolean {
  const addresses = new Set(all.map((one) => one.address));
  return ({ address = '' }) => {
    const leader = address.replace('.bounds.', '.').replace(/\.endpoints$/, '.instances');
    return leader === address || !addresses.has(leader);
  };
}

type Told = Omit<Fact, 'kind'> & { kind: DifferenceKind };

interface Changed {
  fact: Told;
  before: PlanValue | undefined;
  after: PlanValue | undefined;
}

/** What holds where a plan says nothing. */
const ASSUMED: Readonly<Partial<Record<FactKind, PlanValue>>> = { admission: 1 };

function changedFacts(before: ServicePlan | undefined, after: ServicePlan | undefined): Changed[] {
  if (isAlike(before, after)) return [];
  if (before === undefined || after === undefined) return [presence(before, after)];
  const [old, young] = [before, after].map((plan) => new Map(factsOf(plan).map((fact) => [fact.address, fact])));
  return [...new Map([...(old ?? []), ...(young ?? [])]).values()].flatMap((fact) => {
    const assumed = ASSUMED[fact.kind];
    const [was, is] = [old?.get(fact.address)?.value ?? assumed, young?.get(fact.address)?.value ?? assumed];
    return shownValue(was) === shownValue(is) ? [] : [{ fact, before: was, after: is }];
  });
}

/** Of a large plan most is as it was: seen by its values alone, long before it is worded. */
function isAlike(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [a, b] as Readonly<Record<string, unknown>>[];
  const inner = (key: string): boolean => key === 'reason' || key === 'inputs' || isAlike(left?.[key], right?.[key]);
  return Object.keys(a).every(inner) && Object.keys(b).every((key) => key in a);
}

function presence(before: ServicePlan | undefined, after: ServicePlan | undefined): Changed {
  const { service = '' } = after ?? before ?? {};
  const fact: Told = {
    kind: 'service',
    address: service,
    unit: 'count',
    value: 0,
    reason: after?.instances.reason ?? '',
  };
  return { fact, before: before?.instances.value, after: after?.instances.value };
}

function append(
  changes: ValueChange[],
  { fromMs, toMs }: Stretch,
  what: Omit<Changed, 'fact'> & { reason: string },
): void {
  const last = changes.at(-1);
  const same =
    shownValue(last?.before) === shownValue(what.before) && shownValue(last?.after) === shownValue(what.after);
  if (last !== undefined && same && last.to === instant(fromMs)) {
    changes[changes.length - 1] = { ...last, to: instant(toMs) };
    return;
  }
  changes.push({
    from: instant(fromMs),
    to: instant(toMs),
    ...(what.before === undefined ? {} : { before: what.before }),
    ...(what.after === undefined ? {} : { after: what.after }),
    ...(what.reason === '' ? {} : { reason: what.reason }),
  });
}

function difference(
  service: string,
  fact: Told,
  changes: readonly ValueChange[],
  all: { from: string; to: string },
): PlanDifference {
  const [only] = changes;
  const allTheTime = changes.length === 1 && only?.from === all.from && only.to === all.to;
  return {
    kind: fact.kind,
    direction: directionOf(changes),
    service,
    address: fact.address,
    unit: fact.unit,
    changes,
    allTheTime,
  };
}

function directionOf(changes: readonly ValueChange[]): PlanDifference['direction'] {
  const signs = new Set(changes.map(signOf));
  const [only] = signs;
  if (signs.size === 1 && only !== undefined) return only;
  return signs.size === 2 && signs.has('up') && signs.has('down') ? 'both' : 'changed';
}

function signOf({ before, after }: ValueChange): PlanDifference['direction'] {
  if (before === undefined) return 'new';
  if (after === undefined) return 'gone';
  if (typeof before !== 'number' || typeof after !== 'number') return 'changed';
  return after > before ? 'up' : 'down';
}

/** How much a value moves, as a fraction of what it was: of several moves, the greatest. 1 for what has no size. */
export function magnitude({ changes }: PlanDifference): number {
  return Math.max(0, ...changes.map(moveOf));
}

/** Of shares: the part that goes elsewhere. */
export function moveOf({ before, after }: ValueChange): number {
  if (typeof before === 'number' && typeof after === 'number')
    return Math.abs(after - before) / Math.max(Math.abs(before), 1e-9);
  if (typeof before !== 'object' || typeof after !== 'object') return 1;
  const regions = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...regions].reduce((sum, region) => sum + Math.max(0, (after[region] ?? 0) - (before[region] ?? 0)), 0) / 100;
}

/** As it is compared and shown: numbers to four digits; of shares, those that are not nought. */
export function shownValue(value: PlanValue | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return shownNumber(value);
  if (typeof value === 'string') return value;
  const shares = Object.entries(value).filter(([, share]) => share !== 0);
  return shares
    .map(([region, share]) => `${region} ${shownNumber(share)}`)
    .sort()
    .join(', ');
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
