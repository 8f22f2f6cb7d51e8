import { EMPTY_SEQUENCE, added } from '../split/sequence.js';
import type { Sequence } from '../split/sequence.js';

/** Watching what was adopted: a verdict on a half is no proof for the whole, and load may have changed since. */
export interface Watch {
  /** Reward share of the ticks before the trial, and what it varied by. */
  before: { mean: number; deviation: number; offeredRps: number; ticks: number };
  ticks: number;
  /** Of ticks since, at no higher load. */
  after: Sequence;
  isSuspect: boolean;
}

export interface HarmRules {
  /** Reward share; a smaller loss is no harm. */
  harm: number;
  watchTicks: number;
  /** Neighbourhoods or regions that regress at once before all are stopped. */
  brakeFrom: number;
  /** Loss of each that counts. */
  brakeLoss: number;
  /** Ticks that the brake holds. */
  brakeTicks: number;
}

export const HARM_RULES: HarmRules = { harm: 0.02, watchTicks: 15, brakeFrom: 2, brakeLoss: 0.05, brakeTicks: 15 };

/** More load than so many times what it was before explains a loss. */
const SAME_LOAD = 1.1;
const DEVIATIONS = 3;
/** Standard errors that the mean since may be below the one before: what is given up wrongly is tried again. */
const WORSE_DEVIATIONS = 2;
const FEWEST_TICKS = 4;

export interface Seen {
  share: number;
  offeredRps: number;
}

export function watched(ticks: readonly Seen[]): Watch['before'] {
  const count = Math.max(1, ticks.length);
  const mean = ticks.reduce((sum, { share }) => sum + share, 0) / count;
  const variance = ticks.reduce((sum, { share }) => sum + (share - mean) ** 2, 0) / Math.max(1, count - 1);
  const offeredRps = Math.max(0, ...ticks.map((one) => one.offeredRps));
  return { mean, deviation: Math.sqrt(variance), offeredRps, ticks: ticks.length };
}

export function newWatch(before: Watch['before']): Watch {
  return { before, ticks: 0, after: EMPTY_SEQUENCE, isSuspect: false };
}

/**
 * One more tick of what was adopted, at no higher load than before. Harm is a loss beyond what ticks vary by, two ticks
 * in a row; `worse`: the mean of all since is below the mean before by more than chance, however little.
 */
export function watchTick(
  watch: Watch,
  seen: Seen,
  rules: HarmRules,
): { watch: Watch; state: 'watch' | 'kept' | 'harm' | 'worse' } {
  const { mean, deviation, offeredRps } = watch.before;
  const comparable = seen.offeredRps <= SAME_LOAD * offeredRps;
  const isSuspect = comparable && seen.share < mean - Math.max(rules.harm, DEVIATIONS * deviation);
  const after = comparable ? added(watch.after, seen.share) : watch.after;
  const next = { ...watch, ticks: watch.ticks + 1, after, isSuspect };
  if (isSuspect && watch.isSuspect) return { watch: next, state: 'harm' };
  if (isWorse(next)) return { watch: next, state: 'worse' };
  return { watch: next, state: next.ticks >= rules.watchTicks && !isSuspect ? 'kept' : 'watch' };
}

function isWorse({ before, after: { count, sum, squares } }: Watch): boolean {
  if (count < FEWEST_TICKS || before.ticks < FEWEST_TICKS) return false;
  const mean = sum / count;
  const variance = Math.max(0, squares - count * mean ** 2) / (count - 1);
  const error = Math.sqrt(before.deviation ** 2 / before.ticks + variance / count);
  return mean < before.mean - WORSE_DEVIATIONS * error;
}

/** Losses of reward share since before their changes, one for each neighbourhood or region with a change. */
export function brakes(losses: readonly number[], { brakeFrom, brakeLoss }: HarmRules): boolean {
  return losses.filter((loss) => loss > brakeLoss).length >= brakeFrom;
}
