import { timeZoneNamed } from '../../../spec/timeZone.js';
import type { TimeZone } from '../../../spec/timeZone.js';
import type { Series } from '../../series.js';

/**
 * A series on the clock that people at its place live by. Its times are those of that clock, less the zone's offset at
 * the beginning: without a change of the clock in the span it is the very series that it was made from.
 */
export interface LocalSeries {
  series: Series;
  timeZone: string;
  /** Length of the series it was made from: its step `utcSteps` is the first one ahead. */
  utcSteps: number;
  /** Steps by which the clock is ahead of UTC, beyond what it was at the beginning; rising by step of UTC. */
  changes: readonly ClockChange[];
}

export interface ClockChange {
  /** First step in UTC, counted from the beginning of the series, with the new offset. */
  utcStep: number;
  /** Offset against the beginning of the series, in steps. */
  shiftSteps: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** No zone has changed its clock there and back within so short a time. */
const PROBE_MS = 7 * DAY_MS;
/** The first moments of a change are whole minutes. */
const EXACT_MS = 60_000;
/** Years that the calendar of zones is asked about: far beyond them rules are not known. */
const FIRST_MS = Date.UTC(1970, 0, 1);
const LAST_MS = Date.UTC(2100, 0, 1);

/**
 * Puts a series in UTC on the clock of an IANA zone, so that a daily season stays in place when the clock changes. The
 * hour that is skipped in spring is filled from the step before it with the shape of the day before, so that no value
 * depends on a later one; the hour that is there twice in autumn is averaged. Changes within `aheadSteps` behind the
 * series are noted for `fromLocalClock`. The series itself comes back where the clock does not change, where the step
 * does not divide the change (a day, two hours), and for a zone that `timeZoneNamed` does not know.
 */
export function toLocalClock(series: Series, timeZone: string, aheadSteps = 0): LocalSeries {
  const { startMs, stepMs, values } = series;
  const steps = values.length + aheadSteps;
  const zone = HOUR_MS % stepMs === 0 ? timeZoneNamed(timeZone) : null;
  const changes = zone === null ? null : changesOf(startMs, stepMs, steps, zone);
  if (changes === null || changes.length === 0) return { series, timeZone, utcSteps: values.length, changes: [] };
  const sums: number[] = [];
  const counts: number[] = [];
  const clock = { changes };
  for (const [step, value] of values.entries()) {
    const at = localStep(clock, step);
    // A clock set back at once at the beginning would point before it.
    if (at < 0) continue;
    sums[at] = (sums[at] ?? 0) + value;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const day = DAY_MS / stepMs;
  const local: number[] = [];
  for (let at = 0; at < sums.length; at++) {
    const count = counts[at] ?? 0;
    local.push(count > 0 ? (sums[at] ?? 0) / count : dayBefore(local, day));
  }
  return { series: { startMs, stepMs, values: local }, timeZone, utcSteps: values.length, changes };
}

/** Step of the local series that a step of UTC, counted from the beginning of the series, belongs to. */
function localStep({ changes }: Pick<LocalSeries, 'changes'>, utcStep: number): number {
  return utcStep + (changes.findLast((change) => change.utcStep <= utcStep)?.shiftSteps ?? 0);
}

/** A moment on the clock of the local series, for what has times of its own, such as events; milliseconds. */
export function localMs({ changes, series }: Pick<LocalSeries, 'changes' | 'series'>, utcMs: number): number {
  const step = Math.floor((utcMs - series.startMs) / series.stepMs);
  return utcMs + (localStep({ changes }, step) - step) * series.stepMs;
}

/** Steps that must be forecast on the local clock to answer `horizonSteps` of UTC. */
export function localHorizon(local: LocalSeries, horizonSteps: number): number {
  return Math.max(1, ...localLeads(local, horizonSteps).map((lead) => lead + 1));
}

/**
 * For each step ahead in UTC, the step ahead on the local clock that answers it, from 0: the hour that is there twice
 * comes twice, the one that is skipped is left out. Negative: the history itself has that step of the clock already.
 */
export function localLeads(local: LocalSeries, horizonSteps: number): number[] {
  const end = local.series.values.length;
  return Array.from({ length: horizonSteps }, (_, step) => localStep(local, local.utcSteps + step) - end);
}

/** Values ahead on the local clock, from its first step ahead, → the `horizonSteps` ahead in UTC. */
export function fromLocalClock(local: LocalSeries, ahead: readonly number[], horizonSteps: number): number[] {
  const { values } = local.series;
  return localLeads(local, horizonSteps).map((lead) => (lead < 0 ? values.at(lead) : ahead[lead]) ?? ahead.at(-1) ?? 0);
}

/** The level of the step before with the shape of the day before. */
function dayBefore(local: readonly number[], day: number): number {
  const last = local.at(-1) ?? 0;
  const then = local[local.length - day];
  const before = local[local.length - 1 - day];
  return then === undefined || before === undefined || before <= 0
    ? last
    : then * Math.min(2, Math.max(0.5, last / before));
}

/** `null`: a change that is not of whole steps. */
function changesOf(startMs: number, stepMs: number, steps: number, zone: TimeZone): ClockChange[] | null {
  const offsetAt = (ms: number): number => zone.offsetMs(ms);
  const [from, to] = [Math.max(FIRST_MS, startMs), Math.min(LAST_MS, startMs + steps * stepMs)];
  const changes: ClockChange[] = [];
  const first = offsetAt(from);
  let before = first;
  for (let low = from; low < to; low = Math.min(to, low + PROBE_MS)) {
    const high = Math.min(to, low + PROBE_MS);
    const after = offsetAt(high);
    if (after === before) continue;
    const atMs = changeBetween(low, high, offsetAt);
    const shiftSteps = (after - first) / stepMs;
    if (!Number.isInteger(shiftSteps)) return null;
    const utcStep = Math.ceil((atMs - startMs) / stepMs);
    if (utcStep < steps) changes.push({ utcStep, shiftSteps });
    before = after;
  }
  return changes;
}

/** First moment, to the minute, at which the offset is no longer that of `low`. */
function changeBetween(low: number, high: number, offsetAt: (ms: number) => number): number {
  const before = offsetAt(low);
  let [from, to] = [Math.floor(low / EXACT_MS), Math.ceil(high / EXACT_MS)];
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    if (offsetAt(middle * EXACT_MS) === before) from = middle;
    else to = middle;
  }
  return to * EXACT_MS;
}
