import type { Observation } from '../spec/observation.js';
import { percent } from './percent.js';

/** Named in a reason before "and so many more". */
const NAMED = 5;

/**
 * Why an observation is no ground for a verdict or a change: partial, stale or contradicted; `null`: it is one.
 * `services`: those that have to be in it.
 */
export function doubt(observation: Observation, services: readonly string[]): string | null {
  const { completeness, ageSeconds, maxAgeSeconds, contradictions, problems } = observation;
  const why = problems.length === 0 ? '' : `: ${some(problems)}`;
  if (!(completeness >= 1)) return `only ${percent(completeness)} of the proxies answered in time${why}`;
  if (ageSeconds === null || !(ageSeconds >= 0)) return 'nobody knows how old the readings are';
  if (ageSeconds > (maxAgeSeconds ?? Infinity)) {
    return `the readings are ${ageSeconds.toFixed(1)} s old, ${maxAgeSeconds} s at most`;
  }
  if (contradictions.length > 0)
    return `two sources contradict each other: ${some(contradictions.map((c) => c.reason))}`;
  const absent = services.filter((name) => !observation.services.some((s) => s.service === name));
  if (absent.length > 0) return `${some(absent, ', ')} not observed${why}`;
  const partial = observation.services.filter((s) => services.includes(s.service) && !(s.completeness >= 1));
  return partial.length === 0
    ? null
    : `${some(
        partial.map((s) => s.service),
        ', ',
      )} seen by some of the proxies only`;
}

/**
 * Which of the services got requests without anybody knowing how they were answered; `null`: none. A change that is
 * judged without it would be judged on what is missing.
 */
export function unmeasured(observation: Observation, services: readonly string[]): string | null {
  for (const seen of observation.services) {
    if (!services.includes(seen.service) || seen.requests === 0) continue;
    if (seen.errorRate === null)
      return `errors of ${seen.service} unknown: none of ${seen.requests} requests was answered`;
    if (seen.p99Ms === null) return `p99 of ${seen.service} unknown`;
    if (seen.p99ErrorMs === null) return `p99 of ${seen.service} is ${seen.p99Ms} ms or more: its bucket is open`;
  }
  return null;
}

function some(words: readonly string[], between = '; '): string {
  const more = words.length > NAMED ? `${between}and ${words.length - NAMED} more` : '';
  return `${words.slice(0, NAMED).join(between)}${more}`;
}
