import type { TimedEvent } from '../../../core/forecast/events/events.js';
import type { KnownSeries } from '../../../core/forecast/members/members.js';
import type { Series } from '../../../core/forecast/series.js';
import { sliceSeries } from '../../../core/forecast/series.js';
import type { Question } from '../data.js';

/** What all windows of one series share. */
export interface WholeSeries {
  id: string;
  series: Series;
  events?: readonly TimedEvent[];
  known?: readonly KnownSeries[];
}

export interface WindowPlan {
  windows: number;
  horizon: number;
  /** Steps from one origin to the next; absent: the horizon, so that no step is asked twice. */
  stride?: number;
  /** Steps that the first window must have before it. */
  least: number;
}

/** The last windows of a series, oldest first, each forecast from all before it. Throws where the series is too short. */
export function lastWindows({ id, series, events = [], known = [] }: WholeSeries, plan: WindowPlan): Question[] {
  const { windows, horizon, stride = horizon, least } = plan;
  return Array.from({ length: windows }, (_, index): Question => {
    const origin = series.values.length - horizon - stride * (windows - 1 - index);
    if (origin < least) throw new Error(`${id}: ${windows} windows leave only ${origin} steps of history`);
    const history = sliceSeries(series, origin);
    const actual = series.values.slice(origin, origin + horizon);
    return { id: `${id}, window ${index + 1}`, seriesId: id, history, events, known, actual };
  });
}
