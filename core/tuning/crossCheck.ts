import type { Contradiction, Observation, ServiceObservation } from '../spec/observation.js';
import type { ServiceSignals, SignalSet } from '../spec/signals.js';
import type { OwnWindow } from './ownWindows.js';
import { MOST_UNCOVERED, windowBetween, windowOf } from './ownWindows.js';
import { percent } from './percent.js';

/** What two honest sources may differ by: scrapes are not at the same moment, and counts are chance. */
export const CROSS_CHECK = {
  /** Of the larger of the two. */
  relative: 0.25,
  /** Of the difference of two Poisson counts, or of two proportions. */
  standardDeviations: 3,
  /** Error rates nearer than this lead to the same verdict. */
  errorRate: 0.005,
} as const;

/**
 * The record with what another source contradicts. Both must speak of the same time: where the other's window is longer
 * than this one, it is compared with what the proxies counted in `earlier` windows and this one together, and not at all
 * where those have gaps. The other may be late by the age of its newest sample: what lies between the proxies' count for
 * its window and for the one that ended so much earlier is honest. A difference counts when it is larger than every bound
 * of `CROSS_CHECK`. What cannot be compared is named among the problems.
 */
export function crossCheck(
  observation: Observation,
  signals: SignalSet,
  earlier: readonly OwnWindow[] = [],
): Observation {
  const contradictions: Contradiction[] = [...observation.contradictions];
  const problems: string[] = [...observation.problems];
  const atMs = Date.parse(observation.at);
  for (const seen of observation.services) {
    const told = signals.services.find(({ service }) => service === seen.service);
    if (told === undefined || (told.rps === null && told.errorRate === null)) continue;
    const compared = comparable(seen, told, signals, [...earlier, windowOf(seen, atMs)]);
    if (typeof compared === 'string') problems.push(`${signals.source}: ${seen.service} is not compared: ${compared}`);
    else {
      const { source } = signals;
      contradictions.push(...ratesApart(compared, told, source), ...errorsApart(compared, told, source));
    }
  }
  return { ...observation, contradictions, problems };
}

/** What the proxies counted in the other's time, and in as much time that ended as early as it is late; or why nobody knows. */
function comparable(
  seen: ServiceObservation,
  told: ServiceSignals,
  { fromMs, toMs }: SignalSet,
  own: readonly OwnWindow[],
): readonly OwnWindow[] | string {
  if (!(seen.completeness >= 1)) return 'only some of the proxies were read';
  const lateMs = told.ageSeconds * 1000;
  const seconds = (toMs - fromMs) / 1000;
  const longest = Math.max(seen.windowSeconds, seconds / 2);
  if (!(told.ageSeconds <= longest)) {
    return `its newest sample is ${told.ageSeconds.toFixed(1)} s old, ${longest.toFixed(1)} s at most`;
  }
  const ofService = own.filter(({ service }) => service === seen.service);
  const last = ofService.at(-1);
  // Two clocks and a reading that takes its time: the same window never begins and ends at quite the same moment.
  if (last !== undefined && !isFar(seconds, last.seconds) && ofService.length === 1) return [last];
  const now = windowBetween(ofService, fromMs, toMs);
  if (now.covered < 1 - MOST_UNCOVERED) {
    const covered = (now.covered * seconds).toFixed(1);
    return `it tells of ${seconds.toFixed(1)} s, of which the proxies were read for ${covered} s`;
  }
  const before = windowBetween(ofService, fromMs - lateMs, toMs - lateMs);
  return before.covered < 1 - MOST_UNCOVERED ? [now.window] : [now.window, before.window];
}

/** Nothing where one of ours is near to theirs, or theirs lies between two of ours; else the nearest of ours. */
function nearestApart(
  ours: readonly number[],
  theirs: number,
  isApart: (one: number, place: number) => boolean,
): number | null {
  if (!ours.every(isApart)) return null;
  if (Math.min(...ours) < theirs && theirs < Math.max(...ours)) return null;
  return [...ours].sort((a, b) => Math.abs(a - theirs) - Math.abs(b - theirs))[0] ?? null;
}

function ratesApart(windows: readonly OwnWindow[], told: ServiceSignals, source: string): Contradiction[] {
  const theirs = told.rps;
  if (theirs === null || !(theirs >= 0)) return [];
  const rates = windows.map(({ requests, seconds }) => requests / seconds);
  const isApart = (ours: number, place: number): boolean => {
    const seconds = windows[place]?.seconds ?? 0;
    const chance = Math.sqrt(ours * seconds + theirs * seconds) / seconds;
    return isFar(ours, theirs) && Math.abs(ours - theirs) > CROSS_CHECK.standardDeviations * chance;
  };
  const nearest = nearestApart(rates, theirs, isApart);
  if (nearest === null) return [];
  const service = told.service;
  const bound = `${CROSS_CHECK.relative * 100} % and ${CROSS_CHECK.standardDeviations} standard deviations`;
  const reason = `${service}: the proxies counted ${nearest.toFixed(1)} rps, ${source} says ${theirs.toFixed(1)} rps: more than ${bound} apart`;
  return [{ service, quantity: 'rps', proxies: nearest, other: theirs, reason }];
}

function errorsApart(windows: readonly OwnWindow[], told: ServiceSignals, source: string): Contradiction[] {
  const theirs = told.errorRate;
  if (theirs === null || !(theirs >= 0) || windows.some(({ answered }) => answered === 0)) return [];
  const rates = windows.map(({ failed, answered }) => failed / answered);
  const isApart = (ours: number, place: number): boolean => {
    const window = windows[place];
    return window !== undefined && errorsDiffer(ours, window, theirs, told.rps);
  };
  const nearest = nearestApart(rates, theirs, isApart);
  if (nearest === null) return [];
  const service = told.service;
  const reason = `${service}: the proxies saw ${percent(nearest)} errors, ${source} says ${percent(theirs)}: more than chance apart`;
  return [{ service, quantity: 'errorRate', proxies: nearest, other: theirs, reason }];
}

function errorsDiffer(rate: number, window: OwnWindow, theirs: number, theirRps: number | null): boolean {
  const { answered, requests, seconds } = window;
  const asked = Math.max(answered, requests);
  // Others may count refusals of the rate limit among what was answered: our rate lies between the two readings of it.
  const ours = Math.min(rate, Math.max((rate * answered) / asked, theirs));
  const theirCount = theirRps === null ? asked : theirRps * seconds;
  const pooled = (ours * answered + theirs * theirCount) / (answered + theirCount);
  const chance = Math.sqrt(pooled * (1 - pooled) * (1 / answered + 1 / Math.max(1, theirCount)));
  const apart = Math.abs(ours - theirs);
  if (!isFar(ours, theirs) || apart <= CROSS_CHECK.errorRate) return false;
  return apart > CROSS_CHECK.standardDeviations * chance;
}

function isFar(a: number, b: number): boolean {
  return Math.abs(a - b) > CROSS_CHECK.relative * Math.max(a, b);
}
