import type { BackTestPoint } from './backTest.js';
import type { ModelName } from '../members/members.js';
import { MODEL_NAMES } from '../members/members.js';
import type { Series } from '../series.js';
import { endMs, mean } from '../series.js';

/**
 * What a back-test decided for one service, kept so that the next forecasts need not decide again: members, weights,
 * and what they would have forecast together from each origin. Plain data, stored beside the forecast.
 */
export interface ServiceChoice {
  service: string;
  /** What the choice holds for; another question needs another choice. */
  stepMs: number;
  horizonSteps: number;
  seasons: readonly number[];
  /** The members that were asked, by name; one that comes later asks for a new choice. */
  asked: readonly ModelName[];
  /** End of the history that it was made on, milliseconds since the epoch. */
  chosenAtMs: number;
  /** `learned`: what the member need not search for again. */
  models: readonly { name: string; weight: number; mase: number; learned?: string }[];
  mase: number;
  /** Mean absolute difference of the history to one shortest season earlier, rps. */
  scale: number;
  heldOut: readonly HeldOut[];
  notes: readonly string[];
  /** The last forecast that was made with it, so that what came can be compared. */
  last?: { startMs: number; p50: readonly number[] };
}

/** One back-test origin: what came and what was predicted, by lead. */
export interface HeldOut {
  originMs: number;
  actual: readonly number[];
  predicted: readonly number[];
}

/** Older than so many of the longest season, a choice is made anew. */
const MOST_SEASONS_OLD = 4;
/** A recent error this many times that of the back-test says that the service has changed. */
const DRIFT_TIMES = 1.6;
/** Of the shortest season, that must have come before an error is judged. */
const EVIDENCE_SEASONS = 0.5;

export interface ChoiceQuestion {
  history: Series;
  horizonSteps: number;
  seasons: readonly number[];
  asked: readonly ModelName[];
}

/** Why a kept choice does not answer this question any more; `null`: it does. */
export function whyChooseAnew(choice: ServiceChoice, question: ChoiceQuestion): string | null {
  const { history, horizonSteps, seasons, asked } = question;
  if (choice.stepMs !== history.stepMs) return 'the step has changed';
  if (choice.horizonSteps !== horizonSteps) return 'the horizon has changed';
  if (choice.seasons.join() !== seasons.join()) return 'the seasons have changed';
  if (choice.asked.join() !== asked.join()) return 'other models are asked';
  const steps = Math.round((endMs(history) - choice.chosenAtMs) / history.stepMs);
  if (steps < 0) return 'it was made on a later history';
  const longest = seasons.at(-1) ?? 1;
  if (steps > MOST_SEASONS_OLD * longest) return `it is ${(steps / longest).toFixed(1)} of the longest season old`;
  return whyDrifted(choice, history, seasons);
}

/** MASE of the last forecast over what has come since; `null`: nothing to judge by yet. */
export function recentMase(choice: ServiceChoice, history: Series, seasons: readonly number[]): number | null {
  const came = errorsSince(choice, history);
  if (came.length < EVIDENCE_SEASONS * (seasons[0] ?? 1) || choice.scale === 0) return null;
  return mean(came) / choice.scale;
}

function errorsSince({ last }: ServiceChoice, history: Series): number[] {
  if (last === undefined) return [];
  const from = Math.round((last.startMs - history.startMs) / history.stepMs);
  return last.p50.flatMap((value, step): number[] => {
    const actual = history.values[from + step];
    return actual === undefined || from + step < 0 ? [] : [Math.abs(actual - value)];
  });
}

function whyDrifted(choice: ServiceChoice, history: Series, seasons: readonly number[]): string | null {
  const error = recentMase(choice, history, seasons);
  if (error === null) return null;
  // Where the back-test was near perfect, a multiple of nothing would be nothing.
  const allowed = DRIFT_TIMES * Math.max(choice.mase, 0.5);
  if (error <= allowed) return null;
  const steps = errorsSince(choice, history).length;
  return `drift: MASE ${error.toFixed(2)} over the last ${steps} steps, where the back-test had ${choice.mase.toFixed(2)}`;
}

/** Held-out forecasts as points, origins counted by their index. */
export function pointsOf(
  heldOut: readonly HeldOut[],
  clock?: { stepMs: number; season: number },
): (BackTestPoint & { phase?: number })[] {
  return heldOut.flatMap(({ originMs, actual, predicted }, origin) =>
    actual.map((value, step) => ({
      origin,
      lead: step + 1,
      actual: value,
      predicted: predicted[step] ?? 0,
      ...(clock === undefined ? {} : { phase: phaseAt(originMs + step * clock.stepMs, clock.stepMs, clock.season) }),
    })),
  );
}

/** Place of a moment in a season that is counted from the epoch on, in steps. */
export function phaseAt(ms: number, stepMs: number, season: number): number {
  const phase = Math.round(ms / stepMs) % season;
  return phase < 0 ? phase + season : phase;
}

export function isModelName(name: string): name is ModelName {
  return (MODEL_NAMES as readonly string[]).includes(name);
}
