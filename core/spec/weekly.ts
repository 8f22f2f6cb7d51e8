import type { TimeZone } from './timeZone.js';

/** A stretch of time, milliseconds since the epoch; `toMs` no longer belongs to it. */
export interface Span {
  fromMs: number;
  toMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
/** 1970-01-05, the first Monday of the epoch; a wall time. */
const MONDAY_MS = 4 * DAY_MS;
/** No zone is further from UTC, and none changes its offset by more than a day; together, with room. */
const REACH_MS = 2 * DAY_MS;

/** `Fri 16:00` → milliseconds since the beginning of the week, Monday 00:00; `null`: no time of the week. */
export function timeOfWeekMs(text: string): number | null {
  const match = /^(\w{3}) ([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  const day = DAYS.indexOf(match?.[1] ?? '');
  if (match === null || day < 0) return null;
  return day * DAY_MS + Number(match[2]) * HOUR_MS + Number(match[3]) * MINUTE_MS;
}

/**
 * Every occurrence, whole, that has a moment between `fromMs` and `toMs`: from one time of the week to the next other,
 * by the clocks of a place. It begins when those clocks first show its begin or a later time, and ends once they show
 * its end or a later time for good. So of an hour that comes twice it has both where it has one, and where the clocks
 * leave a time out it begins and ends with their jump.
 *
 * @param from e.g. `Fri 16:00`; other than `to`, otherwise nothing is found
 */
export function weeklySpans(weekly: { from: string; to: string }, zone: TimeZone, { fromMs, toMs }: Span): Span[] {
  const [begin, end] = [timeOfWeekMs(weekly.from), timeOfWeekMs(weekly.to)];
  if (begin === null || end === null || begin === end) return [];
  const lengthMs = (end - begin + WEEK_MS) % WEEK_MS;
  const spans: Span[] = [];
  // One that began in the week before may still last; the wall is at most REACH_MS from UTC.
  let week = Math.floor((fromMs - MONDAY_MS - REACH_MS) / WEEK_MS) - 1;
  for (; MONDAY_MS + week * WEEK_MS + begin < toMs + REACH_MS; week += 1) {
    const wallMs = MONDAY_MS + week * WEEK_MS + begin;
    const span = { fromMs: firstReached(wallMs, zone), toMs: lastReached(wallMs + lengthMs, zone) };
    if (span.fromMs < span.toMs && span.fromMs < toMs && span.toMs > fromMs) spans.push(span);
  }
  return spans;
}

/** When a place's clocks first show a wall time or a later one. */
function firstReached(wallMs: number, zone: TimeZone): number {
  const reached = steadyStretches(wallMs, zone).map(({ fromMs, toMs, offsetMs }) => {
    const atMs = Math.max(fromMs, wallMs - offsetMs);
    return atMs < toMs ? atMs : Infinity;
  });
  return Math.min(...reached);
}

/** From when on they show it or a later one, and none before it again. */
function lastReached(wallMs: number, zone: TimeZone): number {
  const reached = steadyStretches(wallMs, zone).map(({ fromMs, toMs, offsetMs }) => {
    const atMs = Math.min(toMs, wallMs - offsetMs);
    return atMs > fromMs ? atMs : -Infinity;
  });
  return Math.max(...reached);
}

/** The time around a wall time, cut where the offset changes. */
function steadyStretches(wallMs: number, zone: TimeZone): (Span & { offsetMs: number })[] {
  const [startMs, endMs] = [wallMs - REACH_MS, wallMs + REACH_MS];
  const offsets = [startMs, wallMs, endMs].map((ms) => zone.offsetMs(ms));
  const offsetMs = offsets[0] ?? 0;
  if (offsets.every((one) => one === offsetMs)) return [{ fromMs: startMs, toMs: endMs, offsetMs }];
  const cuts = [startMs];
  for (let ms = startMs; ms < endMs; ms += HOUR_MS) {
    if (zone.offsetMs(ms) !== zone.offsetMs(ms + HOUR_MS)) cuts.push(changeBetween(ms, ms + HOUR_MS, zone));
  }
  return cuts.map((fromMs, i) => ({ fromMs, toMs: cuts[i + 1] ?? endMs, offsetMs: zone.offsetMs(fromMs) }));
}

/** The first second with the new offset; offsets change on whole seconds. */
function changeBetween(beforeMs: number, afterMs: number, zone: TimeZone): number {
  const old = zone.offsetMs(beforeMs);
  let [low, high] = [Math.floor(beforeMs / 1000), Math.ceil(afterMs / 1000)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zone.offsetMs(middle * 1000) === old) low = middle;
    else high = middle;
  }
  return high * 1000;
}
