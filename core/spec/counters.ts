import type { DemandSample } from './csvDemand.js';

/** A counter that was not read for longer than so many usual distances says nothing about when its requests came. */
const MOST_DISTANCES = 3;

/** Time order; the written value stands in `rps`. */
type Reading = Pick<DemandSample, 'at' | 'service' | 'rps'>;

/**
 * Rates from readings of a counter: each is the increase to the next reading over the time between. A counter that
 * fell was reset, and its new value is the increase since. Between readings far apart there is no rate, but a hole;
 * of several readings of one time the highest counts. `refuse` is told a service that has one time alone.
 */
export function ratesOfCounter<T extends Reading>(readings: readonly T[], refuse: (only: T) => void): DemandSample[] {
  const byTime = timesOf(readings).map((same) => same.reduce((top, one) => (one.rps > top.rps ? one : top)));
  const usual = usualDistance(byTime, refuse);
  return byTime.slice(1).flatMap((next, place): DemandSample[] => {
    const now = byTime[place];
    if (now === undefined || next.at - now.at > MOST_DISTANCES * usual) return [];
    const spanMs = next.at - now.at;
    const isReset = next.rps < now.rps;
    const rps = (isReset ? next.rps : next.rps - now.rps) / (spanMs / 1000);
    return [{ at: now.at, service: now.service, rps, spanMs, ...(isReset ? { isReset } : {}) }];
  });
}

/** Rates from counts, each of the time to the next row; one before a hole was counted as long as the one before it. */
export function ratesOfRequests<T extends Reading>(rows: readonly T[], refuse: (only: T) => void): DemandSample[] {
  const byTime = timesOf(rows);
  const usual = usualDistance(
    byTime.flatMap((same) => same.slice(0, 1)),
    refuse,
  );
  if (usual === 0) return [];
  return byTime.flatMap((same, place) => {
    const at = same[0]?.at ?? 0;
    const ahead = (byTime[place + 1]?.[0]?.at ?? Number.POSITIVE_INFINITY) - at;
    const behind = at - (byTime[place - 1]?.[0]?.at ?? Number.NEGATIVE_INFINITY);
    const near = Math.min(ahead, behind);
    const spanMs = near > MOST_DISTANCES * usual && near > ahead / 2 ? usual : near;
    return same.map(({ service, rps }) => ({ at, service, rps: rps / (spanMs / 1000) }));
  });
}

function timesOf<T extends Reading>(rows: readonly T[]): (readonly T[])[] {
  const times: T[][] = [];
  for (const row of rows) {
    const last = times.at(-1);
    if (last?.[0]?.at === row.at) last.push(row);
    else times.push([row]);
  }
  return times;
}

/** Middle of the distances between times, milliseconds; 0 where there is one time alone. */
function usualDistance<T extends Reading>(rows: readonly T[], refuse: (only: T) => void): number {
  const distances = rows.slice(1).map((row, place) => row.at - (rows[place]?.at ?? 0));
  const middle = distances.sort((a, b) => a - b)[Math.floor(distances.length / 2)];
  const [only] = rows;
  if (middle === undefined && only !== undefined) refuse(only);
  return middle ?? 0;
}
