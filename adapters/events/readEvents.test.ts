import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { EventSourceSpec } from '../../core/spec/eventSource.js';
import { MARCH, surroundings } from './contract.js';
import type { Feed } from './feed.js';
import { startFeed, status, text } from './feed.js';
import type { EventSurroundings, SourceLimits } from './port.js';
import { SOURCE_LIMITS } from './port.js';
import type { EventsReport } from './readEvents.js';
import { readEvents } from './readEvents.js';

const event = (id: string): object => ({
  id,
  kind: 'sale',
  start: '2026-03-10T00:00:00Z',
  end: '2026-03-11T00:00:00Z',
});

describe('readEvents', () => {
  let directory: string;
  let feed: Feed;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'psmg-events-'));
    feed = await startFeed(text(JSON.stringify([event('a')])));
    await writeFile(path.join(directory, 'list.json'), JSON.stringify([event('a'), event('b'), { id: 'c' }]));
  });
  afterEach(async () => {
    await feed.close();
    await rm(directory, { recursive: true, force: true });
  });
  const read = (
    sources: readonly EventSourceSpec[],
    more: Partial<EventSurroundings> = {},
    limits: Partial<SourceLimits> = {},
  ): Promise<EventsReport> => {
    const around = surroundings(directory, { limits: { ...SOURCE_LIMITS, freshSeconds: 0, ...limits }, ...more });
    return readEvents(sources, around, MARCH, new AbortController().signal);
  };
  const file: EventSourceSpec = { kind: 'json', file: 'list.json', fields: {} };

  it('puts the sources together, each id behind the name of its source', async () => {
    const { events, degraded } = await read([file, { ...file, name: 'shop' }, { kind: 'calendar', url: feed.url }]);
    expect(events.map(({ id }) => id)).toEqual(['json-1/a', 'json-1/b', 'shop/a', 'shop/b', 'calendar-3/a']);
    expect(degraded).toEqual([]);
  });

  it('tells what was left out', async () => {
    expect((await read([file])).notes).toEqual([
      expect.stringMatching(/^event source json-1: entries with 3 problems were left out: list\.json \[2\]\.kind/),
    ]);
  });

  it('goes on without a source that is down, and says that its events are missing', async () => {
    feed.answer = status(500);
    const report = await read([{ kind: 'calendar', name: 'team', url: feed.url }, file]);
    expect(report.events).toHaveLength(2);
    const reason = 'is down (answered 500); its events are missing';
    expect(report.degraded).toEqual([{ source: 'team', reason, missing: true }]);
    expect(report.notes).toContain(`event source team ${reason}`);
  });

  it('says how old the copy is that stands in', async () => {
    const sources: EventSourceSpec[] = [{ kind: 'calendar', name: 'team', url: feed.url }];
    const fresh = await read(sources);
    feed.answer = status(500);
    const later = await read(sources, { now: () => Date.parse('2026-03-20T05:00:00Z') });
    expect(later.events).toEqual(fresh.events);
    const reason = 'is down (answered 500); a copy that is 5 h old stands in, with 1 events';
    expect(later.degraded).toEqual([{ source: 'team', reason, missing: false }]);
  });

  it('waits for no source longer than the deadline', async () => {
    feed.answer = () => undefined;
    const slow: EventSourceSpec = { kind: 'ical', url: feed.url };
    const report = await read([slow, file], {}, { deadlineSeconds: 0.2 });
    expect(report.events).toHaveLength(2);
    expect(report.degraded).toMatchObject([
      { source: 'ical-1', reason: expect.stringContaining('no answer in 0.2 s') },
    ]);
  });

  it('throws when it is no longer wanted', async () => {
    feed.answer = () => undefined;
    const cancel = new AbortController();
    const reading = readEvents([{ kind: 'ical', url: feed.url }], surroundings(directory), MARCH, cancel.signal);
    cancel.abort(new Error('cancelled'));
    await expect(reading).rejects.toThrow('cancelled');
  });

  it('asks a calendar service for its window, with the token, which goes to no other origin', async () => {
    const other = await startFeed(text(JSON.stringify([event('z')])));
    try {
      const source: EventSourceSpec = { kind: 'calendar', url: `${feed.url}?team=1`, tokenVariable: 'TOKEN' };
      const variable = (name: string): string | undefined => (name === 'TOKEN' ? 's3cret' : undefined);
      feed.answer = (request, response) => status(307, { location: other.url })(request, response);
      const { events } = await read([source], { variable });
      expect(events.map(({ id }) => id)).toEqual(['calendar-1/z']);
      const [asked] = feed.requests;
      expect(asked?.headers.authorization).toBe('Bearer s3cret');
      const query = new URL(asked?.url ?? '', feed.url).searchParams;
      expect([query.get('team'), query.get('from'), query.get('to')]).toEqual([
        '1',
        '2026-03-01T00:00:00.000Z',
        '2026-04-15T00:00:00.000Z',
      ]);
      expect(other.requests[0]?.headers.authorization).toBeUndefined();
      const { degraded } = await read([source]);
      expect(degraded).toMatchObject([{ reason: expect.stringContaining('TOKEN is not set'), missing: true }]);
    } finally {
      await other.close();
    }
  });
});
