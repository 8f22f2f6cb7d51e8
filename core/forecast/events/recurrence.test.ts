import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ICAL from 'ical.js';

import { readRule, ruleDays } from './recurrence.js';

const DAY_MS = 86_400_000;
const dayOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;
const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

function days(text: string, start: string, from = '2026-01-01', to = '2027-12-31'): string[] {
  const rule = readRule(ICAL.Recur.fromString(text).toJSON());
  if (typeof rule === 'string') throw new Error(rule);
  return [...ruleDays(rule, dayOf(start), dayOf(from), dayOf(to))].map(dateOf);
}

/** The days that ical.js's own iterator names, as an independent opinion. */
function daysByIcal(text: string, start: string, to: string): string[] {
  const iterator = ICAL.Recur.fromString(text).iterator(ICAL.Time.fromDateString(start));
  const found: string[] = [];
  for (let next = iterator.next(); next !== null && next !== undefined; next = iterator.next()) {
    const date = next.toString().slice(0, 10);
    if (date > to) break;
    found.push(date);
  }
  return found;
}

describe('a recurrence rule', () => {
  it.each([
    ['FREQ=WEEKLY;COUNT=3', '2026-03-06', ['2026-03-06', '2026-03-13', '2026-03-20']],
    ['FREQ=MONTHLY;BYDAY=-1FR;COUNT=2', '2026-01-30', ['2026-01-30', '2026-02-27']],
    ['FREQ=YEARLY;BYMONTH=11;BYDAY=4FR', '2026-11-01', ['2026-11-27', '2027-11-26']],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2', '2026-01-01', ['2026-01-30', '2026-02-27']],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', '2026-01-01', []],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', '2026-01-01', []],
    ['FREQ=DAILY;INTERVAL=99999999999', '2026-01-01', ['2026-01-01']],
    ['FREQ=YEARLY;BYYEARDAY=-1', '2026-01-01', ['2026-12-31', '2027-12-31']],
  ])('%s from %s', (text, start, expected) => {
    expect(days(text, start)).toEqual(expected);
  });

  it('counts from its start, wherever the window lies', () => {
    expect(days('FREQ=DAILY;COUNT=10', '2026-01-01', '2026-01-09')).toEqual(['2026-01-09', '2026-01-10']);
    expect(days('FREQ=MONTHLY;BYDAY=FR;BYSETPOS=1', '2020-01-03', '2026-03-03', '2026-04-05')).toEqual([
      '2026-03-06',
      '2026-04-03',
    ]);
  });

  it.each(['FREQ=HOURLY', 'FREQ=DAILY;BYHOUR=9', 'FREQ=YEARLY;BYWEEKNO=20'])('refuses %s', (text) => {
    expect(typeof readRule(ICAL.Recur.fromString(text).toJSON())).toBe('string');
  });

  it('says the same as ical.js where its iterator can be trusted', () => {
    const start = fc.integer({ min: dayOf('2024-01-01'), max: dayOf('2026-12-31') }).map(dateOf);
    const interval = fc.integer({ min: 1, max: 4 });
    const weekDay = fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU');
    const week = fc.uniqueArray(weekDay, { minLength: 1, maxLength: 4 }).map((list) => `;BYDAY=${list.join(',')}`);
    const nth = fc.tuple(fc.constantFrom(1, 2, 3, 4, -1), weekDay).map(([n, day]) => `;BYDAY=${n}${day}`);
    const monthDays = fc.uniqueArray(fc.integer({ min: 1, max: 28 }), { minLength: 1, maxLength: 3 });
    const rule = fc.oneof(
      interval.map((n) => `FREQ=DAILY;INTERVAL=${n}`),
      fc.tuple(interval, week).map(([n, by]) => `FREQ=WEEKLY;INTERVAL=${n}${by}`),
      fc.tuple(interval, nth).map(([n, by]) => `FREQ=MONTHLY;INTERVAL=${n}${by}`),
      fc.tuple(interval, monthDays).map(([n, by]) => `FREQ=MONTHLY;INTERVAL=${n};BYMONTHDAY=${by.join(',')}`),
      fc.tuple(fc.integer({ min: 1, max: 12 }), nth).map(([month, by]) => `FREQ=YEARLY;BYMONTH=${month}${by}`),
    );
    fc.assert(
      fc.property(rule, start, fc.integer({ min: 1, max: 30 }), (text, from, count) => {
        const to = '2031-12-31';
        // ical.js lets DTSTART stand at the head of a rule that it does not match; RFC 5545 leaves that open.
        const rest = daysByIcal(text, from, to).filter((day) => day !== from);
        const ours = days(text, from, '2024-01-01', to);
        expect(ours.filter((day) => day !== from)).toEqual(rest);
        expect(days(`${text};COUNT=${count}`, from, '2024-01-01', to)).toEqual(ours.slice(0, count));
      }),
      { numRuns: 100 },
    );
  });
});
