import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import type { EventsRead, EventsWindow } from '../../core/forecast/events/eventsFile.js';
import { parseInstant } from '../../core/spec/instant.js';
import { formatProblem } from '../../core/spec/problem.js';
import type { SourcePlace } from '../../core/spec/eventSource.js';
import type { EventSpec } from '../../core/spec/region.js';
import type { Copy } from './copies.js';
import { readCopy, writeCopy } from './copies.js';
import type { DownloadRequest } from './download.js';
import { download } from './download.js';
import type { EventReading, EventSource, EventSurroundings } from './port.js';

/** What a text of a source says; `name` stands for it in problems. */
export type ReadText = (text: string, name: string, window: EventsWindow) => EventsRead;

/** A source whose events stand in a text: a file, or what an address answers. */
export function createTextSource(place: SourcePlace, around: EventSurroundings, readText: ReadText): EventSource {
  const { url, file } = place;
  if (url !== undefined) {
    return { read: (window, signal) => readRemote({ url }, url, around, window, signal, readText) };
  }
  return { read: (window, signal) => readLocal(file ?? '', around, window, signal, readText) };
}

async function readLocal(
  file: string,
  around: EventSurroundings,
  window: EventsWindow,
  signal: AbortSignal,
  readText: ReadText,
): Promise<EventReading> {
  signal.throwIfAborted();
  try {
    const absolute = path.resolve(around.directory, file);
    const { size } = await stat(absolute);
    const { maxMiB } = around.limits;
    if (size > maxMiB * 1024 * 1024) return down(`${file} is larger than ${maxMiB} MiB`);
    const read = readText(await readFile(absolute, { encoding: 'utf8', signal }), file, window);
    const unusable = whyUnusable(read);
    return unusable === null ? reading(read, window, around.now()) : down(unusable);
  } catch (error) {
    signal.throwIfAborted();
    return down(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Asks a remote source, unless a fresh copy is there; keeps what it answered where that can be read, and falls back to
 * the last copy where not. `key` names the copy: it outlives the parts of an address that change from read to read.
 */
export async function readRemote(
  request: DownloadRequest,
  key: string,
  around: EventSurroundings,
  window: EventsWindow,
  signal: AbortSignal,
  readText: ReadText,
): Promise<EventReading> {
  const name = nameOf(request.url);
  const { cacheDirectory, limits } = around;
  const copy = await readCopy(cacheDirectory, key);
  const same = copy !== null && copy.url === request.url;
  const ageSeconds = copy === null ? Number.POSITIVE_INFINITY : Math.max(0, around.now() - copy.fetchedAt) / 1000;
  if (same && ageSeconds < limits.freshSeconds) {
    return reading(readText(copy.text, name, window), window, copy.fetchedAt);
  }
  const conditions = same ? pick(copy) : {};
  const answer = await download({ ...request, ...conditions }, limits, signal);
  if (answer.kind === 'failed') return standIn(answer.reason, copy, name, around, window, readText);
  if (answer.kind === 'unchanged') {
    if (!same) return standIn('answered 304, but was not asked for changes', copy, name, around, window, readText);
    const renewed: Copy = { ...copy, fetchedAt: around.now() };
    const kept = await writeCopy(cacheDirectory, key, renewed);
    return reading(readText(copy.text, name, window), window, renewed.fetchedAt, unkept(kept));
  }
  const read = readText(answer.text, name, window);
  const unusable = whyUnusable(read);
  // What cannot be read must not take the place of what could.
  if (unusable !== null) return standIn(unusable, copy, name, around, window, readText);
  const fetchedAt = around.now();
  const { text, ...validators } = answer;
  const fresh = { url: request.url, text, fetchedAt, ...pick(validators) };
  return reading(read, window, fetchedAt, unkept(await writeCopy(cacheDirectory, key, fresh)));
}

function standIn(
  reason: string,
  copy: Copy | null,
  name: string,
  around: EventSurroundings,
  window: EventsWindow,
  readText: ReadText,
): EventReading {
  if (copy === null) return down(reason);
  const staleSeconds = Math.round(Math.max(0, around.now() - copy.fetchedAt) / 1000);
  return { ...reading(readText(copy.text, name, window), window, copy.fetchedAt), down: reason, staleSeconds };
}

function pick({ etag, lastModified }: { etag?: string; lastModified?: string }): {
  etag?: string;
  lastModified?: string;
} {
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

function unkept(reason: string | null): string[] {
  return reason === null ? [] : [`no copy could be kept: ${reason}`];
}

/** Some entries may be broken; a text of which nothing can be used is not what the source was meant to say. */
function whyUnusable({ sound, problems }: EventsRead): string | null {
  const [first] = problems;
  if (first === undefined || sound > 0) return null;
  return `gave nothing that can be used: ${formatProblem(first)}`;
}

export function down(reason: string): EventReading {
  return { events: [], notes: [], down: reason };
}

/** Problems named of those that a text has. */
const NAMED_PROBLEMS = 3;

export function reading(
  { events, problems, notes }: EventsRead,
  window: EventsWindow,
  fetchedAt: number,
  more: readonly string[] = [],
): EventReading {
  const named = problems.slice(0, NAMED_PROBLEMS).map(formatProblem).join('; ');
  const left = problems.length === 0 ? [] : [`entries with ${problems.length} problems were left out: ${named}`];
  return { events: touching(events, window), notes: [...left, ...notes, ...more], fetchedAt };
}

function touching(events: readonly EventSpec[], { fromMs, toMs }: EventsWindow): EventSpec[] {
  return events.filter(({ start, end }) => (parseInstant(end) ?? 0) > fromMs && (parseInstant(start) ?? toMs) < toMs);
}

/** An address without what may be secret in it. */
function nameOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
