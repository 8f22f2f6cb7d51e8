import { describe, expect, it } from '@jest/globals';

import type { EventsRead } from '../../core/forecast/events/eventsFile.js';
import type { JsonSourceSpec } from '../../core/spec/eventSource.js';
import { timeZoneNamed, UTC } from '../../core/spec/timeZone.js';
import { readMapped } from './json.js';
import { pointed } from './jsonPointer.js';

function read(document: unknown, spec: Partial<JsonSourceSpec> = {}): EventsRead {
  const zone = timeZoneNamed('Europe/Berlin') ?? UTC;
  return readMapped(JSON.stringify(document), 'feed', { kind: 'json', fields: {}, ...spec }, zone);
}

describe('a JSON source', () => {
  it('takes each field from where the mapping says, in whatever form it is written', () => {
    const document = {
      'a/b': [
        {
          code: 7,
          when: { begin: '2026-03-10', finish: '2026-03-29' },
          where: 'eu-west; us-east',
          apps: ['shop'],
          lift: '0.25',
          cost: 100,
          medium: 'tv',
        },
      ],
    };
    const fields = {
      id: '/code',
      start: '/when/begin',
      end: '/when/finish',
      regions: '/where',
      services: '/apps',
      uplift: '/lift',
      budget: '/cost',
      channel: '/medium',
    };
    const expected = {
      id: '7',
      kind: 'campaign',
      start: '2026-03-09T23:00:00.000Z',
      end: '2026-03-28T23:00:00.000Z',
      regions: ['eu-west', 'us-east'],
      services: ['shop'],
      uplift: 0.25,
      budget: 100,
      channel: 'tv',
    };
    expect(read(document, { list: '/a~1b', fields, eventKind: 'campaign' })).toEqual({
      events: [expected],
      sound: 1,
      problems: [],
      notes: [],
    });
  });

  it('reads times in seconds and milliseconds, with a zone and without', () => {
    const end = '2026-12-01T00:00:00+01:00';
    const entries = [1_773_100_800, 1_773_100_800_000, '2026-03-10T00:00:00Z', '2026-03-10 01:00', '2026-02-30'].map(
      (start) => ({ kind: 'sale', start, end }),
    );
    const { events, problems } = read(entries);
    expect(events.map(({ id, start }) => [id, Date.parse(start)])).toEqual(
      ['#1', '#2', '#3', '#4'].map((id) => [id, 1_773_100_800_000]),
    );
    expect(problems.map(({ field }) => field)).toEqual(['[4].start']);
  });

  it('names every entry that cannot be used, and what is missing', () => {
    const entries = [5, { kind: 'sale', start: 'soon', end: '2026-03-10' }, { start: '2026-03-09', end: '2026-03-10' }];
    expect(read(entries).problems.map(({ field }) => field)).toEqual(['[0]', '[1].start', '[2].kind']);
    expect(read({ data: [] }).problems).toMatchObject([{ message: 'is no list of events' }]);
    expect(read([], { list: '/x' }).problems).toMatchObject([{ field: '/x' }]);
    expect(readMapped('{', 'feed', { kind: 'json', fields: {} }, UTC).problems).toMatchObject([{ field: '(file)' }]);
  });
});

describe('a JSON pointer', () => {
  const document = { a: [{ 'b/c': 1, '~': 2 }], '': 3 };
  it.each([
    ['', document],
    ['/a/0/b~1c', 1],
    ['/a/0/~0', 2],
    ['/', 3],
    ['/a/1', undefined],
    ['/a/length', 1],
    ['/toString', undefined],
    ['/a/0/b~1c/x', undefined],
  ])('"%s"', (pointer, value) => {
    expect(pointed(document, pointer)).toEqual(value);
  });
});
