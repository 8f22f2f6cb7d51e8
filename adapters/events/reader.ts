import type { EventsWindow } from '../../core/forecast/events/eventsFile.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { timeZoneNamed, UTC } from '../../core/spec/timeZone.js';
import type { EventSurroundings, SourceLimits } from './port.js';
import { SOURCE_LIMITS } from './port.js';
import type { EventsReport } from './readEvents.js';
import { readEvents } from './readEvents.js';

/** Reads the event sources of regions. */
export interface EventsReader {
  /** Never throws for a source; throws when `signal` aborts. */
  read(
    spec: Pick<RegionSpec, 'eventSources' | 'forecast'>,
    window: EventsWindow,
    signal: AbortSignal,
  ): Promise<EventsReport>;
}

export function createEventsReader(
  around: Omit<EventSurroundings, 'timeZone' | 'limits'> & { limits?: SourceLimits },
): EventsReader {
  return {
    read: ({ eventSources, forecast }, window, signal) => {
      const timeZone = timeZoneNamed(forecast.timeZone ?? 'UTC') ?? UTC;
      return readEvents(eventSources ?? [], { limits: SOURCE_LIMITS, ...around, timeZone }, window, signal);
    },
  };
}
