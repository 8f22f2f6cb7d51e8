import type { RegionSpec } from '../spec/region.js';
import type { Counts, EntryResult, Refusals, ServiceResult, TwinResult, TwinSlice } from './result.js';

/** One row of the comparison: a way in (`entry`), or calls to a service from our own region (`service`). */
export interface ComparedRow {
  of: 'entry' | 'service';
  name: string;
  figures: Figures;
}

/** Counts are requests over the run; `null`: nothing to say it of. */
export interface Figures {
  offered: number;
  /** Of those offered, 0–1: an entry's answered within its deadline, a service's answered with success. */
  goodShare: number | null;
  p50Ms: number | null;
  p99Ms: number | null;
  /** By who refused. */
  refused: Omit<Refusals, 'retryBudget'>;
  refusedInAll: number;
  failed: number;
  timedOut: number;
  retries: number;
  /** Busy workers over workers, 0–1. Of a service. */
  utilisation: number | null;
  /** Hours of simulated time. Of a service. */
  instanceHours: number | null;
  /** Attempts sent to other regions. Of a service. */
  egress: number | null;
}

/** Figures that differences are made of. */
export const COMPARED = [
  'offered',
  'goodShare',
  'p50Ms',
  'p99Ms',
  'refusedInAll',
  'failed',
  'timedOut',
  'retries',
  'utilisation',
  'instanceHours',
  'egress',
] as const satisfies readonly (keyof Figures)[];

export type ComparedFigure = (typeof COMPARED)[number];

/** This plan's figure less the first plan's; `null` where one of the two has none. */
export interface Difference {
  of: ComparedRow['of'];
  name: string;
  figures: Readonly<Record<ComparedFigure, number | null>>;
}

/** A service against its SLO: over the run, and how many windows of it broke it by themselves. */
export interface SloVerdict {
  service: string;
  verdict: 'holds' | 'broken' | 'unseen';
  p99Ms: number | null;
  p99LimitMs: number;
  /** Refused, failed and timed out over all that ended, 0–1. */
  errorShare: number | null;
  errorLimit: number;
  windowsBroken: number;
  /** Windows in which any request of it ended. */
  windowsSeen: number;
}

/** Rows of one run: entries, then services of the region's own proxies, in the order of the model. */
export function rowsOf({ totals }: TwinResult, ownRegion: string): ComparedRow[] {
  return [
    ...totals.entries.map((one): ComparedRow => ({ of: 'entry', name: one.entry, figures: entryFigures(one) })),
    ...totals.services
      .filter(({ region }) => region === ownRegion)
      .map((one): ComparedRow => ({ of: 'service', name: one.service, figures: serviceFigures(one) })),
  ];
}

export function differences(first: readonly ComparedRow[], other: readonly ComparedRow[]): Difference[] {
  return other.map(({ of, name, figures }) => {
    const before = first.find((row) => row.of === of && row.name === name)?.figures;
    const less = (key: ComparedFigure): number | null => {
      const [a, b] = [before?.[key] ?? null, figures[key]];
      return a === null || b === null ? null : b - a;
    };
    const all = Object.fromEntries(COMPARED.map((key) => [key, less(key)])) as Record<ComparedFigure, number | null>;
    return { of, name, figures: all };
  });
}

export function sloVerdicts(result: TwinResult, region: RegionSpec): SloVerdict[] {
  return region.services.map(({ name, slo }): SloVerdict => {
    const own = (slice: TwinSlice): ServiceResult | undefined =>
      slice.services.find((one) => one.service === name && one.region === region.name);
    // A quantile that is over its limit by less than it may be wrong by is not known to be over it.
    const limits = { ...slo, p99Ms: slo.p99Ms * (1 + result.quantileError) };
    const judged = result.windows.map((window) => judge(own(window), limits)).filter((one) => one.verdict !== 'unseen');
    return {
      ...{ service: name, ...judge(own(result.totals), limits), p99LimitMs: slo.p99Ms, errorLimit: slo.maxErrorRate },
      windowsBroken: judged.filter(({ verdict }) => verdict === 'broken').length,
      windowsSeen: judged.length,
    };
  });
}

/** Of each window the share of what was offered that was answered within the deadline; `null` where nothing came. */
export function goodputOverTime(result: TwinResult, entry: string): (number | null)[] {
  return result.windows.map(({ entries }) => {
    const one = entries.find((row) => row.entry === entry);
    return one === undefined ? null : share(one.withinDeadline, endedOf(one));
  });
}

function judge(
  one: ServiceResult | undefined,
  slo: RegionSpec['services'][number]['slo'],
): Pick<SloVerdict, 'verdict' | 'p99Ms' | 'errorShare'> {
  const ended = one === undefined ? 0 : endedOf(one);
  if (one === undefined || ended === 0) return { verdict: 'unseen', p99Ms: null, errorShare: null };
  const errorShare = (ended - one.succeeded) / ended;
  const { p99Ms } = one.latency;
  const holds = errorShare <= slo.maxErrorRate && (p99Ms ?? 0) <= slo.p99Ms;
  return { verdict: holds ? 'holds' : 'broken', p99Ms, errorShare };
}

function entryFigures(one: EntryResult): Figures {
  const none = { utilisation: null, instanceHours: null, egress: null };
  return { ...countFigures(one, one.withinDeadline), ...none };
}

function serviceFigures(one: ServiceResult): Figures {
  const { utilisation, instanceSeconds, egress } = one;
  return { ...countFigures(one, one.succeeded), utilisation, instanceHours: instanceSeconds / 3600, egress };
}

type CountFigures = Omit<Figures, 'utilisation' | 'instanceHours' | 'egress'>;

function countFigures(one: EntryResult | ServiceResult, good: number): CountFigures {
  // A repeat that the budget did not allow is in no sum: its request counts under what its attempt failed with.
  const { retryBudget: _, ...refused } = one.refused;
  return {
    ...{ offered: one.offered, goodShare: share(good, one.offered) },
    ...{ p50Ms: one.latency.p50Ms, p99Ms: one.latency.p99Ms },
    ...{ refused, refusedInAll: refusedOf(one), failed: one.failed, timedOut: one.timedOut, retries: one.retries },
  };
}

/** Requests that ended, however. */
export function endedOf(one: Counts): number {
  return one.succeeded + one.failed + one.timedOut + refusedOf(one);
}

function refusedOf({ refused }: Counts): number {
  return Object.entries(refused).reduce((sum, [by, n]) => (by === 'retryBudget' ? sum : sum + Number(n)), 0);
}

function share(part: number, of: number): number | null {
  return of === 0 ? null : part / of;
}
