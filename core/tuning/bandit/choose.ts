import type { Family, Move } from './coefficients.js';
import { FAMILIES } from './coefficients.js';
import { featuresOf } from './context.js';
import type { Context } from './context.js';
import type { Generator } from './generator.js';
import { beliefs } from './posterior.js';
import type { Belief, Posterior } from './posterior.js';

/** `hold`, or `<family>+` and `<family>-`. */
export type ActionName = 'hold' | `${Family}${'+' | '-'}`;

export interface Choice {
  action: ActionName;
  /** `null`: hold. */
  move: Move | null;
  /** Of every allowed action; they sum to 1, and the action was drawn by them. */
  propensities: Readonly<Partial<Record<ActionName, number>>>;
  /** Expected effect of every allowed action on the reward's share, with its deviation; hold is 0. */
  expected: Readonly<Partial<Record<ActionName, { mean: number; deviation: number }>>>;
}

export interface ChooseInput {
  posteriors: Readonly<Record<Family, Posterior>>;
  context: Context;
  /** What the guards leave. */
  moves: readonly Move[];
  rungs: Readonly<Record<Family, number>>;
  random: Generator;
  /** Asked of each move with what is believed of it: the conservative constraint. Absent: all may. */
  may?: (belief: { mean: number; deviation: number }) => boolean;
}

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { max, min, sqrt } = Math;

/** Draws of the posterior that propensities are counted over. */
const DRAWS = 200;
/** Share that is spread evenly over all that is allowed: what is never tried is never known. */
const EVEN_SHARE = 0.04;

/**
 * Thompson sampling with known propensities. Draws of the posterior give the share in which each action is the best;
 * the action is then drawn by those shares, so that the propensity that is logged is exactly the one that was used,
 * and not an estimate of it.
 */
export function choose(input: ChooseInput): Choice {
  const { random, may = () => true } = input;
  const believed = believe(input).filter(({ belief }) => may(belief));
  const wins = countWins(believed, random);
  const names: ActionName[] = ['hold', ...believed.map(({ move }) => actionName(move))];
  const propensities = wins.map((count) => (1 - EVEN_SHARE) * (count / DRAWS) + EVEN_SHARE / names.length);
  const index = draw(propensities, random.uniform());
  return {
    action: names[index]!,
    move: index === 0 ? null : believed[index - 1]!.move,
    propensities: Object.fromEntries(names.map((name, i) => [name, propensities[i]!])),
    expected: Object.fromEntries([
      ['hold', { mean: 0, deviation: 0 }],
      ...believed.map(({ move, belief: { mean, deviation } }) => [actionName(move), { mean, deviation }]),
    ]),
  };
}

export function actionName({ family, direction }: Move): ActionName {
  return `${family}${direction > 0 ? '+' : '-'}`;
}

interface Believed {
  move: Move;
  belief: Belief;
}

function believe({ posteriors, context, moves, rungs }: ChooseInput): Believed[] {
  return FAMILIES.flatMap((family) => {
    const own = moves.filter((move) => move.family === family);
    if (own.length === 0) return [];
    const features = own.map((move) => featuresOf(context, rungs[family], move));
    return beliefs(posteriors[family], features).map((belief, i) => ({ move: own[i]!, belief }));
  });
}

/** How often each is the best of a draw, hold first. Moves of one family, at most two, are drawn together. */
function countWins(believed: readonly Believed[], random: Generator): number[] {
  const wins = new Array<number>(believed.length + 1).fill(0);
  const shared = believed.map((one, i) => correlation(believed[i - 1], one));
  for (let n = 0; n < DRAWS; n++) {
    let [best, bestEffect, before] = [0, 0, 0];
    for (let i = 0; i < believed.length; i++) {
      const { mean, deviation } = believed[i]!.belief;
      const rho = shared[i]!;
      const own = sqrt(1 - rho * rho) * random.normal();
      before = rho === 0 ? own : rho * before + own;
      const effect = mean + deviation * before;
      if (effect > bestEffect) [best, bestEffect] = [i + 1, effect];
    }
    wins[best]!++;
  }
  return wins;
}

/** Between −1 and 1; moves of two families have nothing to do with each other. */
function correlation(first: Believed | undefined, second: Believed): number {
  if (first === undefined || first.move.family !== second.move.family) return 0;
  const [a, b] = [first.belief, second.belief];
  let product = 0;
  for (let k = 0; k < a.loading.length; k++) product += a.loading[k]! * b.loading[k]!;
  return max(-1, min(1, product / (a.deviation * b.deviation)));
}

function draw(shares: readonly number[], uniform: number): number {
  let below = 0;
  for (let i = 0; i < shares.length; i++) {
    below += shares[i]!;
    if (uniform < below) return i;
  }
  return shares.length - 1;
}
