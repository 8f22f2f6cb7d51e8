import type { Interval } from './bootstrap.js';
import { blockLengthFor, bootstrapMean } from './bootstrap.js';
import type { QuestionSet } from './data.js';
import type { MethodResult } from './finishSet.js';
import type { Score } from './score.js';

/** The ensemble's score less the peer's, question by question: below zero is better. */
export interface Comparison {
  method: string;
  mase: Interval;
  smape: Interval;
  wql90: Interval;
  regret: Interval;
}

export function compare(set: QuestionSet, ours: MethodResult, other: MethodResult, seed: number): Comparison {
  const difference = (name: keyof Score): Interval =>
    intervalOf(
      set,
      ours.scores.map((score, index) => score[name] - (other.scores[index]?.[name] ?? Number.NaN)),
      seed,
    );
  return {
    method: other.method,
    mase: difference('mase'),
    smape: difference('smape'),
    wql90: difference('wql90'),
    regret: difference('regret'),
  };
}

export interface CoverageIntervals {
  p90: Interval;
  p99: Interval;
}

export function coverageOf(set: QuestionSet, result: MethodResult, seed: number): CoverageIntervals {
  const of = (name: 'covered90' | 'covered99'): Interval =>
    intervalOf(
      set,
      result.scores.map((score) => score[name]),
      seed,
    );
  return { p90: of('covered90'), p99: of('covered99') };
}

/** Series of a region are drawn one by one; windows of a series in blocks, as neighbours are alike. */
function intervalOf(set: QuestionSet, values: readonly number[], seed: number): Interval {
  if (set.isRegion) return bootstrapMean([values], { blockLength: 1, seed });
  const groups = new Map<string, number[]>();
  for (const [index, { seriesId }] of set.questions.entries()) {
    const group = groups.get(seriesId) ?? [];
    group.push(values[index] ?? Number.NaN);
    groups.set(seriesId, group);
  }
  const longest = Math.max(...[...groups.values()].map((group) => group.length));
  return bootstrapMean([...groups.values()], { blockLength: blockLengthFor(longest), seed });
}
