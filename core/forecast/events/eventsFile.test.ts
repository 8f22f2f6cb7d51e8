import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { parseEventsFile, readEventsText } from './eventsFile.js';

function fields(text: string, file: string): string[] {
  const result = parseEventsFile(text, file);
  return result.ok ? [] : result.problems.map((problem) => `${problem.line ?? '-'} ${problem.field}`);
}

const CSV = [
  'id,kind,start,end,regions,services,uplift',
  'sale,campaign,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,eu-west; us-east,shop,0.5',
  'off,holiday,2026-04-01T00:00:00Z,2026-04-02T00:00:00Z,,,',
].join('\n');
const EVENTS = [
  {
    id: 'sale',
    kind: 'campaign',
    start: '2026-03-01T00:00:00Z',
    end: '2026-03-02T00:00:00Z',
    regions: ['eu-west', 'us-east'],
    services: ['shop'],
    uplift: 0.5,
  },
  { id: 'off', kind: 'holiday', start: '2026-04-01T00:00:00Z', end: '2026-04-02T00:00:00Z' },
];

describe('an events file', () => {
  it('says the same as CSV and as JSON', () => {
    expect(parseEventsFile(CSV, 'a.csv')).toMatchObject({ ok: true, value: EVENTS });
    expect(parseEventsFile(JSON.stringify(EVENTS), 'a.json')).toMatchObject({ ok: true, value: EVENTS });
    expect(parseEventsFile(JSON.stringify({ events: EVENTS }), 'a.json')).toMatchObject({ ok: true, value: EVENTS });
  });

  it('needs only the four required columns', () => {
    expect(parseEventsFile('id,kind,start,end\n', 'a.csv')).toMatchObject({ ok: true, value: [] });
  });

  it('tells everything that is wrong, by line', () => {
    const text = [
      'id,kind,start,end,uplift',
      'a,sale,2026-03-01T00:00:00,2026-03-02T00:00:00Z,0.5',
      'a,,2026-03-02T00:00:00Z,2026-03-01T00:00:00Z,-1',
    ].join('\n');
    expect(fields(text, 'a.csv')).toEqual(['2 start', '3 id', '3 kind', '3 end', '3 uplift']);
  });

  it('tells everything that is wrong in JSON, by event', () => {
    const broken = [
      { ...EVENTS[0], uplit: 1 },
      { ...EVENTS[1], kind: undefined },
    ];
    expect(fields(JSON.stringify(broken), 'a.json').sort()).toEqual(['- [0].uplit', '- [1].kind']);
    expect(fields(JSON.stringify([{ ...EVENTS[1], end: EVENTS[1]?.start }]), 'a.json')).toEqual(['- [0].end']);
    expect(fields('{', 'a.json')).toEqual(['- (file)']);
  });

  it('takes the channel and the budget of a campaign', () => {
    const text = 'id,kind,start,end,channel,budget\na,sale,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,tv,5000\n';
    expect(parseEventsFile(text, 'a.csv')).toMatchObject({ ok: true, value: [{ channel: 'tv', budget: 5000 }] });
    expect(fields(text.replace('5000', '-1'), 'a.csv')).toEqual(['2 budget']);
    expect(fields(JSON.stringify([{ ...EVENTS[0], budget: 'much' }]), 'a.json')).toEqual(['- [0].budget']);
  });

  it('keeps the sound entries beside the problems of the others', () => {
    const text = CSV.replace('off,holiday', 'off,');
    expect(readEventsText(text, 'a.csv', 'csv')).toMatchObject({ events: [EVENTS[0]], problems: [{ line: 3 }] });
    const list = [EVENTS[0], 5, { ...EVENTS[1], end: 'soon' }, EVENTS[0]];
    const read = readEventsText(JSON.stringify(list), 'a', 'json');
    expect(read.events).toEqual([EVENTS[0]]);
    expect(read.problems.map(({ field }) => field)).toEqual(['[1]', '[2].end', '[3].id']);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.constantFrom('a.csv', 'a.json', 'a.ics'), (text, file) => {
        const result = parseEventsFile(text, file);
        return result.ok || result.problems.length > 0;
      }),
    );
  });
});
