import type { EventSourceSpec } from '../../core/spec/eventSource.js';

// What the tests of sources read: each text has events that touch MARCH, and others.

const DAYS = ['2026-01-01', '2026-03-10', '2026-03-12', '2026-12-24'];

const ICAL = [
  'BEGIN:VCALENDAR',
  ...DAYS.flatMap((day) => [
    'BEGIN:VEVENT',
    'SUMMARY:sale',
    `DTSTART;VALUE=DATE:${day.replaceAll('-', '')}`,
    'END:VEVENT',
  ]),
  'END:VCALENDAR',
].join('\r\n');
const CSV = ['id,kind,start,end', ...DAYS.map((day, n) => `e${n},sale,${day}T00:00:00Z,${day}T12:00:00Z`)].join('\n');
export const LIST = DAYS.map((day, n) => ({
  id: `e${n}`,
  kind: 'sale',
  start: `${day}T00:00:00Z`,
  end: `${day}T12:00:00Z`,
}));
const JSON_MAPPED = JSON.stringify({
  data: { campaigns: LIST.map(({ id, start, end }) => ({ key: id, span: { from: start, to: end } })) },
});
const MAPPING = {
  list: '/data/campaigns',
  fields: { id: '/key', start: '/span/from', end: '/span/to' },
  eventKind: 'campaign',
};
const NEWS = JSON.stringify({
  timeline: [
    {
      series: 'Volume Intensity',
      data: Array.from({ length: 40 }, (_, n) => ({
        date: `${new Date(Date.UTC(2026, 1, 20 + n)).toISOString().slice(0, 10).replaceAll('-', '')}T000000Z`,
        value: n === 2 || n === 20 || n === 21 ? 9 : 1,
      })),
    },
  ],
});

export type Placed = 'ical' | 'csv' | 'json' | 'news';
export const BODIES: Readonly<Record<Placed, string>> = { ical: ICAL, csv: CSV, json: JSON_MAPPED, news: NEWS };

export function placed(kind: Placed, place: { file: string } | { url: string }): EventSourceSpec {
  switch (kind) {
    case 'ical':
    case 'csv':
      return { kind, ...place };
    case 'json':
      return { kind, ...place, ...MAPPING };
    case 'news':
      return { kind, ...place, eventKind: 'news', threshold: 3 };
  }
}

export const PLACED = ['ical', 'csv', 'json', 'news'] as const satisfies readonly Placed[];
