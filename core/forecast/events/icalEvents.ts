import type { Problem } from '../../spec/problem.js';
import type { EventSpec } from '../../spec/region.js';
import type { TimeZone } from '../../spec/timeZone.js';
import type { EventsRead, EventsWindow } from './eventsFile.js';
import { fieldsOf } from './icalFields.js';
import type { IcalComponent, IcalProperty } from './icalText.js';
import { readIcalText } from './icalText.js';
import type { IcalTime, ZoneLookup } from './icalTime.js';
import { DAY_MS, durationMs, first, momentMs, shown, timeOf, wallOf, zonesOf } from './icalTime.js';
import type { RecurrenceRule } from './recurrence.js';
import { readRule, ruleDays } from './recurrence.js';

/** Days of rules looked at for one file, about a second of work: a calendar from outside must not keep a worker busy. */
const MAX_RULE_DAYS = 500_000;
const MAX_EVENTS = 10_000;
const MAX_LENGTH_MS = 3660 * DAY_MS;
/** Where no window says how far to look. */
const ZONES_UNTIL_MS = Date.UTC(2100, 0);

interface Reader {
  local: TimeZone;
  zones: ZoneLookup;
  window: EventsWindow | undefined;
  events: EventSpec[];
  sound: number;
  ids: Set<string>;
  ruleDaysLeft: number;
  tell(component: IcalComponent, field: string, message: string, fix?: string): void;
  note(component: IcalComponent, message: string): void;
}

/**
 * Events of an iCalendar text. SUMMARY (else UID) becomes the id, with the day behind it where it repeats; the kind is
 * X-PSMG-KIND, else the first of CATEGORIES in small letters, else `event`; X-PSMG-SERVICES and X-PSMG-REGIONS are
 * lists by `,` or `;`, X-PSMG-UPLIFT, X-PSMG-CHANNEL and X-PSMG-BUDGET as in a CSV. Days and times without a zone are
 * those of `zone`. RRULE, RDATE and EXDATE are followed and events replaced by RECURRENCE-ID; of all only what touches
 * the window is kept. Never throws.
 */
export function readIcalEvents(text: string, file: string, zone: TimeZone, window?: EventsWindow): EventsRead {
  const { calendars, problems: syntax } = readIcalText(text, file);
  const problems: Problem[] = [...syntax];
  const notes: string[] = [];
  if (calendars.length === 0 && problems.length === 0) {
    problems.push({ code: 'ical-syntax', file, field: '(file)', message: 'holds no calendar (BEGIN:VCALENDAR)' });
  }
  const reader: Reader = {
    local: zone,
    zones: zonesOf(calendars, window?.toMs ?? ZONES_UNTIL_MS),
    window,
    events: [],
    sound: 0,
    ids: new Set(),
    ruleDaysLeft: MAX_RULE_DAYS,
    tell: ({ line }, field, message, fix) =>
      problems.push({ code: 'bad-value', file, line, field, message, ...(fix === undefined ? {} : { fix }) }),
    note: ({ line }, message) => notes.push(`${file}:${line} ${message}`),
  };
  const components = calendars
    .flatMap((calendar) => calendar.components)
    .filter((c) => c.name === 'VEVENT' && !c.broken);
  const replaced = replacedMoments(components, reader);
  for (const component of components) readEvent(component, replaced, reader);
  if (reader.events.length >= MAX_EVENTS) notes.push(`${file}: only the first ${MAX_EVENTS} events were taken`);
  return { events: reader.events, sound: reader.sound, problems, notes };
}

/** Moments of a repeating event that another VEVENT of the same UID replaces. */
function replacedMoments(
  components: readonly IcalComponent[],
  reader: Reader,
): ReadonlyMap<string, ReadonlySet<number>> {
  const replaced = new Map<string, Set<number>>();
  for (const component of components) {
    const property = find(component, 'recurrence-id');
    if (property === undefined) continue;
    const time = timeOf(property, property.values[0], reader.local, reader.zones);
    const uid = String(first(component, 'uid'));
    if (typeof time !== 'string') replaced.set(uid, (replaced.get(uid) ?? new Set()).add(momentMs(time)));
  }
  return replaced;
}

interface Span {
  start: IcalTime;
  /** Of the wall clock where both ends are in one zone: a day of 23 hours stays a day. */
  lengthMs: number;
  byWall: boolean;
}

