import type { Verdict } from '../../spec/observation.js';
import { percent } from '../percent.js';
import { EMPTY_SEQUENCE, added, intervalOf } from './sequence.js';
import type { Interval, Sequence } from './sequence.js';

/** Requests of a tick that met one half. Plain counts, of requests that ended. */
export interface HalfCounts {
  /** Refused ones included. */
  offered: number;
  /** Answered with success while somebody waited. */
  good: number;
  /** Of those, the sum of latency over the user's deadline: what is taken of the time that the whole way has. Absent: 0. */
  timeUsed?: number;
}

export interface SplitTick {
  candidate: HalfCounts;
  incumbent: HalfCounts;
}

export interface SplitRules {
  /** Wrong verdicts either way over the whole trial, 0–1. */
  alpha: number;
  /** Then it goes back to what ran before. */
  mostTicks: number;
  /** Of a half in a tick; below it a tick says nothing. */
  fewestRequests: number;
  /** A loss per request of this size in two ticks in a row, and beyond chance, is harm. */
  harm: number;
}

export const SPLIT_RULES: SplitRules = { alpha: 0.05, mostTicks: 40, fewestRequests: 50, harm: 0.02 };

/** A trial so far. Plain data. */
export interface SplitTrial {
  sequence: Sequence;
  /** With and without enough requests. */
  ticks: number;
  /** The last tick looked like harm. */
  isSuspect: boolean;
}

export const NEW_TRIAL: SplitTrial = { sequence: EMPTY_SEQUENCE, ticks: 0, isSuspect: false };

export interface SplitVerdict {
  trial: SplitTrial;
  verdict: Verdict;
  /** `adopt`: the candidate for all; `revert`: the incumbent for all. */
  action: 'adopt' | 'revert' | 'wait';
  reason: string;
  interval: Interval | null;
}

/**
 * Worth of a whole deadline, of a request's. A door does not see who is late in the end; without a price of time a
 * longer queue would always look better, because it refuses less.
 */
const TIME_PRICE = 0.5;
/** Deviations by which losses have to be beyond chance: of two ticks in a row, and of one that is enough. */
const SUSPECT_DEVIATIONS = 2.5;
const CERTAIN_DEVIATIONS = 5;
/** What halves differ by beyond counting, as long as too few ticks have shown it. */
const OVERDISPERSION = 1.5;

/**
 * One more tick of a change that runs on half of the proxies while the other half keeps what was. Successful and failed
 * are verdicts of the whole sequence; a candidate that loses more than chance and `harm` allow in two ticks in a row,
 * or far more in one, fails at once; a trial that shows nothing within `mostTicks` goes back.
 */
export function judgeSplit(before: SplitTrial, tick: SplitTick, rules: SplitRules): SplitVerdict {
  const { candidate, incumbent } = tick;
  const enough = Math.min(candidate.offered, incumbent.offered) >= rules.fewestRequests;
  const difference = shareOf(candidate) - shareOf(incumbent);
  // A tick in which neither half lost anything tells nothing of a change that is to lose less, whichever half is which.
  const tells = enough && (candidate.good < candidate.offered || incumbent.good < incumbent.offered);
  const sequence = tells ? added(before.sequence, difference) : before.sequence;
  const deviation = Math.max(countingDeviation(tick), usualDeviation(before.sequence, tick));
  const isSuspect = enough && difference < -Math.max(rules.harm, SUSPECT_DEVIATIONS * deviation);
  const isCertain = enough && difference < -Math.max(5 * rules.harm, CERTAIN_DEVIATIONS * deviation);
  const trial = { sequence, ticks: before.ticks + 1, isSuspect };
  const interval = intervalOf(sequence, rules.alpha);
  if (isCertain || (isSuspect && before.isSuspect)) {
    const reason = `${percent(-difference)} of the reward lost in this tick on the half with the candidate`;
    return { trial, verdict: 'failed', action: 'revert', reason, interval };
  }
  return { trial, interval, ...judged(trial, interval, rules) };
}

/** Of the whole sequence, wherever its differences come from. */
export function judged(
  { ticks, sequence }: SplitTrial,
  interval: Interval | null,
  rules: Pick<SplitRules, 'mostTicks'>,
): Pick<SplitVerdict, 'verdict' | 'action' | 'reason'> {
  const so = interval === null ? `${sequence.count} ticks with enough requests` : inWords(interval);
  if (interval !== null && interval.lower > 0) return { verdict: 'successful', action: 'adopt', reason: so };
  if (interval !== null && interval.upper < 0) return { verdict: 'failed', action: 'revert', reason: so };
  if (ticks < rules.mostTicks) return { verdict: 'inconclusive', action: 'wait', reason: so };
  const reason = `${so}; ${ticks} ticks without a verdict, back to what ran before`;
  return { verdict: 'inconclusive', action: 'revert', reason };
}

/** Of the difference of two shares of so many requests each, did each fail by itself. */
function countingDeviation({ candidate, incumbent }: SplitTick): number {
  const offered = candidate.offered + incumbent.offered;
  const share = (candidate.good + incumbent.good) / Math.max(1, offered);
  const variance = share * (1 - share) * (1 / candidate.offered + 1 / incumbent.offered);
  return Math.sqrt(Math.max(0, variance));
}

/** As ticks before have shown it. */
function usualDeviation({ count, sum, squares }: Sequence, tick: SplitTick): number {
  if (count < 4) return OVERDISPERSION * countingDeviation(tick);
  return Math.sqrt(Math.max(0, squares - sum ** 2 / count) / (count - 1));
}

/** Reward per request, at most 1. */
export function shareOf({ offered, good, timeUsed = 0 }: HalfCounts): number {
  return offered > 0 ? Math.min(1, good / offered) - (TIME_PRICE * timeUsed) / offered : 0;
}

function inWords({ mean, lower, upper }: Interval): string {
  return `the candidate brings ${percent(mean)} more reward per request (between ${percent(lower)} and ${percent(upper)})`;
}
