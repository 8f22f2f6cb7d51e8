import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { EventsWindow } from '../../core/forecast/events/eventsFile.js';
import { parseInstant } from '../../core/spec/instant.js';
import type { EventSourceSpec } from '../../core/spec/eventSource.js';
import { UTC } from '../../core/spec/timeZone.js';
import type { Feed } from './feed.js';
import { startFeed, status, text } from './feed.js';
import type { EventReading, EventSource, EventSurroundings, SourceLimits } from './port.js';
import { SOURCE_LIMITS } from './port.js';
import { openEventSource } from './registry.js';

export const MARCH: EventsWindow = {
  fromMs: Date.parse('2026-03-01T00:00:00Z'),
  toMs: Date.parse('2026-04-15T00:00:00Z'),
};

export function surroundings(directory: string, more: Partial<EventSurroundings> = {}): EventSurroundings {
  return {
    directory,
    cacheDirectory: path.join(directory, 'copies'),
    timeZone: UTC,
    variable: () => undefined,
    now: () => Date.parse('2026-03-20T00:00:00Z'),
    limits: { ...SOURCE_LIMITS, freshSeconds: 0 },
    ...more,
  };
}

export interface SourceUnderTest {
  /** Has events that touch MARCH, and others. */
  sound: EventSourceSpec;
  /** Its origin is not there. */
  broken: EventSourceSpec;
}

/** What every event source must do; `prepare` gets an empty folder that files are looked up from. */
export function eventSourceContract(name: string, prepare: (directory: string) => Promise<SourceUnderTest>): void {
  describe(`${name} as an event source`, () => {
    let directory: string;
    let specs: SourceUnderTest;
    beforeEach(async () => {
      directory = await mkdtemp(path.join(tmpdir(), 'psmg-events-'));
      specs = await prepare(directory);
    });
    afterEach(() => rm(directory, { recursive: true, force: true }));
    const open = (spec: EventSourceSpec): EventSource => openEventSource(spec, surroundings(directory));
    const signal = new AbortController().signal;

    it('gives events of the window, each with an id of its own, a kind and times that follow each other', async () => {
      const { events, down, fetchedAt } = await open(specs.sound).read(MARCH, signal);
      expect(down).toBeUndefined();
      expect(fetchedAt).toBe(Date.parse('2026-03-20T00:00:00Z'));
      expect(events.length).toBeGreaterThan(0);
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
      for (const { id, kind, start, end } of events) {
        expect([id, kind]).not.toContain('');
        const [from, to] = [parseInstant(start) ?? Number.NaN, parseInstant(end) ?? Number.NaN];
        expect(from).toBeLessThan(to);
        expect(from).toBeLessThan(MARCH.toMs);
        expect(to).toBeGreaterThan(MARCH.fromMs);
      }
    });

    it('gives the same again, and nothing for a window where there is nothing', async () => {
      const source = open(specs.sound);
      expect(await source.read(MARCH, signal)).toEqual(await source.read(MARCH, signal));
      const nothing = { fromMs: Date.parse('1990-02-05T00:00:00Z'), toMs: Date.parse('1990-02-06T00:00:00Z') };
      expect(await source.read(nothing, signal)).toMatchObject({ events: [], notes: [] });
    });

    it('says that it is down instead of throwing', async () => {
      const reading = await open(specs.broken).read(MARCH, signal);
      expect(reading).toEqual({ events: [], notes: [], down: expect.any(String) });
    });

    it('throws when it is no longer wanted', async () => {
      const reason = new Error('cancelled');
      await expect(open(specs.sound).read(MARCH, AbortSignal.abort(reason))).rejects.toThrow('cancelled');
    });
  });
}

export interface RemoteUnderTest {
  spec(url: string): EventSourceSpec;
  /** An answer with events that touch MARCH. */
  body: string;
}

const LIMITS: Partial<SourceLimits> = { maxMiB: 0.1, maxRedirects: 2 };

