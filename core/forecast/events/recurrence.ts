/** A recurrence rule of RFC 5545 (3.3.10) by whole days; when it ends by a moment (UNTIL) is the caller's to know. */
export interface RecurrenceRule {
  frequency: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';
  interval: number;
  count?: number;
  months: readonly number[];
  monthDays: readonly number[];
  yearDays: readonly number[];
  weekDays: readonly { weekDay: number; ordinal: number }[];
  positions: readonly number[];
  /** 0 is Sunday. */
  weekStart: number;
}

const DAY_MS = 86_400_000;
const WEEK_DAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'] as const;
const FREQUENCIES = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const;

/** The rule of a jCal `recur` value (RFC 7265), or why it cannot be followed. */
export function readRule(value: unknown): RecurrenceRule | string {
  if (typeof value !== 'object' || value === null) return 'is not a rule';
  const parts = value as Readonly<Record<string, unknown>>;
  const frequency = FREQUENCIES.find((name) => name === parts['freq']);
  if (frequency === undefined) return `repeats ${String(parts['freq'] ?? 'by no frequency')}; a day is the least`;
  for (const part of ['byhour', 'byminute', 'bysecond', 'byweekno']) {
    if (parts[part] !== undefined) return `uses ${part.toUpperCase()}, which is not followed`;
  }
  const interval = Number(parts['interval'] ?? 1);
  if (!Number.isInteger(interval) || interval < 1) return 'has an INTERVAL below 1';
  const count = parts['count'] === undefined ? undefined : Number(parts['count']);
  if (count !== undefined && (!Number.isInteger(count) || count < 1)) return 'has a COUNT below 1';
  const weekDays = list(parts['byday']).map((text) => weekDayOf(String(text)));
  if (weekDays.some((day) => day === null)) return 'has a BYDAY that is no day';
  const wkst = parts['wkst'];
  return {
    frequency,
    interval,
    ...(count === undefined ? {} : { count }),
    months: list(parts['bymonth']).map(Number),
    monthDays: list(parts['bymonthday']).map(Number),
    yearDays: list(parts['byyearday']).map(Number),
    weekDays: weekDays.filter((day) => day !== null),
    positions: list(parts['bysetpos']).map(Number),
    // ical.js writes the day as a number from 1 for Sunday; jCal itself by its letters.
    weekStart: typeof wkst === 'number' ? wkst - 1 : Math.max(0, WEEK_DAYS.indexOf((wkst as 'MO') ?? 'MO')),
  };
}

/**
 * The days (counted from the epoch) from `fromDay` to `toDay`, both included, on which a rule that starts on
 * `startDay` falls, rising. Looks at each day once, so it always ends.
 */
export function* ruleDays(rule: RecurrenceRule, startDay: number, fromDay: number, toDay: number): Generator<number> {
  // A count is counted from the start; without one whatever lies a period before the window cannot matter.
  const first = rule.count === undefined ? Math.max(startDay, fromDay) : startDay;
  const start = calendar(startDay);
  let left = rule.count ?? Number.POSITIVE_INFINITY;
  const matching = matchingDays(rule, start, rule.positions.length > 0 ? periodStart(rule, first) : first, toDay);
  for (const day of rule.positions.length > 0 ? atPositions(rule, matching, toDay) : matching) {
    if (day < first) continue;
    if (left-- <= 0) return;
    if (day >= fromDay) yield day;
  }
}

interface CalendarDay {
  day: number;
  year: number;
  month: number;
  date: number;
  weekDay: number;
}

function calendar(day: number): CalendarDay {
  const at = new Date(day * DAY_MS);
  return {
    day,
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    date: at.getUTCDate(),
    weekDay: at.getUTCDay(),
  };
}

function* matchingDays(rule: RecurrenceRule, start: CalendarDay, from: number, to: number): Generator<number> {
  for (let day = from; day <= to; day++) {
    const at = calendar(day);
    const apart = periodsApart(rule, start, at);
    if (apart % rule.interval === 0 && matches(rule, start, at)) yield day;
  }
}

