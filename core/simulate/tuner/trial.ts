import type { Coefficients, Move } from '../../tuning/bandit/coefficients.js';
import type { Generator } from '../../tuning/bandit/generator.js';
import type { Watch } from '../../tuning/bandit/harm.js';
import type { Halves } from '../../tuning/split/halves.js';
import { judgeSplit, judged, NEW_TRIAL } from '../../tuning/split/judgeSplit.js';
import type { HalfCounts, SplitRules, SplitTrial, SplitVerdict } from '../../tuning/split/judgeSplit.js';
import { added, intervalOf } from '../../tuning/split/sequence.js';
import { afterTick, newPair, runsCandidate } from '../../tuning/split/switchback.js';
import type { Switchback } from '../../tuning/split/switchback.js';
import type { InstanceView, TwinView } from '../control.js';

/** How a move is judged: by halves of the callee's instances, by turns, or (an ablation) by before and after. */
export type Method =
  { kind: 'split'; halves: Halves } | { kind: 'turns'; pair: Switchback } | { kind: 'beforeAfter'; before: number };

/** A move without a verdict. */
export interface OpenTrial {
  service: string;
  move: Move;
  from: Coefficients;
  to: Coefficients;
  /** As the posterior learns it. */
  features: Float64Array;
  method: Method;
  /** What the region's reward was before. */
  before: Watch['before'];
  trial: SplitTrial;
}

/** Share of what comes to the service that meets the candidate, 0–1. */
export const EXPOSURE: Readonly<Record<Method['kind'], number>> = { split: 0.5, turns: 0.5, beforeAfter: 1 };

/** Turns and befores are compared by the whole region's reward share, which swings: they get more ticks. */
const SLOWER = 2;
/** Beside a loss of one pair of this many times `harm` no further pair is needed. */
const PAIR_HARM = 2;

interface TickSeen {
  view: TwinView;
  share: number;
  own: string;
  /** Of users whose requests reach the service, the shortest; Infinity: none do. */
  deadlineMs: number;
  rules: SplitRules;
  random: Generator;
}

/** A tick later. `share`: reward share of the region in it. */
export function judgeTick(
  open: OpenTrial,
  { view, share, own, deadlineMs, rules, random }: TickSeen,
): { open: OpenTrial; verdict: SplitVerdict } {
  const { method } = open;
  if (method.kind === 'split') {
    const ofService = view.instances.filter(({ service, region }) => service === open.service && region === own);
    const of = (instances: readonly number[]): HalfCounts => countsOf(ofService, instances, deadlineMs);
    const tick = { candidate: of(method.halves.candidate), incumbent: of(method.halves.incumbent) };
    const verdict = judgeSplit(open.trial, tick, rules);
    return { open: { ...open, trial: verdict.trial }, verdict };
  }
  if (method.kind === 'beforeAfter') return compared(open, method, share - method.before, rules);
  const { pair, difference } = afterTick(method.pair, share);
  return compared(open, { ...method, pair: difference === null ? pair : newPair(random) }, difference, rules);
}

function compared(
  open: OpenTrial,
  method: Method,
  difference: number | null,
  rules: SplitRules,
): { open: OpenTrial; verdict: SplitVerdict } {
  const sequence = difference === null ? open.trial.sequence : added(open.trial.sequence, difference);
  const trial = { ...open.trial, sequence, ticks: open.trial.ticks + 1 };
  const interval = intervalOf(sequence, rules.alpha);
  const next = { ...open, method, trial };
  if (difference !== null && difference < -PAIR_HARM * rules.harm) {
    const reason = `${(-100 * difference).toFixed(2)} % of the reward lost while the candidate ran`;
    return { open: next, verdict: { trial, verdict: 'failed', action: 'revert', reason, interval } };
  }
  const so = judged(trial, interval, { mostTicks: SLOWER * rules.mostTicks });
  return { open: next, verdict: { trial, interval, ...so } };
}

export function opened(part: Omit<OpenTrial, 'trial'>): OpenTrial {
  return { ...part, trial: NEW_TRIAL };
}

/** What runs in the coming tick, for all that is not split. */
export function runsNow({ method, from, to }: OpenTrial): Coefficients {
  if (method.kind === 'turns') return runsCandidate(method.pair) ? to : from;
  return method.kind === 'beforeAfter' ? to : from;
}

function countsOf(views: readonly InstanceView[], instances: readonly number[], deadlineMs: number): HalfCounts {
  let [offered, good, timeUsed] = [0, 0, 0];
  for (const { instance, refused, succeeded, failed, latencySumMs } of views) {
    if (!instances.includes(instance)) continue;
    offered += refused + succeeded + failed;
    good += succeeded;
    timeUsed += latencySumMs / deadlineMs;
  }
  return { offered, good, timeUsed };
}
