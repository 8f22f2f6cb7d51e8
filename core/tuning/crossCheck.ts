import type { Contradiction, Observation, ServiceObservation } from '../spec/observation.js';
import type { ServiceSignals, SignalSet } from '../spec/signals.js';

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
 * The record with what another source contradicts. Both measured the same window; a difference counts when it is
 * larger than every bound of `CROSS_CHECK`. What the other source does not know, or knows only of an earlier time, is
 * not compared, and a problem says so.
 */
export function crossCheck(observation: Observation, signals: SignalSet): Observation {
  const contradictions: Contradiction[] = [...observation.contradictions];
  const problems: string[] = [...observation.problems];
  for (const seen of observation.services) {
    const told = signals.services.find(({ service }) => service === seen.service);
    if (told === undefined || (told.rps === null && told.errorRate === null)) continue;
    const unfit = misfit(seen, told, (signals.toMs - signals.fromMs) / 1000);
    if (unfit !== null) problems.push(`${signals.source}: ${seen.service} ${unfit}`);
    else contradictions.push(...ratesApart(seen, told, signals.source), ...errorsApart(seen, told, signals.source));
  }
  return { ...observation, contradictions, problems };
}

/** Why the two are not of the same time; `null`: they are. */
function misfit(seen: ServiceObservation, told: ServiceSignals, askedSeconds: number): string | null {
  if (!(told.ageSeconds <= seen.windowSeconds)) {
    return `is not compared: its newest sample is ${told.ageSeconds.toFixed(1)} s old, the window is ${seen.windowSeconds.toFixed(1)} s`;
  }
  if (isFar(askedSeconds, seen.windowSeconds)) {
    return `is not compared: it was asked for ${askedSeconds.toFixed(1)} s, the window is ${seen.windowSeconds.toFixed(1)} s`;
  }
  return null;
}

function ratesApart(seen: ServiceObservation, told: ServiceSignals, source: string): Contradiction[] {
  const { rps } = told;
  if (rps === null || !(rps >= 0) || !isFar(seen.rps, rps)) return [];
  const chance = Math.sqrt(seen.rps * seen.windowSeconds + rps * seen.windowSeconds) / seen.windowSeconds;
  if (Math.abs(seen.rps - rps) <= CROSS_CHECK.standardDeviations * chance) return [];
  const bound = `${CROSS_CHECK.relative * 100} % and ${CROSS_CHECK.standardDeviations} standard deviations`;
  const reason = `${seen.service}: the proxies counted ${seen.rps.toFixed(1)} rps, ${source} says ${rps.toFixed(1)} rps: more than ${bound} apart`;
  return [{ service: seen.service, quantity: 'rps', proxies: seen.rps, other: rps, reason }];
}

function errorsApart(seen: ServiceObservation, told: ServiceSignals, source: string): Contradiction[] {
  const { errorRate: theirs } = told;
  if (seen.errorRate === null || theirs === null || !(theirs >= 0)) return [];
  const answered = Math.max(0, seen.requests - seen.errors.rateLimited);
  const asked = Math.max(answered, seen.requests);
  if (answered === 0) return [];
  // Others may count refusals of the rate limit among what was answered: our rate lies between the two readings of it.
  const ours = Math.min(seen.errorRate, Math.max((seen.errorRate * answered) / asked, theirs));
  const theirCount = told.rps === null ? asked : told.rps * seen.windowSeconds;
  const pooled = (ours * answered + theirs * theirCount) / (answered + theirCount);
  const chance = Math.sqrt(pooled * (1 - pooled) * (1 / answered + 1 / Math.max(1, theirCount)));
  const apart = Math.abs(ours - theirs);
  if (!isFar(ours, theirs) || apart <= CROSS_CHECK.errorRate) return [];
  if (apart <= CROSS_CHECK.standardDeviations * chance) return [];
  const reason = `${seen.service}: the proxies saw ${percent(seen.errorRate)} errors, ${source} says ${percent(theirs)}: more than chance apart`;
  return [{ service: seen.service, quantity: 'errorRate', proxies: seen.errorRate, other: theirs, reason }];
}

function isFar(a: number, b: number): boolean {
  return Math.abs(a - b) > CROSS_CHECK.relative * Math.max(a, b);
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}