function periodsApart(rule: RecurrenceRule, start: CalendarDay, at: CalendarDay): number {
  switch (rule.frequency) {
    case 'DAILY':
      return at.day - start.day;
    case 'WEEKLY':
      return (weekStartOf(rule, at) - weekStartOf(rule, start)) / 7;
    case 'MONTHLY':
      return (at.year - start.year) * 12 + at.month - start.month;
    case 'YEARLY':
      return at.year - start.year;
  }
}

function weekStartOf(rule: RecurrenceRule, { day, weekDay }: CalendarDay): number {
  return day - ((weekDay - rule.weekStart + 7) % 7);
}

function matches(rule: RecurrenceRule, start: CalendarDay, at: CalendarDay): boolean {
  const { months, monthDays, yearDays, weekDays } = rule;
  if (months.length > 0 && !months.includes(at.month)) return false;
  if (monthDays.length > 0 && !counted(monthDays, at.date, daysOfMonth(at))) return false;
  if (yearDays.length > 0 && !counted(yearDays, at.day - yearDay(at.year) + 1, daysOfYear(at.year))) return false;
  if (weekDays.length > 0) return weekDays.some((wanted) => isWeekDay(rule, wanted, at));
  if (monthDays.length > 0 || yearDays.length > 0) return true;
  // What a rule does not say is taken from the day on which it starts.
  switch (rule.frequency) {
    case 'DAILY':
      return true;
    case 'WEEKLY':
      return at.weekDay === start.weekDay;
    case 'MONTHLY':
      return at.date === start.date;
    case 'YEARLY':
      return at.date === start.date && (months.length > 0 || at.month === start.month);
  }
}

function isWeekDay(
  rule: RecurrenceRule,
  { weekDay, ordinal }: { weekDay: number; ordinal: number },
  at: CalendarDay,
): boolean {
  if (at.weekDay !== weekDay) return false;
  if (ordinal === 0 || rule.frequency === 'DAILY' || rule.frequency === 'WEEKLY') return true;
  const byMonth = rule.frequency === 'MONTHLY' || rule.months.length > 0;
  const place = byMonth ? at.date : at.day - yearDay(at.year) + 1;
  const length = byMonth ? daysOfMonth(at) : daysOfYear(at.year);
  return ordinal > 0 ? Math.ceil(place / 7) === ordinal : Math.ceil((length - place + 1) / 7) === -ordinal;
}

function periodStart(rule: RecurrenceRule, day: number): number {
  const at = calendar(day);
  switch (rule.frequency) {
    case 'DAILY':
      return day;
    case 'WEEKLY':
      return weekStartOf(rule, at);
    case 'MONTHLY':
      return day - at.date + 1;
    case 'YEARLY':
      return yearDay(at.year);
  }
}

/** BYSETPOS: of each period's days only those at these places, counted from its beginning or, below zero, its end. */
function* atPositions(rule: RecurrenceRule, days: Iterable<number>, toDay: number): Generator<number> {
  let period: number[] = [];
  let current = Number.NaN;
  for (const day of days) {
    const start = periodStart(rule, day);
    if (start !== current) yield* placed(rule, period);
    if (start !== current) period = [];
    current = start;
    period.push(day);
  }
  // The last period may be cut off by the window: then its places from the end are not known.
  const whole = periodStart(rule, toDay + 1) !== current;
  yield* whole ? placed(rule, period) : placed({ ...rule, positions: rule.positions.filter((p) => p > 0) }, period);
}

function placed(rule: RecurrenceRule, period: readonly number[]): number[] {
  return period.filter((_, index) => counted(rule.positions, index + 1, period.length));
}

/** Is `place`, counted from 1, among the places wanted, where −1 is the last of `length`? */
function counted(wanted: readonly number[], place: number, length: number): boolean {
  return wanted.includes(place) || wanted.includes(place - length - 1);
}

function daysOfMonth({ year, month }: CalendarDay): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function yearDay(year: number): number {
  return Date.UTC(year, 0, 1) / DAY_MS;
}

function daysOfYear(year: number): number {
  return yearDay(year + 1) - yearDay(year);
}

function weekDayOf(text: string): { weekDay: number; ordinal: number } | null {
  const match = /^([+-]?\d{1,2})?(SU|MO|TU|WE|TH|FR|SA)$/.exec(text);
  if (match === null) return null;
  return { weekDay: WEEK_DAYS.indexOf(match[2] as 'SU'), ordinal: Number(match[1] ?? 0) };
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
