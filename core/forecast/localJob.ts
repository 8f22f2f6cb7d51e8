import { timeZoneNamed } from '../spec/timeZone.js';
import type { Curves } from './curves.js';
import { curvesOf } from './curves.js';
import type { ServiceJob } from './ensemble/draft.js';
import { fromLocalClock, localHorizon, localMs, toLocalClock } from './history/prepare/localClock.js';
import type { Series } from './series.js';
import { endMs } from './series.js';

/** A question on the clock that the region's people live by, and the way back to the steps that were asked for. */
export interface LocalJob {
  job: ServiceJob;
  /** Steps ahead on the local clock, from the end of its history, that answer all that was asked. */
  leads: number;
  /** Values by local lead → by lead of the question. */
  back(values: readonly number[]): readonly number[];
}

/**
 * Moves a question to the clock of its time zone, so that days begin at midnight there and seasons stay in place when
 * the clock changes. Times of the local job are those of that clock, written as if it were UTC.
 */
export function onLocalClock(job: ServiceJob, leads: number): LocalJob {
  const { history, timeZone } = job;
  const zone = timeZone === undefined ? null : timeZoneNamed(timeZone);
  if (zone === null || timeZone === undefined) return { job, leads, back: (values) => values };
  const local = toLocalClock(history, timeZone, leads);
  const offsetMs = zone.offsetMs(history.startMs);
  const moved = (series: Series): Series => ({ ...series, startMs: series.startMs + offsetMs });
  const onClock = (utcMs: number): number => localMs(local, utcMs) + offsetMs;
  const values = (known: readonly number[]): readonly number[] => {
    const steps = { ...history, values: known };
    return toLocalClock(steps, timeZone).series.values;
  };
  const series = moved(local.series);
  return {
    job: {
      ...job,
      history: series,
      ...(job.trainable === undefined ? {} : { trainable: moved(toLocalClock(job.trainable, timeZone, leads).series) }),
      startMs: endMs(series),
      events: job.events.map((event) => ({ ...event, startMs: onClock(event.startMs), endMs: onClock(event.endMs) })),
      known: job.known.map(({ name, values: utc }) => ({ name, values: values(utc) })),
    },
    leads: localHorizon(local, leads),
    back: (ahead) => fromLocalClock(local, ahead, leads),
  };
}

export function curvesBack(curves: Curves, back: LocalJob['back']): Curves {
  return curvesOf((name) => back(curves[name]));
}
