import { parseDemandCsv } from '../spec/csvDemand.js';
import type { DemandSample } from '../spec/csvDemand.js';
import { ok, refused } from '../spec/problem.js';
import type { Result } from '../spec/problem.js';
import { peakFactor } from './capacity/peakFactor.js';
import type { PeakFactor } from './capacity/peakFactor.js';

const SECOND_MS = 1000;
/** Steps of every service that are looked at, the newest: how bursty demand is changes slowly. */
const MOST_STEPS = 200;

/**
 * How far the busiest second of a step is above the step's mean, by service, from requests by second. A second that is
 * not listed had no request; a step of which nothing is listed says nothing. Services without a whole step are left out.
 */
export function peaksBySecond(samples: readonly DemandSample[], stepSeconds: number): ReadonlyMap<string, PeakFactor> {
  const stepMs = stepSeconds * SECOND_MS;
  const steps = new Map<string, Map<number, number[]>>();
  for (const { service, at, rps } of samples) {
    const step = Math.floor(at / stepMs);
    const own = steps.get(service) ?? new Map<number, number[]>();
    steps.set(service, own);
    const counts = own.get(step) ?? Array.from({ length: Math.max(1, Math.round(stepSeconds)) }, () => 0);
    own.set(step, counts);
    const second = Math.min(counts.length - 1, Math.floor((at - step * stepMs) / SECOND_MS));
    counts[second] = (counts[second] ?? 0) + Math.max(0, rps);
  }
  return new Map(
    [...steps].map(([service, own]): [string, PeakFactor] => {
      const newest = [...own].sort(([a], [b]) => a - b).slice(-MOST_STEPS);
      return [service, peakFactor({ counts: newest.flatMap(([, counts]) => counts), stepSeconds })];
    }),
  );
}

/**
 * The same from the text of a file in the form of demand history. `stepSeconds`: of the forecast. Every problem of the
 * file at once.
 */
export function readPeaks(text: string, file: string, stepSeconds: number): Result<ReadonlyMap<string, PeakFactor>> {
  const { rows, problems } = parseDemandCsv(text, file);
  return problems.length > 0 ? refused(problems) : ok(peaksBySecond(rows, stepSeconds));
}

/** What demand of a service is multiplied by, and why. */
export interface Burst {
  factor: number;
  reason: string;
}

/**
 * A service's own seconds tell how its demand bunches; where there are none, those of the entries that its requests
 * come from, each by what it brings. Undefined where nothing is known: chance alone is in the queue model already.
 */
export function burstOf(
  service: string,
  calls: ReadonlyMap<string, number>,
  peaks: ReadonlyMap<string, PeakFactor>,
): Burst | undefined {
  const own = peaks.get(service);
  if (own !== undefined) return { factor: own.excess, reason: own.reason };
  const known = [...calls].filter(([entry]) => peaks.has(entry));
  const total = known.reduce((sum, [, weight]) => sum + weight, 0);
  if (total <= 0) return undefined;
  const factor = known.reduce((sum, [entry, weight]) => sum + (weight * (peaks.get(entry)?.excess ?? 1)) / total, 0);
  return { factor, reason: `bursts of ${known.map(([entry]) => entry).join(', ')} are passed on` };
}
