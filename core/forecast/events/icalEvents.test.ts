import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { timeZoneNamed } from '../../spec/timeZone.js';
import type { EventsFileOptions, EventsRead } from './eventsFile.js';
import { parseEventsFile, readEventsText } from './eventsFile.js';

const window = { fromMs: Date.parse('2026-03-01T00:00:00Z'), toMs: Date.parse('2026-04-15T00:00:00Z') };
const berlin = timeZoneNamed('Europe/Berlin');
if (berlin === null) throw new Error('no zone');

function calendar(...lines: string[]): string {
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//a//b', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

function event(...lines: string[]): string[] {
  return ['BEGIN:VEVENT', 'UID:u1', 'DTSTAMP:20260101T000000Z', ...lines, 'END:VEVENT'];
}

function read(text: string, options: EventsFileOptions = { window, timeZone: berlin ?? undefined }): EventsRead {
  return readEventsText(text, 'a.ics', 'ical', options);
}

/** `id start – end` of each. */
function spans(...lines: string[]): string[] {
  const { events, problems } = read(calendar(...lines));
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return events.map(({ id, start, end }) => `${id} ${start.slice(0, 16)} – ${end.slice(0, 16)}`);
}

function told(...lines: string[]): string[] {
  return read(calendar(...lines)).problems.map(({ line, field }) => `${line ?? '-'} ${field}`);
}

describe('an iCalendar file', () => {
  it('gives an event everything that its properties say', () => {
    const lines = event(
      'SUMMARY:Spring\\, sale',
      'DTSTART:20260310T080000Z',
      'DURATION:P1DT2H',
      'CATEGORIES:Campaign,Sale',
      'X-PSMG-SERVICES:shop\\,checkout',
      'X-PSMG-REGIONS:eu-west;us-east',
      'X-PSMG-UPLIFT:0.5',
      'X-PSMG-CHANNEL:tv',
      'X-PSMG-BUDGET:5000',
    );
    const expected = {
      id: 'Spring, sale',
      kind: 'campaign',
      start: '2026-03-10T08:00:00.000Z',
      end: '2026-03-11T10:00:00.000Z',
      services: ['shop', 'checkout'],
      regions: ['eu-west', 'us-east'],
      uplift: 0.5,
      channel: 'tv',
      budget: 5000,
    };
    expect(read(calendar(...lines)).events).toEqual([expected]);
    expect(
      read(calendar(...lines, ...event('DTSTART;VALUE=DATE:20260312', 'X-PSMG-KIND:News'))).events[1],
    ).toMatchObject({
      id: 'u1',
      kind: 'News',
    });
    expect(read(calendar(...event('DTSTART;VALUE=DATE:20260312'))).events[0]?.kind).toBe('event');
  });

  it('takes days in the local zone, also the one that has 23 hours', () => {
    expect(
      spans(
        ...event('SUMMARY:a', 'DTSTART;VALUE=DATE:20260328', 'DTEND;VALUE=DATE:20260330'),
        ...event('DTSTART;VALUE=DATE:20260402'),
      ),
    ).toEqual(['a 2026-03-27T23:00 – 2026-03-29T22:00', 'u1 2026-04-01T22:00 – 2026-04-02T22:00']);
  });

  it('takes times in the zone that they name, by the IANA database or by the file, else in the local one', () => {
    const zone = [
      'BEGIN:VTIMEZONE',
      'TZID:Customized Time Zone',
      'BEGIN:STANDARD',
      'DTSTART:16010101T030000',
      'TZOFFSETFROM:+0200',
      'TZOFFSETTO:+0100',
      'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
      'END:STANDARD',
      'BEGIN:DAYLIGHT',
      'DTSTART:16010101T020000',
      'TZOFFSETFROM:+0100',
      'TZOFFSETTO:+0200',
      'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3',
      'END:DAYLIGHT',
      'END:VTIMEZONE',
    ];
    const at = (start: string): string[] => event('SUMMARY:a', start, 'DURATION:PT1H');
    expect(spans(...at('DTSTART;TZID=America/New_York:20260310T080000'))).toEqual([
      'a 2026-03-10T12:00 – 2026-03-10T13:00',
    ]);
    for (const day of ['20260310', '20260405']) {
      const plain = spans(...at(`DTSTART:${day}T080000`));
      expect(spans(...zone, ...at(`DTSTART;TZID=Customized Time Zone:${day}T080000`))).toEqual(plain);
    }
    expect(told(...at('DTSTART;TZID=Nowhere:20260310T080000'))).toEqual(['4 DTSTART']);
  });

  it('follows rules within the window, by the wall clock, without what is excluded', () => {
    const lines = event(
      'SUMMARY:push',
      'DTSTART;TZID=Europe/Berlin:20250103T180000',
      'DTEND;TZID=Europe/Berlin:20250103T190000',
      'RRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL=20260403T160000Z',
      'EXDATE;TZID=Europe/Berlin:20260306T180000',
      'EXDATE;VALUE=DATE:20260313',
    );
    expect(spans(...lines)).toEqual([
      'push 2026-03-20 2026-03-20T17:00 – 2026-03-20T18:00',
      'push 2026-03-27 2026-03-27T17:00 – 2026-03-27T18:00',
      'push 2026-04-03 2026-04-03T16:00 – 2026-04-03T17:00',
    ]);
  });

  it('moves one time of a series where RECURRENCE-ID says so, adds RDATE and leaves cancelled events out', () => {
    expect(
      spans(
        ...event('SUMMARY:s', 'DTSTART:20260301T100000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;COUNT=3'),
        ...event('SUMMARY:s moved', 'RECURRENCE-ID:20260302T100000Z', 'DTSTART:20260302T150000Z', 'DURATION:PT1H'),
        ...event('SUMMARY:r', 'DTSTART:20260305T100000Z', 'DURATION:PT1H', 'RDATE:20260307T100000Z'),
        ...event('SUMMARY:off', 'STATUS:CANCELLED', 'DTSTART:20260305T100000Z', 'DURATION:PT1H'),
      ),
    ).toEqual([
      's 2026-03-01 2026-03-01T10:00 – 2026-03-01T11:00',
      's 2026-03-03 2026-03-03T10:00 – 2026-03-03T11:00',
      's moved 2026-03-02T15:00 – 2026-03-02T16:00',
      'r 2026-03-05 2026-03-05T10:00 – 2026-03-05T11:00',
      'r 2026-03-07 2026-03-07T10:00 – 2026-03-07T11:00',
    ]);
  });

  it('tells equal summaries apart', () => {
    const twice = [
      ...event('SUMMARY:a', 'DTSTART;VALUE=DATE:20260310'),
      ...event('SUMMARY:a', 'DTSTART;VALUE=DATE:20260311'),
    ];
    expect(read(calendar(...twice, ...twice)).events.map(({ id }) => id)).toEqual([
      'a',
      'a 2026-03-11',
      'a 2026-03-10',
      'a 2026-03-11 #2',
    ]);
  });

  it('tells everything that is wrong by line, and keeps the rest', () => {
    const lines = [
      ...event('SUMMARY:sound', 'DTSTART;VALUE=DATE:20260310'),
      ...event('SUMMARY:no start'),
      ...event('DTSTART:20260230T000000Z', 'DURATION:PT1H'),
      ...event('DTSTART:20260310T000000Z', 'DTEND:20260309T000000Z'),
      ...event('DTSTART:20260310T000000Z', 'DURATION:long'),
      ...event('DTSTART;VALUE=DATE:20260310', 'X-PSMG-UPLIFT:-2'),
      ...event('DTSTART;VALUE=DATE:20260310', 'a line that is none'),
      ...event('DTSTART;VALUE=DATE:20260310', 'RRULE:FREQ=HOURLY'),
    ];
    const { events, problems } = read(calendar(...lines));
    expect(problems.map(({ line, field }) => `${line ?? '-'} ${field}`)).toEqual([
      '10 DTSTART',
      '15 DTSTART',
      '21 DTEND',
      '27 DURATION',
      '33 X-PSMG-UPLIFT',
      '43 VEVENT',
      '45 RRULE',
    ]);
    expect(events.map(({ id }) => id)).toEqual(['sound']);
    expect(parseEventsFile(calendar(...lines), 'a.ics').ok).toBe(false);
  });

  it('is told from other files by its name or its first line, and is refused when it is none', () => {
    const text = calendar(...event('SUMMARY:a', 'DTSTART;VALUE=DATE:20260310'));
    expect(parseEventsFile(text, 'a.txt')).toMatchObject({ ok: true, value: [{ id: 'a' }] });
    expect(parseEventsFile('', 'a.ics')).toMatchObject({ ok: false, problems: [{ field: '(file)' }] });
    expect(parseEventsFile('BEGIN:VCALENDAR\nBEGIN:VEVENT\n', 'a')).toMatchObject({
      ok: false,
      problems: [{ line: 1 }, { line: 2 }],
    });
  });

  it('says what it left out: no length, an endless rule without a window', () => {
    const instant = event('SUMMARY:ping', 'DTSTART:20260310T000000Z');
    expect(read(calendar(...instant)).notes).toEqual(['a.ics:4 "ping" has no length and was left out']);
    const endless = calendar(...event('DTSTART;VALUE=DATE:20260310', 'RRULE:FREQ=DAILY'));
    expect(read(endless, {}).problems).toMatchObject([{ line: 4, field: 'RRULE' }]);
    const counted = calendar(...event('DTSTART;VALUE=DATE:20240229', 'RRULE:FREQ=YEARLY;COUNT=3'));
    expect(read(counted, {}).events.map(({ start }) => start.slice(0, 4))).toEqual(['2024', '2028', '2032']);
  });

  it('ends on rules that never fall, and on calendars of nothing but rules', () => {
    const never = [
      'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=DAILY;INTERVAL=99999999999',
      'FREQ=YEARLY;BYYEARDAY=366;INTERVAL=3',
    ];
    const lines = never.flatMap((rule) => event('DTSTART;VALUE=DATE:19700102', `RRULE:${rule}`));
    expect(spans(...lines)).toEqual([]);
    const many = Array.from({ length: 100 }, () =>
      event('DTSTART;VALUE=DATE:19000101', 'RRULE:FREQ=DAILY;COUNT=90000'),
    );
    expect(told(...many.flat()).length).toBeGreaterThan(50);
  });

  it('never throws, and gives no event that ends before it starts', () => {
    const line = fc.oneof(
      fc.constantFrom(
        'BEGIN:VEVENT',
        'END:VEVENT',
        'BEGIN:VTIMEZONE',
        'END:VTIMEZONE',
        'BEGIN:STANDARD',
        'END:STANDARD',
      ),
      fc.constantFrom(
        'DTSTART:20260301T000000Z',
        'DTSTART;VALUE=DATE:20260301',
        'DTEND;TZID=Europe/Berlin:20260302T000000',
      ),
      fc.constantFrom('RRULE:FREQ=DAILY', 'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYSETPOS=2', 'EXDATE:20260301', 'DURATION:P1W'),
      fc.constantFrom(
        'TZOFFSETFROM:+0100',
        'TZOFFSETTO:+9999',
        'TZID:x',
        'DTSTART;TZID=x:20260301T000000',
        ' ',
        'X-A:1',
      ),
      fc.string({ unit: fc.constantFrom(...':;=,"\\ \tABDTSTARTRULE0129Z+-'.split('')), maxLength: 30 }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 25 }), (lines) => {
        const { events, problems } = read(
          calendar('BEGIN:VEVENT', 'DTSTART;VALUE=DATE:20260305', ...lines, 'END:VEVENT'),
        );
        expect(problems.every(({ message }) => message !== '')).toBe(true);
        for (const { start, end } of events) expect(Date.parse(end)).toBeGreaterThan(Date.parse(start));
      }),
      { numRuns: 500 },
    );
  });
});
