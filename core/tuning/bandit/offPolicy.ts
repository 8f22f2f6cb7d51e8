import type { ActionName } from './choose.js';

/** One decision as it was logged, with what came of it. */
export interface LoggedDecision {
  action: ActionName;
  /** Of every action that was allowed; by them `action` was drawn. */
  propensities: Readonly<Partial<Record<ActionName, number>>>;
  /** What was expected of each at the time: of the past only. Hold is 0. */
  expected: Readonly<Partial<Record<ActionName, number>>>;
  /** Change of the reward's share that the action brought; of hold 0. −1…1. */
  effect: number;
}

/** What the new version would have done: a share for each action that was allowed then, summing to 1. */
export type PolicyShares = (decision: LoggedDecision, index: number) => Readonly<Partial<Record<ActionName, number>>>;

export interface Evaluation {
  decisions: number;
  /** Effect per decision of the new version, doubly robust; of the one that logged. Reward share. */
  value: number;
  incumbentValue: number;
  /** At any time, with probability 1 − alpha, the new version brings at least so much more per decision. */
  gainAtLeast: number;
  /** The new version may act: it is better, and not by chance. */
  mayAct: boolean;
  /** A sentence with the numbers. */
  reason: string;
}

export interface EvaluationRules {
  alpha: number;
  /** Largest weight of a decision; a larger one is cut, and what is cut is taken for lost. */
  mostWeight: number;
  /** Effects are within ± this. What lies beyond is taken for the end of the range. */
  mostEffect: number;
}

export const EVALUATION_RULES: EvaluationRules = { alpha: 0.05, mostWeight: 10, mostEffect: 0.1 };

/**
 * A new version of the policy judged on what an old one did: doubly robust (the expectation carries what was not
 * tried, weights mend what was expected wrongly), with an empirical-Bernstein lower bound that holds at any time
 * (Waudby-Smith and Ramdas 2024, Theorem 2; Karampatziakis et al. 2021). Throws a RangeError where a propensity is
 * missing: such a log proves nothing.
 */
export function evaluateOffPolicy(
  log: readonly LoggedDecision[],
  shares: PolicyShares,
  rules: EvaluationRules = EVALUATION_RULES,
): Evaluation {
  // Of one decision's gain: the incumbent's effect and an expectation at most, and a weighted residual.
  const range = rules.mostEffect * (2 + 2 * rules.mostWeight);
  const bound = new LowerBound(rules.alpha, range);
  let [value, incumbent] = [0, 0];
  log.forEach((decision, index) => {
    const own = doublyRobust(decision, shares(decision, index), rules);
    const theirs = clip(decision.effect, rules.mostEffect);
    value += own;
    incumbent += theirs;
    bound.add(own - theirs);
  });
  const decisions = log.length;
  const gainAtLeast = bound.value;
  const mayAct = gainAtLeast > 0;
  return {
    decisions,
    value: decisions > 0 ? value / decisions : 0,
    incumbentValue: decisions > 0 ? incumbent / decisions : 0,
    gainAtLeast,
    mayAct,
    reason: inWords(decisions, gainAtLeast, mayAct),
  };
}

function doublyRobust(
  decision: LoggedDecision,
  shares: Readonly<Partial<Record<ActionName, number>>>,
  { mostWeight, mostEffect }: EvaluationRules,
): number {
  const propensity = decision.propensities[decision.action];
  if (propensity === undefined || !(propensity > 0)) throw new RangeError(`${decision.action} without a propensity`);
  const expected = (name: ActionName): number => clip(decision.expected[name] ?? 0, mostEffect);
  let direct = 0;
  for (const [name, share] of Object.entries(shares) as [ActionName, number][]) {
    if (share > 0 && decision.propensities[name] === undefined) throw new RangeError(`${name} was not allowed`);
    direct += share * expected(name);
  }
  const weight = (shares[decision.action] ?? 0) / propensity;
  const residual = clip(decision.effect, mostEffect) - expected(decision.action);
  if (weight <= mostWeight) return direct + weight * residual;
  // What is cut could have been as bad as effects can be.
  const lost = (weight - mostWeight) * Math.max(0, residual);
  return direct + Math.max(-mostWeight * 2 * mostEffect, weight * residual - lost);
}

/** Of the mean of numbers within ±`range`, at any time; −Infinity before the first. */
class LowerBound {
  private readonly alpha: number;
  private readonly range: number;
  private count = 0;
  private bets = 0;
  private weighted = 0;
  private penalty = 0;
  private mean = 0;
  private squares = 0;

  constructor(alpha: number, range: number) {
    this.alpha = alpha;
    this.range = range;
  }

  /** Bets rest on the past only. On the scale 0–1, of which ±`range` are the ends. */
  add(number: number): void {
    const scaled = Math.min(1, Math.max(0, (number / this.range + 1) / 2));
    const n = this.count + 1;
    const centre = (0.5 + this.mean * this.count) / n;
    const variance = (0.25 + this.squares) / n;
    const bet = Math.min(0.5, Math.sqrt((2 * Math.log(1 / this.alpha)) / (variance * n * Math.log(1 + n))));
    this.bets += bet;
    this.weighted += bet * scaled;
    this.penalty += (scaled - centre) ** 2 * (-Math.log(1 - bet) - bet);
    this.mean += (scaled - this.mean) / n;
    this.squares += (scaled - centre) ** 2;
    this.count = n;
  }

  get value(): number {
    if (this.count === 0) return -Infinity;
    const lower = (this.weighted - Math.log(1 / this.alpha) - this.penalty) / this.bets;
    return (2 * lower - 1) * this.range;
  }
}

function clip(value: number, most: number): number {
  return Math.min(most, Math.max(-most, value));
}

function inWords(decisions: number, gain: number, mayAct: boolean): string {
  if (decisions === 0) return 'nothing was logged: the new version may observe';
  const so = `over ${decisions} logged decisions the new version gains at least ${(100 * gain).toFixed(3)} % of the reward per decision`;
  return mayAct ? so : `${so}: not shown to be better, so it may observe`;
}
