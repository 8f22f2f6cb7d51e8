import type { EventsRead } from '../../core/forecast/events/eventsFile.js';
import { readJsonText, refusedWhole } from '../../core/forecast/events/eventsFile.js';
import { parseInstant } from '../../core/spec/instant.js';
import { isRecord } from '../../core/spec/rawDocument.js';
import type { NewsSourceSpec } from '../../core/spec/eventSource.js';
import type { EventSpec } from '../../core/spec/region.js';
import type { EventSource, EventSurroundings } from './port.js';
import { createTextSource } from './text.js';

const DAY_MS = 86_400_000;
/** Fewer points than this have no usual to stand above. */
const MIN_POINTS = 8;

/** News volume in time, as GDELT's timeline (`mode=timelinevol&format=json`) or a list of `{datetime, value}`. */
export function createNewsSource(spec: NewsSourceSpec, around: EventSurroundings): EventSource {
  return createTextSource(spec, around, (text, name, { atMs }) => readVolume(text, name, spec, atMs));
}

interface Point {
  at: number;
  value: number;
}

/**
 * An event wherever the volume is above `threshold` times its median. One that still is at the end of the data is
 * taken to last as long again, at most a day: what is in the news now is not over because the data end.
 */
export function readVolume(text: string, name: string, spec: NewsSourceSpec, atMs?: number): EventsRead {
  return readJsonText(text, name, (document) => volumeOf(document, name, spec, atMs));
}

function volumeOf(document: unknown, name: string, spec: NewsSourceSpec, atMs: number | undefined): EventsRead {
  const list = listOf(document);
  if (list === null) return refusedWhole(name, 'holds no timeline: [{"datetime", "value"}, …]');
  const all = list.flatMap((entry) => pointOf(entry) ?? []).sort((a, b) => a.at - b.at);
  if (all.length === 0 && list.length > 0) return refusedWhole(name, 'holds no point with a time and a volume');
  const broken = list.length - all.length;
  // A forecast as of an earlier moment must not know the news that came after it.
  const points = all.filter(({ at }) => atMs === undefined || at < atMs);
  const notes = broken === 0 ? [] : [`${name}: ${broken} points without time or volume were left out`];
  const nothing = (why: string): EventsRead => ({
    events: [],
    sound: all.length,
    problems: [],
    notes: [...notes, `${name}: ${why}`],
  });
  if (points.length < MIN_POINTS) return nothing('too few points to tell news from the usual');
  const usual = median(points.map(({ value }) => value));
  if (usual <= 0) return nothing('there is no usual volume to stand above');
  const read = eventsAbove(points, usual, spec);
  const said = read.notes.map((note) => `${name}: ${note}`);
  return { events: read.events, sound: all.length, problems: [], notes: [...notes, ...said] };
}

function eventsAbove(
  points: readonly Point[],
  usual: number,
  spec: NewsSourceSpec,
): { events: EventSpec[]; notes: string[] } {
  const stepMs = Math.max(1, median(points.slice(1).map(({ at }, index) => at - (points[index]?.at ?? at))));
  const runs: { from: number; to: number }[] = [];
  for (const { at, value } of points) {
    if (value <= spec.threshold * usual) continue;
    const run = runs.at(-1);
    if (run !== undefined && at <= run.to) run.to = at + stepMs;
    else runs.push({ from: at, to: at + stepMs });
  }
  const notes: string[] = [];
  const last = runs.at(-1);
  if (last !== undefined && last.to === (points.at(-1)?.at ?? 0) + stepMs) {
    const moreMs = Math.min(last.to - last.from, DAY_MS);
    last.to += moreMs;
    notes.push(`news goes on at the end of the data; ${Math.round(moreMs / 3_600_000)} h more were assumed`);
  }
  const events = runs.map(({ from, to }): EventSpec => {
    const start = new Date(from).toISOString();
    const { eventKind: kind, services } = spec;
    const about = services === undefined ? {} : { services };
    return { id: `${kind} ${start}`, kind, start, end: new Date(to).toISOString(), ...about };
  });
  return { events, notes };
}

function listOf(document: unknown): readonly unknown[] | null {
  if (Array.isArray(document)) return document;
  if (!isRecord(document)) return null;
  const timeline = document['timeline'] ?? document['data'];
  if (!Array.isArray(timeline)) return null;
  const [series] = timeline as unknown[];
  // GDELT gives a list of series; the first is the volume that was asked for.
  return isRecord(series) && Array.isArray(series['data']) ? series['data'] : timeline;
}

function pointOf(entry: unknown): Point | null {
  if (!isRecord(entry)) return null;
  const written = entry['datetime'] ?? entry['date'] ?? entry['timestamp'];
  const at = typeof written === 'string' ? timeOf(written) : null;
  const value = Number(entry['value'] ?? Number.NaN);
  return at === null || !Number.isFinite(value) || value < 0 ? null : { at, value };
}

/** ISO 8601 with a zone, or GDELT's `20260301T120000Z` and `20260301120000`, which are UTC. */
function timeOf(text: string): number | null {
  const compact = /^(\d{4})(\d{2})(\d{2})T?(\d{2})(\d{2})(\d{2})Z?$/.exec(text.trim());
  if (compact === null) return parseInstant(text);
  const [, year, month, day, hour, minute, second] = compact;
  return parseInstant(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
