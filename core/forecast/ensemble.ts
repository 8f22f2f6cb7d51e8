import type { BackTestPoint, MemberBackTest } from './backTest.js';
import { mean } from './series.js';

/** Members this much worse than the best one in the back-test have no say. */
const SCREEN = 1.25;
/** How fast the say falls with the error: with its square. */
const POWER = 2;
/** An ensemble this much worse than its best member in the back-test gives way to it. */
const MOST_OVER_BEST = 1.03;
/** Weights are whole thousandths, so that what is shown is what was used. */
const PARTS = 1000;

export interface Ensemble {
  /** By member, best first; positive and 1 together. */
  weights: ReadonlyMap<MemberBackTest, number>;
  /** Mean absolute scaled error of the weighted forecasts over the origins. */
  mase: number;
  /** What it would have forecast from each origin with the weights that the other origins alone give: honest errors. */
  heldOut: readonly BackTestPoint[];
}

type Tested = readonly [MemberBackTest, ...MemberBackTest[]];

/**
 * Weights of the members by their errors over the back-test, and what they would have forecast together. Never more
 * than 3 % worse than the best member there: where the others only do harm, it is left alone.
 */
export function weigh(tested: Tested): Ensemble {
  const { weights, mase } = weighed(tested);
  return { weights, mase, heldOut: heldOutPoints(tested) };
}

interface Weighed {
  weights: ReadonlyMap<MemberBackTest, number>;
  mase: number;
  points: readonly BackTestPoint[];
}

function weighed(tested: Tested): Weighed {
  const sorted = [...tested].sort((a, b) => a.mase - b.mase);
  const best = sorted[0] ?? tested[0];
  const raw = sorted.map(({ mase }) => {
    if (mase === best.mase) return 1;
    return mase <= SCREEN * best.mase ? (best.mase / mase) ** POWER : 0;
  });
  const together = combine(inThousandths(sorted, raw));
  return together.mase <= MOST_OVER_BEST * best.mase ? together : combine(new Map([[best, 1]]));
}

function heldOutPoints(tested: Tested): BackTestPoint[] {
  return tested[0].scales.flatMap(({ origin }) => {
    const [first, ...rest] = tested;
    const others = weighed([
      only(first, (at) => at !== origin),
      ...rest.map((test) => only(test, (at) => at !== origin)),
    ]);
    const share = new Map([...others.weights].map(([{ member }, weight]) => [member, weight]));
    const held = tested.flatMap((test): [MemberBackTest, number][] => {
      const weight = share.get(test.member);
      return weight === undefined ? [] : [[only(test, (at) => at === origin), weight]];
    });
    return combine(new Map(held)).points;
  });
}

/** The same back-test as if it had been made from some of the origins alone. */
function only(test: MemberBackTest, holds: (origin: number) => boolean): MemberBackTest {
  const points = test.points.filter((point) => holds(point.origin));
  const scales = test.scales.filter(({ origin }) => holds(origin));
  return { ...test, points, scales, mase: scaledErrorOf(points, scales) };
}

function combine(weights: ReadonlyMap<MemberBackTest, number>): Weighed {
  const [first] = weights.keys();
  if (first === undefined) throw new Error('an ensemble of nothing');
  const points = first.points.map((point, index) => ({
    ...point,
    predicted: weightedSum(weights, (test) => test.points[index]?.predicted ?? 0),
  }));
  return { weights, mase: scaledErrorOf(points, first.scales), points };
}

function scaledErrorOf(points: readonly BackTestPoint[], scales: MemberBackTest['scales']): number {
  return mean(
    scales.map(({ origin, scale }) => {
      const own = points.filter((point) => point.origin === origin);
      return scaledError(mean(own.map((point) => Math.abs(point.actual - point.predicted))), scale);
    }),
  );
}

/** Sum of a value of each member by its weight. */
export function weightedSum<T>(weights: ReadonlyMap<T, number>, valueOf: (member: T) => number): number {
  let sum = 0;
  for (const [member, weight] of weights) sum += weight * valueOf(member);
  return sum;
}

/** An error in units of the naive one; where that is none at all, any error is endless. */
export function scaledError(error: number, scale: number): number {
  if (scale > 0) return error / scale;
  return error > 0 ? Number.POSITIVE_INFINITY : 0;
}

function inThousandths(
  members: readonly MemberBackTest[],
  raw: readonly number[],
): ReadonlyMap<MemberBackTest, number> {
  const sum = raw.reduce((total, weight) => total + weight, 0);
  const parts = raw.map((weight) => Math.floor((PARTS * weight) / sum));
  const rest = PARTS - parts.reduce((total, part) => total + part, 0);
  return new Map(
    members.flatMap((member, index): [MemberBackTest, number][] => {
      const part = (parts[index] ?? 0) + (index === 0 ? rest : 0);
      return part > 0 ? [[member, part / PARTS]] : [];
    }),
  );
}
