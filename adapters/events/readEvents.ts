import { setTimeout as sleep } from 'node:timers/promises';

import type { EventsWindow } from '../../core/forecast/events/eventsFile.js';
import type { EventSourceSpec } from '../../core/spec/eventSource.js';
import type { EventSpec } from '../../core/spec/region.js';
import type { EventReading, EventSurroundings } from './port.js';
import { openEventSource } from './registry.js';
import { down } from './text.js';

/** A source that did not answer as it should. */
export interface DegradedSource {
  source: string;
  /** Why, and what stands in, in words. */
  reason: string;
  /** Nothing stands in: its events are missing from the forecast. */
  missing: boolean;
}

export interface EventsReport {
  /** Their ids begin with the name of their source. */
  events: readonly EventSpec[];
  notes: readonly string[];
  degraded: readonly DegradedSource[];
}

/** What a source that does not heed the deadline gets on top of it, to hand over its last copy. */
const GRACE_MS = 500;

/**
 * Reads all sources side by side, within one deadline. A source that is down, late or broken costs its own events
 * alone, and is named. Throws only when `signal` aborts.
 */
export async function readEvents(
  sources: readonly EventSourceSpec[],
  around: EventSurroundings,
  window: EventsWindow,
  signal: AbortSignal,
): Promise<EventsReport> {
  signal.throwIfAborted();
  const names = namesOf(sources);
  const readings = await Promise.all(sources.map((spec) => readOne(spec, around, window, signal)));
  const events: EventSpec[] = [];
  const notes: string[] = [];
  const degraded: DegradedSource[] = [];
  for (const [index, reading] of readings.entries()) {
    const source = names[index] ?? '';
    const ids = new Set<string>();
    for (const event of reading.events) {
      // A source must not repeat an id; one that does must not let an event stand for another.
      let id = `${source}/${event.id}`;
      for (let n = 2; ids.has(id); n++) id = `${source}/${event.id} #${n}`;
      ids.add(id);
      events.push({ ...event, id });
    }
    notes.push(...reading.notes.map((note) => `event source ${source}: ${note}`));
    if (reading.down === undefined) continue;
    degraded.push({ source, reason: reasonOf(reading), missing: reading.fetchedAt === undefined });
  }
  notes.push(...degraded.map(({ source, reason }) => `event source ${source} ${reason}`));
  return { events, notes, degraded };
}

async function readOne(
  spec: EventSourceSpec,
  around: EventSurroundings,
  window: EventsWindow,
  signal: AbortSignal,
): Promise<EventReading> {
  const { deadlineSeconds, timeoutSeconds } = around.limits;
  const limits = { ...around.limits, timeoutSeconds: Math.min(timeoutSeconds, deadlineSeconds) };
  const over = new AbortController();
  try {
    const late = sleep(deadlineSeconds * 1000 + GRACE_MS, undefined, { signal: over.signal }).then(() =>
      down(`gave no answer in ${deadlineSeconds} s`),
    );
    late.catch(() => undefined);
    return await Promise.race([openEventSource(spec, { ...around, limits }).read(window, signal), late]);
  } catch (error) {
    signal.throwIfAborted();
    return down(`failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    over.abort();
  }
}

function reasonOf({ down: why = '', staleSeconds, fetchedAt, events }: EventReading): string {
  const copy =
    fetchedAt === undefined || staleSeconds === undefined
      ? 'its events are missing'
      : `a copy that is ${ageText(staleSeconds)} old stands in, with ${events.length} events`;
  return `is down (${why}); ${copy}`;
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

function namesOf(sources: readonly EventSourceSpec[]): string[] {
  const taken = new Set(sources.map(({ name }) => name));
  return sources.map(({ name, kind }, index) => {
    if (name !== undefined) return name;
    let own = `${kind}-${index + 1}`;
    while (taken.has(own)) own += '-';
    taken.add(own);
    return own;
  });
}