/** What every source that asks an address must do, and that its parent contract does not say. */
export function remoteSourceContract(name: string, { spec, body }: RemoteUnderTest): void {
  describe(`${name} from an address`, () => {
    let directory: string;
    let feed: Feed;
    let nowMs: number;
    beforeEach(async () => {
      directory = await mkdtemp(path.join(tmpdir(), 'psmg-events-'));
      feed = await startFeed(text(body, { etag: '"1"', 'last-modified': 'Sun, 01 Mar 2026 00:00:00 GMT' }));
      nowMs = Date.parse('2026-03-20T00:00:00Z');
    });
    afterEach(async () => {
      await feed.close();
      await rm(directory, { recursive: true, force: true });
    });
    const read = async (limits: Partial<SourceLimits> = {}, signal?: AbortSignal): Promise<EventReading> => {
      const around = surroundings(directory, {
        now: () => nowMs,
        limits: { ...SOURCE_LIMITS, freshSeconds: 60, ...LIMITS, ...limits },
      });
      return openEventSource(spec(feed.url), around).read(MARCH, signal ?? new AbortController().signal);
    };
    const later = (seconds: number): void => void (nowMs += seconds * 1000);

    it('asks no more than once while its copy is fresh, and then whether anything changed', async () => {
      const first = await read();
      later(59);
      expect(await read()).toEqual(first);
      expect(feed.requests).toHaveLength(1);
      later(2);
      feed.answer = status(304);
      expect(await read()).toEqual({ ...first, fetchedAt: nowMs });
      expect(feed.requests[1]?.headers).toMatchObject({
        'if-none-match': '"1"',
        'if-modified-since': 'Sun, 01 Mar 2026 00:00:00 GMT',
      });
      later(30);
      await read();
      expect(feed.requests).toHaveLength(2);
    });

    // Short where nothing ever comes, and there alone: a busy machine may be slow to answer.
    const hasty = { timeoutSeconds: 0.2 };
    const failures: readonly [what: string, failure: Failure][] = [
      ['answers 503', { answer: status(503), reason: /answered 503/ }],
      ['answers 304 without having been asked for changes', { answer: status(304), reason: /304/ }],
      ['never answers', { answer: () => undefined, reason: /no answer in 0.2 s/, limits: hasty }],
      ['stops half-way', { answer: half(body), reason: /no answer in 0.2 s/, limits: hasty }],
      ['breaks off', { answer: (request) => void request.socket.destroy(), reason: /cannot be reached/ }],
      ['sends too much', { answer: text('x'.repeat(200_000)), reason: /more than 0.1 MiB/ }],
      ['never stops sending', { answer: endless, reason: /more than 0.1 MiB/ }],
      ['sends a page', { answer: text(PAGE), reason: /nothing that can be used/ }],
      ['leads round in a circle', { answer: status(302, { location: '/again' }), reason: /more than 2 times/ }],
      ['leads to a file', { answer: status(302, { location: 'file:///etc/passwd' }), reason: /not followed/ }],
      ['leads nowhere', { answer: status(302), reason: /answered 302/ }],
      ['leads to what is no address', { answer: status(302, { location: 'http://[' }), reason: /cannot be reached/ }],
    ];
    it.each(failures)('says so when the address %s', async (_, { answer, reason, limits }) => {
      feed.answer = answer;
      const reading = await read(limits);
      expect(reading).toEqual({ events: [], notes: [], down: expect.stringMatching(reason) });
    });

    it.each(failures)(
      'gives its last copy, and how old it is, when the address %s',
      async (what, { answer, reason, limits }) => {
        const first = await read();
        later(7200);
        feed.answer = answer;
        // Asked for changes, a 304 is an answer as good as any.
        const expected = what.startsWith('answers 304')
          ? { ...first, fetchedAt: nowMs }
          : { ...first, down: expect.stringMatching(reason), staleSeconds: 7200 };
        expect(await read(limits)).toEqual(expected);
        feed.answer = text(body);
        expect(await read()).toEqual({ ...first, fetchedAt: nowMs });
      },
    );

    it('follows a redirect', async () => {
      feed.answer = (request, response) =>
        request.url?.startsWith('/moved') === true
          ? text(body)(request, response)
          : status(301, { location: '/moved' })(request, response);
      expect((await read()).events.length).toBeGreaterThan(0);
    });

    it('says so when nobody listens, and stops when it is no longer wanted', async () => {
      feed.answer = () => undefined;
      const cancel = new AbortController();
      const reading = read({ timeoutSeconds: 60 }, cancel.signal);
      cancel.abort(new Error('cancelled'));
      await expect(reading).rejects.toThrow('cancelled');
      await feed.close();
      expect((await read()).down).toMatch(/ECONNREFUSED/);
    });

    it('takes a broken copy for none', async () => {
      await read();
      const copies = path.join(directory, 'copies');
      const files = await readdir(copies);
      expect(files).toHaveLength(1);
      await writeFile(path.join(copies, files[0] ?? ''), '{"url":');
      feed.answer = status(500);
      expect(await read()).toEqual({ events: [], notes: [], down: 'answered 500' });
    });
  });
}

interface Failure {
  answer: Feed['answer'];
  reason: RegExp;
  limits?: Partial<SourceLimits>;
}

const PAGE = '<!doctype html>\n<html><body>Sign in: </body></html>\n';

function half(body: string): Feed['answer'] {
  return (_, response) => void response.writeHead(200).write(body.slice(0, 20));
}

function endless(_: unknown, response: Parameters<Feed['answer']>[1]): void {
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(10_000)));
  };
  response.on('drain', more);
  response.writeHead(200);
  more();
}
