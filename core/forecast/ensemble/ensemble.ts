import type { MemberBackTest, OriginTruth } from './backTest.js';
import { originError } from './backTest.js';
import { mean } from '../series.js';

/** A way to give weights: members up to `screen` times as bad as the best have a say that falls with `power` of the error. */
interface Weighting {
  screen: number;
  power: number;
}

/**
 * Many voices first: their errors cancel out, and few origins cannot tell who is best. A narrower circle is heard only
 * where it forecast the origins clearly better that it was not chosen by.
 */
const WEIGHTINGS: readonly [Weighting, ...Weighting[]] = [
  { screen: 2, power: 2 },
  { screen: 1.5, power: 4 },
  { screen: 1.25, power: 8 },
];
/** What "clearly" is, as a share of the error. */
const CLEARLY = 0.03;
/** A costly member with less to say is not worth its fit: on M4 nothing was lost without, up to 0.15. */
const LEAST_COSTLY_SAY = 0.12;
/** Weights are whole thousandths, so that what is shown is what was used. */
const PARTS = 1000;

export interface Ensemble {
  /** By member, best first; positive and 1 together. */
  weights: ReadonlyMap<MemberBackTest, number>;
  /** Mean absolute scaled error of the weighted forecasts over the origins. */
  mase: number;
  /**
   * By origin, then by lead: what it would have forecast with the weights that the other origins alone give. Its errors
   * are honest.
   */
  heldOut: readonly (readonly number[])[];
}

type Tested = readonly [MemberBackTest, ...MemberBackTest[]];

/** Weights of the members by their errors over the back-test, and what they would have forecast together. */
export function weigh(tested: Tested, origins: readonly OriginTruth[]): Ensemble {
  const errors = tested.map(({ predicted }) => origins.map((truth, at) => originError(truth, predicted[at] ?? [])));
  const [first, ...others] = WEIGHTINGS.map((weighting) => heldOut(tested, origins, errors, weighting));
  let best = { weighting: WEIGHTINGS[0], ...(first ?? { error: Number.POSITIVE_INFINITY, forecasts: [] }) };
  for (const [index, candidate] of others.entries()) {
    const weighting = WEIGHTINGS[index + 1] ?? WEIGHTINGS[0];
    if (candidate.error < (1 - CLEARLY) * best.error) best = { weighting, ...candidate };
  }
  const all = weightsOf(tested, errors, best.weighting);
  const byMember = tested.map((test, index): [MemberBackTest, number] => [test, all[index] ?? 0]);
  const weights = new Map(byMember.filter(([, weight]) => weight > 0).sort(([, a], [, b]) => b - a));
  const together = origins.map((truth, at) => originError(truth, combine(tested, all, at)));
  return { weights, mase: mean(together), heldOut: best.forecasts };
}

/** Each origin forecast with the weights that the others give. */
function heldOut(
  tested: Tested,
  origins: readonly OriginTruth[],
  errors: readonly (readonly number[])[],
  weighting: Weighting,
): { error: number; forecasts: readonly (readonly number[])[] } {
  const forecasts = origins.map((_, held) => {
    const others = errors.map((own) => own.filter((_error, at) => at !== held));
    return combine(tested, weightsOf(tested, others, weighting), held);
  });
  return { error: mean(origins.map((truth, at) => originError(truth, forecasts[at] ?? []))), forecasts };
}

function combine(tested: Tested, weights: readonly number[], origin: number): number[] {
  const sum = new Array<number>(tested[0].predicted[origin]?.length ?? 0).fill(0);
  for (const [index, { predicted }] of tested.entries()) {
    const weight = weights[index] ?? 0;
    if (weight === 0) continue;
    for (const [step, value] of (predicted[origin] ?? []).entries()) sum[step] = (sum[step] ?? 0) + weight * value;
  }
  return sum;
}

function weightsOf(tested: Tested, errors: readonly (readonly number[])[], { screen, power }: Weighting): number[] {
  const mases = errors.map(mean);
  const best = Math.min(...mases);
  const raw = mases.map((mase) => {
    if (mase === best) return 1;
    return mase <= screen * best ? (best / mase) ** power : 0;
  });
  const sum = raw.reduce((total, weight) => total + weight, 0);
  const isHeard = (weight: number, index: number): boolean =>
    weight === 1 || tested[index]?.member.costly !== true || weight / sum >= LEAST_COSTLY_SAY;
  return inThousandths(raw.map((weight, index) => (isHeard(weight, index) ? weight : 0)));
}

/** Sum of a value of each member by its weight. */
export function weightedSum<T>(weights: ReadonlyMap<T, number>, valueOf: (member: T) => number): number {
  let sum = 0;
  for (const [member, weight] of weights) sum += weight * valueOf(member);
  return sum;
}

/** What rounding leaves over goes to the first of the best. */
function inThousandths(raw: readonly number[]): number[] {
  const sum = raw.reduce((total, weight) => total + weight, 0);
  const parts = raw.map((weight) => Math.floor((PARTS * weight) / sum));
  const rest = PARTS - parts.reduce((total, part) => total + part, 0);
  const best = raw.indexOf(Math.max(...raw));
  return parts.map((part, index) => (part + (index === best ? rest : 0)) / PARTS);
}
