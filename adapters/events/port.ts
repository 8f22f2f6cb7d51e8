import type { EventsWindow } from '../../core/forecast/events/eventsFile.js';
import type { EventSpec } from '../../core/spec/region.js';
import type { TimeZone } from '../../core/spec/timeZone.js';

/** Where events that are known ahead come from. */
export interface EventSource {
  /**
   * The events that touch the window (milliseconds since the epoch). Never throws for a source that is down or
   * answers nonsense: the reading says so, with the last good copy where there is one. Throws when `signal` aborts.
   */
  read(window: EventsWindow, signal: AbortSignal): Promise<EventReading>;
}

export interface EventReading {
  events: readonly EventSpec[];
  /** What a person should know: entries that were left out, and why. */
  notes: readonly string[];
  /** When the source itself gave this, milliseconds since the epoch; absent: it gave nothing. */
  fetchedAt?: number;
  /** Why the source gave nothing this time. */
  down?: string;
  /** Age of the copy that stands in, where the source is down. */
  staleSeconds?: number;
}

/** What sources need of their surroundings. */
export interface EventSurroundings {
  /** Relative files are looked up from here. */
  directory: string;
  /** Last good copies of remote sources; created when there is none. */
  cacheDirectory: string;
  /** Where days without a zone belong. */
  timeZone: TimeZone;
  /** Value of an environment variable of the worker. */
  variable(name: string): string | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
  limits: SourceLimits;
}

export interface SourceLimits {
  /** For one remote source, redirects included. */
  timeoutSeconds: number;
  /** Of a file, or of an answer after it is unpacked. */
  maxMiB: number;
  maxRedirects: number;
  /** A copy younger than this is used without asking again. */
  freshSeconds: number;
  /** For all sources together. */
  deadlineSeconds: number;
}

export const SOURCE_LIMITS: SourceLimits = {
  timeoutSeconds: 10,
  maxMiB: 8,
  maxRedirects: 3,
  freshSeconds: 60,
  deadlineSeconds: 30,
};
