import type { TimeZone } from '../../spec/timeZone.js';
import { UTC, timeZoneNamed, utcOfWall } from '../../spec/timeZone.js';
import type { IcalComponent, IcalProperty } from './icalText.js';
import { readRule, ruleDays } from './recurrence.js';

/** A DATE or DATE-TIME: what the clocks of its zone show. */
export interface IcalTime {
  /** Milliseconds, as if it were UTC. */
  wallMs: number;
  zone: TimeZone;
  /** A whole day. */
  isDate: boolean;
}

export const DAY_MS = 86_400_000;

export function momentMs({ wallMs, zone }: IcalTime): number {
  return utcOfWall(wallMs, zone);
}

export type ZoneLookup = (name: string) => TimeZone | null;

/**
 * One value of a property as a time, or why it is none. Dates and times without a zone are those of `local`.
 */
export function timeOf(property: IcalProperty, value: unknown, local: TimeZone, zones: ZoneLookup): IcalTime | string {
  const wall = wallOf(value);
  if (wall === null) return `"${shown(value)}" is no time`;
  if (wall.isDate) return { wallMs: wall.wallMs, zone: local, isDate: true };
  if (wall.isUtc) return { wallMs: wall.wallMs, zone: UTC, isDate: false };
  const name = property.parameters['tzid'];
  if (typeof name !== 'string') return { wallMs: wall.wallMs, zone: local, isDate: false };
  const zone = zones(name);
  return zone === null
    ? `names the time zone "${name.slice(0, 60)}", which the file does not define`
    : { wallMs: wall.wallMs, zone, isDate: false };
}

/** Milliseconds of a wall time of jCal from 1600 (where Outlook's zones begin) to 2999, `2026-03-01` or `2026-03-01T08:00:00`, with `Z` in UTC; `null`: no such time. */
export function wallOf(value: unknown): { wallMs: number; isDate: boolean; isUtc: boolean } | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(Z?))?$/.exec(String(value));
  if (match === null) return null;
  const part = (index: number): number => Number(match[index] ?? 0);
  const day = Date.UTC(part(1), part(2) - 1, part(3));
  const real = new Date(day).getUTCDate() === part(3) && new Date(day).getUTCMonth() + 1 === part(2);
  // A leap second, 60, is allowed by RFC 5545 and read as the one after it.
  if (!real || part(1) < 1600 || part(1) > 2999 || part(4) > 23 || part(5) > 59 || part(6) > 60) return null;
  const wallMs = day + ((part(4) * 60 + part(5)) * 60 + part(6)) * 1000;
  return { wallMs, isDate: match[4] === undefined, isUtc: match[7] === 'Z' };
}

/** Milliseconds of a DURATION (`P1DT2H`, `-PT15M`), or `null`. */
export function durationMs(value: unknown): number | null {
  const match = /^([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(String(value));
  if (match === null) return null;
  const part = (index: number): number => Number(match[index] ?? 0);
  const hours = (part(2) * 7 + part(3)) * 24 + part(4);
  return (match[1] === '-' ? -1 : 1) * ((hours * 60 + part(5)) * 60 + part(6)) * 1000;
}

export function shown(value: unknown): string {
  return String(value).slice(0, 40);
}

interface Onset {
  utcMs: number;
  beforeMs: number;
  afterMs: number;
}

/** Years of changes of a zone that a file defines: more than a window of history and horizon spans. */
const FIRST_DAY = Date.UTC(1970, 0) / DAY_MS;

/**
 * Time zones by their TZID: those of the IANA database as it has them, others by the file's own VTIMEZONE, whose rules
 * are followed up to `untilMs`.
 */
export function zonesOf(calendars: readonly IcalComponent[], untilMs: number): ZoneLookup {
  const own = new Map<string, TimeZone>();
  for (const component of calendars.flatMap((calendar) => calendar.components)) {
    if (component.name !== 'VTIMEZONE' || component.broken) continue;
    const name = first(component, 'tzid');
    const zone = typeof name === 'string' ? zoneOf(name, component, untilMs) : null;
    if (zone !== null) own.set(zone.name, zone);
  }
  const known = new Map<string, TimeZone | null>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const zone = timeZoneNamed(name) ?? own.get(name) ?? null;
    known.set(name, zone);
    return zone;
  };
}

function zoneOf(name: string, component: IcalComponent, untilMs: number): TimeZone | null {
  const onsets = component.components.flatMap((part) => onsetsOf(part, untilMs)).sort((a, b) => a.utcMs - b.utcMs);
  const [earliest] = onsets;
  if (earliest === undefined) return null;
  const offsetMs = (utcMs: number): number =>
    onsets.findLast((onset) => onset.utcMs <= utcMs)?.afterMs ?? earliest.beforeMs;
  return { name, offsetMs };
}

function onsetsOf(part: IcalComponent, untilMs: number): Onset[] {
  const start = wallOf(first(part, 'dtstart'));
  const beforeMs = offsetOf(first(part, 'tzoffsetfrom'));
  const afterMs = offsetOf(first(part, 'tzoffsetto'));
  if (start === null || beforeMs === null || afterMs === null) return [];
  const { wallMs } = start;
  const walls = [wallMs, ...part.properties.filter(({ name }) => name === 'rdate').flatMap(rdates)];
  const recur = first(part, 'rrule');
  const rule = recur === undefined ? 'none' : readRule(recur);
  if (typeof rule !== 'string') {
    const until = wallOf((recur as Readonly<Record<string, unknown>>)['until']);
    const startDay = Math.floor(wallMs / DAY_MS);
    const lastDay = Math.floor(Math.min(untilMs, until?.wallMs ?? untilMs) / DAY_MS) + 1;
    for (const day of ruleDays(rule, startDay, Math.max(startDay, FIRST_DAY), lastDay)) {
      walls.push(day * DAY_MS + (wallMs - startDay * DAY_MS));
    }
  }
  return walls.map((wall) => ({ utcMs: wall - beforeMs, beforeMs, afterMs }));
}

function rdates({ values }: IcalProperty): number[] {
  return values.flatMap((value) => wallOf(value)?.wallMs ?? []);
}

/** `+01:00`, as jCal writes an offset. */
function offsetOf(value: unknown): number | null {
  const match = /^([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(String(value));
  if (match === null) return null;
  const seconds = (Number(match[2]) * 60 + Number(match[3])) * 60 + Number(match[4] ?? 0);
  return (match[1] === '-' ? -1 : 1) * seconds * 1000;
}

export function first(component: IcalComponent, name: string): unknown {
  return component.properties.find((property) => property.name === name)?.values[0];
}
