import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { TimeZone } from './timeZone.js';
import { timeZoneNamed } from './timeZone.js';
import type { Span } from './weekly.js';
import { WEEK_MS, timeOfWeekMs, weeklySpans } from './weekly.js';

const MINUTE_MS = 60_000;
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function zoneOf(name: string): TimeZone {
  const zone = timeZoneNamed(name);
  if (zone === null) throw new Error(name);
  return zone;
}

/** `from → to` of each, UTC to the minute. */
function found(from: string, to: string, zone: string, around: string, days = 7): string[] {
  const fromMs = Date.parse(around);
  const spans = weeklySpans({ from, to }, zoneOf(zone), { fromMs, toMs: fromMs + days * 86_400_000 });
  const short = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
  return spans.map((span) => `${short(span.fromMs)} → ${short(span.toMs)}`);
}

describe('weeklySpans', () => {
  it('goes over the end of the week', () => {
    expect(found('Fri 16:00', 'Mon 08:00', 'Europe/Berlin', '2026-11-25T00:00:00Z')).toEqual([
      '2026-11-27T15:00 → 2026-11-30T07:00',
    ]);
  });

  it('is whole where only a part of it was looked at, on either side', () => {
    expect(found('Fri 16:00', 'Mon 08:00', 'UTC', '2026-11-29T00:00:00Z', 1)).toEqual([
      '2026-11-27T16:00 → 2026-11-30T08:00',
    ]);
    expect(found('Fri 16:00', 'Mon 08:00', 'UTC', '2026-11-27T15:00:00Z', 0.05)).toHaveLength(1);
    expect(found('Fri 16:00', 'Mon 08:00', 'UTC', '2026-11-30T08:00:00Z', 1)).toEqual([]);
  });

  it('keeps the hours of the wall over a change of the clocks', () => {
    expect(found('Fri 16:00', 'Mon 08:00', 'Europe/Berlin', '2026-03-27T00:00:00Z')).toEqual([
      '2026-03-27T15:00 → 2026-03-30T06:00',
    ]);
    expect(found('Fri 16:00', 'Mon 08:00', 'Europe/Berlin', '2026-10-23T00:00:00Z')).toEqual([
      '2026-10-23T14:00 → 2026-10-26T07:00',
    ]);
  });

  it('begins and ends with the jump where the clocks leave its time out', () => {
    // Sunday 29 March, 02:00 becomes 03:00 at 01:00 UTC.
    expect(found('Sun 02:30', 'Sun 04:00', 'Europe/Berlin', '2026-03-28T00:00:00Z', 2)).toEqual([
      '2026-03-29T01:00 → 2026-03-29T02:00',
    ]);
    expect(found('Sun 01:00', 'Sun 02:30', 'Europe/Berlin', '2026-03-28T00:00:00Z', 2)).toEqual([
      '2026-03-29T00:00 → 2026-03-29T01:00',
    ]);
    expect(found('Sun 02:10', 'Sun 02:50', 'Europe/Berlin', '2026-03-28T00:00:00Z', 2)).toEqual([]);
  });

  it('takes both of an hour that comes twice', () => {
    // Sunday 25 October, 03:00 becomes 02:00 at 01:00 UTC.
    expect(found('Sun 02:30', 'Sun 04:00', 'Europe/Berlin', '2026-10-24T00:00:00Z', 2)).toEqual([
      '2026-10-25T00:30 → 2026-10-25T03:00',
    ]);
    expect(found('Sun 01:00', 'Sun 02:30', 'Europe/Berlin', '2026-10-24T00:00:00Z', 2)).toEqual([
      '2026-10-24T23:00 → 2026-10-25T01:30',
    ]);
  });

  it('finds nothing of a zero length, nor of what is no time of the week', () => {
    expect(found('Fri 16:00', 'Fri 16:00', 'UTC', '2026-01-01T00:00:00Z', 30)).toEqual([]);
    expect(found('Fri 24:00', 'Sat 16:00', 'UTC', '2026-01-01T00:00:00Z', 30)).toEqual([]);
    expect(timeOfWeekMs('Mon 00:00')).toBe(0);
    expect(timeOfWeekMs('Sun 23:59')).toBe(WEEK_MS - MINUTE_MS);
    expect(timeOfWeekMs('Fre 10:00')).toBeNull();
  });

  it('has every minute whose clocks show a time of it, and joins the two of an hour that comes twice', () => {
    const zones = fc.constantFrom(
      ...['America/New_York', 'America/St_Johns', 'Europe/Berlin', 'Europe/Dublin', 'Australia/Lord_Howe'],
      ...['Asia/Kathmandu', 'Africa/Casablanca', 'Pacific/Apia', 'Pacific/Kiritimati', 'UTC'],
    );
    const minutes = fc.integer({ min: 0, max: 7 * 1440 - 1 });
    // A third of the samples at a change of the clocks, where everything that can go wrong does.
    const changes = ['2026-03-08', '2026-03-29', '2026-10-25', '2026-11-01', '2027-04-04', '2026-10-04', '2011-12-30'];
    const near = fc.constantFrom(...changes).map((day) => Date.parse(`${day}T00:00:00Z`) - 86_400_000 / 2);
    const any = fc.integer({ min: Date.UTC(2008, 0) / MINUTE_MS, max: Date.UTC(2036, 0) / MINUTE_MS });
    const at = fc.oneof(
      { weight: 2, arbitrary: any.map((minute) => minute * MINUTE_MS) },
      { weight: 1, arbitrary: near },
    );
    const short = fc.tuple(minutes, fc.integer({ min: 1, max: 600 })).map(([a, b]) => [a, (a + b) % (7 * 1440)]);
    const pairs = fc.oneof(fc.tuple(minutes, minutes), short) as fc.Arbitrary<[number, number]>;
    fc.assert(
      fc.property(zones, at, pairs, (name, fromMs, [a, b]) => {
        fc.pre(a !== b);
        const zone = zoneOf(name);
        const looked = { fromMs, toMs: fromMs + 2 * 86_400_000 };
        const spans = weeklySpans({ from: textOf(a), to: textOf(b) }, zone, looked);
        const expected = byMinutes(zone, a, b, looked);
        expect(clipped(spans, looked)).toEqual(clipped(expected, looked));
      }),
      { numRuns: 40 },
    );
  });
});

