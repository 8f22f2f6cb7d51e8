/**
 * Every rule by which a measured history is repaired or refused, and its figures. docs/data-rules.md is the same for
 * readers. No repair of a step looks at a value measured after it: only times of later rows may say how long a row
 * lasts. What is repaired is told in a note with the service, how many and the first times.
 *
 * | dirt | what is done |
 * | --- | --- |
 * | value that is negative, not finite, beyond `MOST_RPS` | refused: `bad-value` |
 * | value below `LEAST_RPS` | counts as zero, told |
 * | time outside the calendar | refused: `bad-value` |
 * | unsorted rows | sorted, told |
 * | several rows of one time | their mean; contradictions beyond `CONTRADICTION` are told |
 * | times that jitter by up to `JITTER` of a step | put on the step they mean, told |
 * | rows finer than the step | their mean by step, told; a last step that is not complete is left out |
 * | rows coarser than the step, regularly | spread over their own length, told |
 * | usual spacing coarser than the step | refused: `too-many-gaps`, with the step that fits |
 * | counter that falls | a reset: the new value is the increase, told (core/spec/csvDemand.ts) |
 * | hole up to `maxGapSteps` | filled from a season earlier at the level before it, told |
 * | longer hole | refused: `long-gap`, with its place |
 * | more than `MAX_FILLED_SHARE` of holes | refused: `too-many-gaps` |
 * | zeros in a service that was never near zero | filled like a hole up to `maxGapSteps`, kept beyond; told |
 * | single step far off its season | kept, marked, told; pulled in for training only |
 * | level that changes and stays | kept, told with time and factor |
 * | change of the region's clock | core/forecast/prepare/localClock.ts |
 */

/** More requests per second than this are no measurement, and their squares would overflow. */
export const MOST_RPS = 1e12;
/** One request in thirty years: less is noise of arithmetic. */
export const LEAST_RPS = 1e-9;
/** Two weeks of seconds, two years of minutes: a series that is longer is not held in memory. */
export const MOST_STEPS = 1_209_600;
/** A hole longer than half the shortest season, or this many steps where that is shorter, is not guessed at. */
export const MIN_GAP_STEPS = 3;
/** More invented than this and the history is no longer a measurement. */
export const MAX_FILLED_SHARE = 0.1;
/** Rows of one time that differ by more than this share of their mean contradict each other. */
export const CONTRADICTION = 0.05;
/** A scrape that comes this share of a step early or late still means its step. */
export const JITTER = 0.1;
/** Rows at least this many steps apart are coarser than the step. */
export const COARSE_TIMES = 1.5;
/** So many equal distances in a row make a coarser measurement; fewer are holes. */
export const COARSE_RUN = 6;
/** "Never near zero": the least value ever measured is above this share of the usual one. */
export const NEAR_ZERO_SHARE = 0.1;

/** Longest hole, in steps, that is filled. */
export function maxGapSteps(seasons: readonly number[]): number {
  return Math.max(MIN_GAP_STEPS, Math.floor((seasons[0] ?? 0) / 2));
}

/** `2026-01-05T00:00:00Z, … and 3 more`, at most three times written out. */
export function timesText(times: readonly number[]): string {
  const shown = times.slice(0, 3).map(isoOf).join(', ');
  return times.length > 3 ? `${shown} and ${times.length - 3} more` : shown;
}

export function isoOf(ms: number): string {
  return Math.abs(ms) <= MOST_TIME_MS ? new Date(ms).toISOString().replace('.000Z', 'Z') : 'an unknown time';
}

/** As far as the calendar of ECMAScript goes. */
export const MOST_TIME_MS = 8.64e15;
