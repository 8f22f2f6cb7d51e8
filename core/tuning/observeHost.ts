import type { ProxySnapshot, ServiceCounters } from '../spec/observation.js';
import { bucketDelta } from './quantile.js';
import type { LatencyBucket } from './quantile.js';

export const COUNTERS = [
  'offered',
  'responses2xx',
  'responses4xx',
  'responses5xx',
  'rateLimited',
  'rateLimitWould',
  'breakerOverflow',
  'timeouts',
  'retries',
  'connectFailures',
] as const satisfies readonly (keyof ServiceCounters)[];
export type Counter = (typeof COUNTERS)[number];

/** What makes two readings comparable; what is absent is not asked. */
export interface ReadingRules {
  /** A longer window than this mixes too much to say anything. */
  maxWindowSeconds?: number;
  /** A newest reading older than this at the time of judgement is stale. */
  maxAgeSeconds?: number;
  /** The earlier reading must be of the same plan, where it says of which it is. */
  planHash?: string;
}

/** What one proxy did for one service between two snapshots. */
export interface ServiceDelta {
  counts: Readonly<Record<Counter, number>>;
  requestsByRegion: Readonly<Record<string, number>>;
  buckets: readonly LatencyBucket[];
  active: number;
  ready: number | null;
  seconds: number;
  /** When the newer of the two readings was taken, milliseconds since the epoch. */
  readAt: number;
}

export type HostDelta = { ok: true; services: ReadonlyMap<string, ServiceDelta> } | { ok: false; problem: string };

/** Clocks that are kept in step still differ by this much, and a gauge of seconds is a second late. */
const CLOCK_NOISE_SECONDS = 1;

/** What a proxy did between its two readings, or why nobody can tell. `atMs`: when that is asked. */
export function hostDelta(
  region: string,
  host: string,
  before: ProxySnapshot | undefined,
  after: ProxySnapshot | undefined,
  atMs: number,
  rules: ReadingRules,
): HostDelta {
  const refuse = (why: string): HostDelta => ({ ok: false, problem: `${host}: ${why}` });
  if (after === undefined) return refuse('did not answer');
  if (before === undefined) return refuse('no earlier reading to compare with');
  const unfit = misfit(before, after, atMs, rules);
  if (unfit !== null) return refuse(unfit);
  const seconds = (after.at - before.at) / 1000;
  const services = new Map<string, ServiceDelta>();
  for (const name of new Set([...Object.keys(before.services), ...Object.keys(after.services)])) {
    const from = before.services[name];
    const to = after.services[name];
    if (from === undefined || to === undefined) return refuse(`${name} is in one reading only`);
    const delta = serviceDelta(region, from, to);
    if (typeof delta === 'string') return refuse(`counters of ${name} ${delta}`);
    services.set(name, { ...delta, seconds, readAt: after.at });
  }
  return { ok: true, services };
}

/** Why these two readings say nothing about the time between them; `null`: they do. */
function misfit(before: ProxySnapshot, after: ProxySnapshot, atMs: number, rules: ReadingRules): string | null {
  const seconds = (after.at - before.at) / 1000;
  const ageSeconds = (atMs - after.at) / 1000;
  if (!Number.isFinite(seconds) || !Number.isFinite(ageSeconds)) return 'a reading without a time';
  if (seconds < 0) return `the clock went back by ${said(-seconds)} between the two readings`;
  if (seconds === 0) return 'no time passed between the two readings';
  if (ageSeconds < -CLOCK_NOISE_SECONDS) return `read ${said(-ageSeconds)} ahead of now: the clock went back`;
  const { maxWindowSeconds = Infinity, maxAgeSeconds = Infinity, planHash } = rules;
  if (ageSeconds > maxAgeSeconds)
    return `the newest reading is ${said(ageSeconds)} old, ${said(maxAgeSeconds)} at most`;
  if (seconds > maxWindowSeconds) {
    return `the earlier reading is ${said(seconds)} older than the newest, ${said(maxWindowSeconds)} at most: no baseline`;
  }
  if (planHash !== undefined && before.planHash !== undefined && before.planHash !== planHash) {
    return 'the earlier reading is of another plan: no baseline';
  }
  const { uptimeSeconds = Infinity } = after;
  const restarted = uptimeSeconds < seconds - CLOCK_NOISE_SECONDS;
  return restarted ? `restarted ${said(uptimeSeconds)} before the newest reading, within the window` : null;
}

/** The difference, or what is wrong with the two readings. */
function serviceDelta(
  region: string,
  before: ServiceCounters,
  after: ServiceCounters,
): Omit<ServiceDelta, 'seconds' | 'readAt'> | string {
  const wentDown = 'went down, the proxy restarted in between';
  const values = [before, after].flatMap((reading) => COUNTERS.map((name) => reading[name]));
  if (![...values, after.active].every(isCount)) return 'are not all numbers';
  const differences = COUNTERS.map((name) => [name, after[name] - before[name]] as const);
  if (differences.some(([, difference]) => difference < 0)) return wentDown;
  const buckets = bucketDelta(before.latencyBuckets, after.latencyBuckets);
  if (buckets === null) return wentDown;
  if (!buckets.every((bucket) => isCount(bucket.count))) return 'are not all numbers';
  const requestsByRegion: Record<string, number> = {};
  for (const key of new Set([...Object.keys(before.requestsByRegion), ...Object.keys(after.requestsByRegion)])) {
    const difference = (after.requestsByRegion[key] ?? 0) - (before.requestsByRegion[key] ?? 0);
    if (!isCount(difference)) return wentDown;
    requestsByRegion[key] = difference;
  }
  return {
    counts: Object.fromEntries(differences) as Record<Counter, number>,
    requestsByRegion,
    buckets,
    active: after.active,
    ready: readyOf(region, after),
  };
}

function readyOf(region: string, { healthyByRegion, healthyUnplanned }: ServiceCounters): number | null {
  const planned = healthyByRegion[region];
  return planned === undefined ? null : planned + (healthyUnplanned ?? 0);
}

function isCount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function said(seconds: number): string {
  return `${Number(seconds.toFixed(1))} s`;
}