function textOf(minute: number): string {
  const day = DAYS[Math.floor(minute / 1440)] ?? '';
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${day} ${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`;
}

/** What a person with a watch of that place would note, minute by minute; a day around, so that joins are seen. */
function byMinutes(zone: TimeZone, a: number, b: number, looked: Span): Span[] {
  const spans: (Span & { occurrence: number })[] = [];
  const length = (b - a + 7 * 1440) % (7 * 1440);
  for (let ms = looked.fromMs - 86_400_000; ms < looked.toMs + 86_400_000; ms += MINUTE_MS) {
    const wall = Math.floor((ms + zone.offsetMs(ms)) / MINUTE_MS);
    const since = wall - 4 * 1440 - a;
    const occurrence = Math.floor(since / (7 * 1440));
    if (since - occurrence * 7 * 1440 >= length) continue;
    const last = spans.find((span) => span.occurrence === occurrence);
    if (last === undefined) spans.push({ fromMs: ms, toMs: ms + MINUTE_MS, occurrence });
    else last.toMs = ms + MINUTE_MS;
  }
  return spans.map(({ fromMs, toMs }) => ({ fromMs, toMs }));
}

/** Within what was looked at; those that touch are one for the oracle, which cannot tell. */
function clipped(spans: readonly Span[], { fromMs, toMs }: Span): Span[] {
  return spans
    .map((span) => ({ fromMs: Math.max(span.fromMs, fromMs), toMs: Math.min(span.toMs, toMs) }))
    .filter((span) => span.fromMs < span.toMs);
}
