import type { Chance } from './fuzzChance.js';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 2, 27);

const TIMES = [
  '2026-03-29T02:30:00+01:00',
  '2026-02-30T00:00:00Z',
  '2026-03-01 08:00:00',
  '+275760-09-13T00:00:00Z',
  '275760-09-13T00:00:00.000Z',
  '9999-12-31T23:59:59Z',
  '0000-01-01T00:00:00+14:00',
  '2026-01-01T00:00:00+99:99',
  '2026-06-30T23:59:60Z',
  '2026-01-01T24:00:00Z',
  '20260101T000000Z',
  '1767225600',
  'now',
  '',
] as const;
const VALUES = [
  'NaN',
  'Infinity',
  '-Infinity',
  '1e308',
  '1e309',
  '1e-320',
  '-0',
  '-1',
  '0x10',
  '1,5',
  '1_000',
  '1e',
  '٣',
  ' 7 ',
  '9'.repeat(400),
  'null',
  '',
] as const;
const ICAL_STARTS = [
  '20260329T023000',
  '20260329',
  '20260101T000000Z',
  '99991231T235959Z',
  '00000000',
  '20260230',
  '',
] as const;
const ICAL_RULES = [
  '',
  'RRULE:FREQ=DAILY',
  'RRULE:FREQ=SECONDLY;COUNT=999999999',
  'RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
  'RRULE:FREQ=WEEKLY;BYDAY=MO,XX;INTERVAL=0',
  'RRULE:FREQ=MONTHLY;UNTIL=99991231;BYSETPOS=-1;BYDAY=-5FR',
  'RRULE:;;=;',
  'RDATE:20260101,20260102\r\nEXDATE:20260101',
] as const;
const ICAL_ZONES = ['', ';TZID=Europe/Berlin', ';TZID=Nowhere/Here', ';VALUE=DATE', ';TZID="'] as const;
const ICAL_LENGTHS = ['DTEND:20260330', 'DURATION:PT1H', 'DURATION:P9999999D', 'DURATION:-PT1S', ''] as const;
const PIECES = [
  '"',
  '""',
  ',',
  ',,,,',
  '\n',
  '\r',
  '\r\n\r\n',
  '\0',
  '\uFEFF',
  '\uD800',
  '\u2028',
  '__proto__',
  'constructor',
  '🙂',
  ';',
  '{',
  '[[[[',
  '\\u0000',
  'x'.repeat(5000),
] as const;

/** A demand CSV that is sound in most places. */
export function demandText(chance: Chance): string {
  const measure = chance.of(['rps', 'rps', 'rps', 'requests', 'total', 'value']);
  const columns = chance.of([`timestamp,service,${measure}`, `service,${measure},timestamp`, `timestamp,${measure}`]);
  const stepMs = chance.of([HOUR_MS, HOUR_MS, HOUR_MS / 12, 1000, 86_400_000]);
  const services = chance.of([['shop'], ['shop', 'pay'], ['', '__proto__'], ['a b', 'é', '"q"']]);
  const rows = chance.of([0, 1, 2, 30, 30, 80]);
  const odd = chance.is(0.5) ? 0 : 0.03;
  let total = 0;
  const lines = Array.from({ length: rows }, (_, row) => {
    const time = chance.is(odd) ? chance.of(TIMES) : new Date(START_MS + row * stepMs).toISOString();
    const fresh = Math.round(100 * chance.share());
    total = chance.is(0.02) ? 0 : total + fresh;
    const value = chance.is(odd) ? chance.of(VALUES) : String(measure === 'total' ? total : fresh);
    const service = services[chance.whole(services.length)] ?? '';
    return columns
      .split(',')
      .map((name) => (name === 'timestamp' ? time : name === 'service' ? service : value))
      .join(',');
  });
  return spoiled(chance, [columns, ...lines].join('\n'));
}

export function eventsCsvText(chance: Chance): string {
  const odd = chance.is(0.5) ? 0 : 0.3;
  const lines = Array.from({ length: chance.whole(6) }, (_, row) => {
    const [from, to] = times(chance, odd);
    const uplift = chance.is(odd) ? chance.of(VALUES) : '0.5';
    return [
      `e${chance.is(odd / 3) ? 0 : row}`,
      'sale',
      from,
      to,
      chance.of(['', 'eu-west', ';;', 'a;b']),
      'shop',
      uplift,
    ].join(',');
  });
  return spoiled(chance, ['id,kind,start,end,regions,services,uplift', ...lines].join('\n'));
}

