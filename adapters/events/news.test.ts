import { describe, expect, it } from '@jest/globals';

import type { EventsRead } from '../../core/forecast/events/eventsFile.js';
import { readVolume } from './news.js';

const HOUR = 3_600_000;
const T0 = Date.parse('2026-03-01T00:00:00Z');
const at = (hour: number): string => new Date(T0 + hour * HOUR).toISOString();

function read(values: readonly number[], services?: readonly string[]): EventsRead {
  const list = values.map((value, hour) => ({ datetime: at(hour), value }));
  const about = services === undefined ? {} : { services };
  return readVolume(JSON.stringify(list), 'feed', { kind: 'news', eventKind: 'buzz', threshold: 2, ...about });
}

describe('a news source', () => {
  it('gives an event for each stretch above its usual, and none for what is as usual', () => {
    const values = Array.from({ length: 48 }, (_, hour) => ([10, 11, 12, 30].includes(hour) ? 25 : 10 + (hour % 3)));
    expect(read(values, ['shop']).events).toEqual([
      { id: `buzz ${at(10)}`, kind: 'buzz', start: at(10), end: at(13), services: ['shop'] },
      { id: `buzz ${at(30)}`, kind: 'buzz', start: at(30), end: at(31), services: ['shop'] },
    ]);
    expect(read(values.map(() => 10)).events).toEqual([]);
  });

  it('takes what is in the news at the end to last as long again, at most a day', () => {
    const lasting = (hours: number): number[] =>
      Array.from({ length: 100 }, (_, hour) => (hour >= 100 - hours ? 9 : 1));
    expect(read(lasting(6)).events).toMatchObject([{ start: at(94), end: at(106) }]);
    expect(read(lasting(40)).events).toMatchObject([{ start: at(60), end: at(124) }]);
    expect(read(lasting(6)).notes).toHaveLength(1);
  });

  it('does not look at what was measured after the moment of the forecast', () => {
    const list = Array.from({ length: 60 }, (_, hour) => ({ datetime: at(hour), value: hour >= 40 ? 9 : 1 }));
    const spec = { kind: 'news', eventKind: 'news', threshold: 2 } as const;
    const read40 = readVolume(JSON.stringify(list), 'feed', spec, T0 + 42 * HOUR);
    expect(read40.events).toEqual(readVolume(JSON.stringify(list.slice(0, 42)), 'feed', spec).events);
    expect(read40.events).toMatchObject([{ start: at(40), end: at(44) }]);
  });

  it('knows no news without a usual', () => {
    expect(read([1, 9]).notes).toEqual(['feed: too few points to tell news from the usual']);
    expect(read([0, 0, 0, 0, 0, 0, 0, 0, 5]).notes).toEqual(['feed: there is no usual volume to stand above']);
  });

  it('leaves broken points out and says so, and refuses what is no timeline', () => {
    const points = Array.from({ length: 12 }, (_, n) => ({ date: `2026030${1 + (n % 9)}T0${n % 10}0000Z`, value: 1 }));
    const text = (document: unknown): EventsRead =>
      readVolume(JSON.stringify(document), 'feed', { kind: 'news', eventKind: 'news', threshold: 2 });
    expect(
      text({ timeline: [{ data: [...points, { date: 'x', value: 1 }, { date: points[0]?.date, value: -1 }] }] }).notes,
    ).toEqual(['feed: 2 points without time or volume were left out']);
    for (const document of [5, { timeline: 5 }, [{ date: 'x' }]]) expect(text(document).problems).toHaveLength(1);
    expect(readVolume('<html>', 'feed', { kind: 'news', eventKind: 'news', threshold: 2 }).problems).toHaveLength(1);
  });
});