function readEvent(component: IcalComponent, replaced: ReadonlyMap<string, ReadonlySet<number>>, reader: Reader): void {
  if (/^cancelled$/i.test(String(first(component, 'status') ?? ''))) return;
  const span = spanOf(component, reader);
  const fields = fieldsOf(component, (field, message) => reader.tell(component, field, message));
  if (span === null || fields === null) return;
  reader.sound++;
  if (span.lengthMs === 0) return reader.note(component, `"${fields.name}" has no length and was left out`);
  const repeats = find(component, 'rrule') !== undefined || find(component, 'rdate') !== undefined;
  const skipped =
    find(component, 'recurrence-id') === undefined ? replaced.get(String(first(component, 'uid'))) : undefined;
  for (const start of repeats ? occurrences(component, span, reader) : [span.start]) {
    const startMs = momentMs(start);
    const endMs = span.byWall ? momentMs({ ...start, wallMs: start.wallMs + span.lengthMs }) : startMs + span.lengthMs;
    const { window } = reader;
    const outside = window !== undefined && (endMs <= window.fromMs || startMs >= window.toMs);
    if (outside || endMs <= startMs || skipped?.has(startMs) === true) continue;
    if (reader.events.length >= MAX_EVENTS) return;
    const id = ownId(fields.name, repeats, start, reader.ids);
    const times = { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
    reader.events.push({ id, kind: fields.kind, ...times, ...fields.rest });
  }
}

function ownId(name: string, repeats: boolean, start: IcalTime, ids: Set<string>): string {
  const dated = `${name} ${new Date(start.wallMs).toISOString().slice(0, 10)}`;
  let id = repeats || ids.has(name) ? dated : name;
  for (let n = 2; ids.has(id); n++) id = `${dated} #${n}`;
  ids.add(id);
  return id;
}

function spanOf(component: IcalComponent, reader: Reader): Span | null {
  const refuse = (field: string, message: string): null => {
    reader.tell(component, field, message);
    return null;
  };
  const from = find(component, 'dtstart');
  if (from === undefined) return refuse('DTSTART', 'is missing');
  const start = timeOf(from, from.values[0], reader.local, reader.zones);
  if (typeof start === 'string') return refuse('DTSTART', start);
  const to = find(component, 'dtend');
  if (to !== undefined) {
    const end = timeOf(to, to.values[0], reader.local, reader.zones);
    if (typeof end === 'string') return refuse('DTEND', end);
    const byWall = end.zone.name === start.zone.name;
    const lengthMs = byWall ? end.wallMs - start.wallMs : momentMs(end) - momentMs(start);
    if (lengthMs < 0) return refuse('DTEND', 'is before the start');
    return lengthMs > MAX_LENGTH_MS ? refuse('DTEND', 'is more than ten years later') : { start, lengthMs, byWall };
  }
  const written = first(component, 'duration');
  if (written === undefined) return { start, lengthMs: start.isDate ? DAY_MS : 0, byWall: true };
  const lengthMs = durationMs(written);
  if (lengthMs === null || lengthMs < 0) return refuse('DURATION', `"${shown(written)}" is no length of time`);
  if (lengthMs > MAX_LENGTH_MS) return refuse('DURATION', 'is longer than ten years');
  return { start, lengthMs, byWall: true };
}

function occurrences(component: IcalComponent, span: Span, reader: Reader): IcalTime[] {
  const { start } = span;
  const walls = new Set<number>(find(component, 'rdate') === undefined ? [] : [start.wallMs]);
  for (const property of component.properties) {
    if (property.name === 'rdate') {
      for (const value of property.values) {
        // Of a period only its start is taken: the event's own length holds.
        const time = timeOf(property, Array.isArray(value) ? value[0] : value, reader.local, reader.zones);
        if (typeof time === 'string') reader.tell(component, 'RDATE', time);
        else walls.add(wallIn(start, momentMs(time), time));
      }
    } else if (property.name === 'rrule') {
      for (const wallMs of byRule(component, property.values[0], span, reader)) walls.add(wallMs);
    }
  }
  const excluded = excludedBy(component, reader);
  const times = [...walls].sort((a, b) => a - b).map((wallMs): IcalTime => ({ ...start, wallMs }));
  return times.filter((time) => !excluded.moments.has(momentMs(time)) && !excluded.days.has(dayOf(time.wallMs)));
}

function wallIn(start: IcalTime, utcMs: number, time: IcalTime): number {
  if (time.isDate) return time.wallMs + (start.wallMs - dayOf(start.wallMs) * DAY_MS);
  return utcMs + start.zone.offsetMs(utcMs);
}

function excludedBy(component: IcalComponent, reader: Reader): { moments: Set<number>; days: Set<number> } {
  const moments = new Set<number>();
  const days = new Set<number>();
  for (const property of component.properties.filter(({ name }) => name === 'exdate')) {
    for (const value of property.values) {
      const time = timeOf(property, value, reader.local, reader.zones);
      if (typeof time === 'string') reader.tell(component, 'EXDATE', time);
      else if (time.isDate) days.add(dayOf(time.wallMs));
      else moments.add(momentMs(time));
    }
  }
  return { moments, days };
}

function byRule(component: IcalComponent, recur: unknown, span: Span, reader: Reader): number[] {
  const rule = readRule(recur);
  if (typeof rule === 'string') {
    reader.tell(component, 'RRULE', rule, 'list the times by RDATE, or as events of their own');
    return [];
  }
  const until = (recur as Readonly<Record<string, unknown>>)['until'];
  const last = until === undefined ? undefined : wallOf(until);
  if (last === null) reader.tell(component, 'RRULE', `UNTIL "${shown(until)}" is no time`);
  if (last === null) return [];
  const { start } = span;
  const startDay = dayOf(start.wallMs);
  const days = dayRange(rule, span, last?.wallMs, reader.window);
  if (days === null) {
    reader.tell(component, 'RRULE', 'repeats without end', 'add UNTIL or COUNT');
    return [];
  }
  const looked = days.to - (rule.count === undefined ? days.from : startDay) + 1;
  reader.ruleDaysLeft -= Math.max(0, looked);
  if (reader.ruleDaysLeft < 0) {
    reader.tell(component, 'RRULE', 'begins too long ago, with too many others, to be followed', 'let it begin later');
    return [];
  }
  const walls = [...ruleDays(rule, startDay, days.from, days.to)].map(
    (day) => start.wallMs + (day - startDay) * DAY_MS,
  );
  return walls.filter((wallMs) => last === undefined || !isAfter({ ...start, wallMs }, last));
}

function isAfter(time: IcalTime, until: { wallMs: number; isDate: boolean; isUtc: boolean }): boolean {
  if (until.isDate || time.isDate) return dayOf(time.wallMs) > dayOf(until.wallMs);
  return (until.isUtc ? momentMs(time) : time.wallMs) > until.wallMs;
}

/** A zone's clocks are never further than this from UTC. */
const ZONE_DAYS = 1;

const PERIOD_DAYS = { DAILY: 1, WEEKLY: 7, MONTHLY: 31, YEARLY: 366 } as const;
const MAX_COUNTED_DAYS = 40_000;

function dayRange(
  rule: RecurrenceRule,
  { start, lengthMs }: Span,
  untilMs: number | undefined,
  window: EventsWindow | undefined,
): { from: number; to: number } | null {
  const startDay = dayOf(start.wallMs);
  const lengthDays = Math.ceil(lengthMs / DAY_MS);
  const from = window === undefined ? startDay : Math.max(startDay, dayOf(window.fromMs) - lengthDays - ZONE_DAYS);
  const ends = [window?.toMs, untilMs].filter((end) => end !== undefined).map((end) => dayOf(end) + ZONE_DAYS);
  if (ends.length > 0) return { from, to: Math.min(...ends) };
  if (rule.count === undefined) return null;
  // COUNT alone says how often, not until when: far enough for a rule that misses some of its periods, and no further.
  const sparse = rule.months.length + rule.monthDays.length + rule.yearDays.length > 0;
  const days = 4 * rule.count * rule.interval * PERIOD_DAYS[sparse ? 'YEARLY' : rule.frequency];
  return { from, to: startDay + Math.min(days, MAX_COUNTED_DAYS) };
}

function find(component: IcalComponent, name: string): IcalProperty | undefined {
  return component.properties.find((property) => property.name === name);
}

function dayOf(wallMs: number): number {
  return Math.floor(wallMs / DAY_MS);
}