export function eventsJsonText(chance: Chance): string {
  const odd = [null, 1, '', [], {}, 1e999, -1, true, '\uD800'];
  const events = Array.from({ length: chance.whole(5) }, (_, row) => {
    const [start, end] = times(chance);
    const event: Record<string, unknown> = { id: `e${row}`, kind: 'sale', start, end, uplift: 0.5 };
    for (const key of chance.some([...Object.keys(event), 'regions', 'services', 'x'], 0.1))
      event[key] = chance.of([null, ...odd]);
    return event;
  });
  const document = chance.of<unknown>([events, { events }, { events: { events } }, null]);
  return spoiled(chance, JSON.stringify(document));
}

export function icalText(chance: Chance): string {
  const isOdd = chance.is(0.6);
  const events = Array.from({ length: chance.whole(4) }, (_, row) => {
    const start = chance.of(isOdd ? ICAL_STARTS : ['20260329T023000', '20260329T023000Z']);
    const rule = chance.of(isOdd ? ICAL_RULES : ['', 'RRULE:FREQ=DAILY;COUNT=5', 'RRULE:FREQ=WEEKLY;BYDAY=MO']);
    const zone = chance.of(isOdd ? ICAL_ZONES : ['', ';TZID=Europe/Berlin']);
    const length = chance.of(isOdd ? ICAL_LENGTHS : ['DURATION:PT1H']);
    const uid = chance.is(0.1) ? '' : `UID:u${row}`;
    return [
      'BEGIN:VEVENT',
      uid,
      `DTSTART${zone}:${start}`,
      length,
      rule,
      'SUMMARY:Sale\\, of\r\n  all',
      'END:VEVENT',
    ].join('\r\n');
  });
  return spoiled(chance, ['BEGIN:VCALENDAR', 'VERSION:2.0', ...events, 'END:VCALENDAR', ''].join('\r\n'));
}

export function regressorsText(chance: Chance): string {
  const odd = chance.is(0.5) ? 0 : 0.1;
  const lines = Array.from({ length: chance.whole(40) }, (_, row) => {
    const time = chance.is(odd / 2) ? chance.of(TIMES) : new Date(START_MS + row * HOUR_MS).toISOString();
    return [
      time,
      chance.of(['', 'shop']),
      chance.is(odd) ? chance.of(VALUES) : String(row),
      chance.of(['rain', 'dry', '']),
    ].join(',');
  });
  return spoiled(chance, ['timestamp,service,temp,sky', ...lines].join('\n'));
}

function times(chance: Chance, odd = 0.2): [string, string] {
  if (chance.is(odd)) return [chance.of(TIMES), chance.of(TIMES)];
  const from = START_MS + chance.whole(100) * HOUR_MS;
  return [
    new Date(from).toISOString(),
    new Date(from + (chance.whole(50) + (odd > 0 ? -2 : 1)) * HOUR_MS).toISOString(),
  ];
}

/** Half of the texts stay as they are; the others are broken once to four times. */
export function spoiled(chance: Chance, text: string): string {
  if (chance.is(0.5)) return text;
  let broken = text;
  for (let times = 1 + chance.whole(4); times > 0; times--) broken = brokenOnce(chance, broken);
  return broken;
}

function brokenOnce(chance: Chance, text: string): string {
  const from = chance.whole(text.length + 1);
  const to = from + chance.whole(Math.min(60, text.length - from + 1));
  const [before, cut, after] = [text.slice(0, from), text.slice(from, to), text.slice(to)];
  const way = chance.whole(10);
  if (way === 0) return before + after;
  if (way === 1) return before + cut + cut + after;
  if (way === 2) return before;
  if (way === 3) return `\uFEFF${text}`;
  if (way === 4) return text.replaceAll('\n', '\r\n');
  if (way === 5) return text.split('\n').reverse().join('\n');
  if (way === 6) return before + bytes(chance) + after;
  if (way === 7) return text + `\n${text.split('\n').slice(1).join('\n')}`;
  return before + chance.of(PIECES) + after;
}

function bytes(chance: Chance): string {
  const raw = Uint8Array.from({ length: 1 + chance.whole(40) }, () => chance.whole(256));
  return chance.is(0.5) ? new TextDecoder().decode(raw) : String.fromCharCode(...raw);
}
