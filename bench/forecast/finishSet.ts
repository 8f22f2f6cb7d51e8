import { finishRegion } from '../../core/forecast/finish.js';
import type { ForecastSeries } from '../../core/spec/forecast.js';
import type { QuestionSet } from './data.js';
import type { Answer } from './methods.js';
import { jobOf } from './methods.js';
import type { Score } from './score.js';
import { scoreOf } from './score.js';

/** How one method did on all questions of a set, in their order. */
export interface MethodResult {
  method: string;
  isPeer: boolean;
  scores: readonly Score[];
  firstSeconds: readonly number[];
  againSeconds: readonly number[];
  /** Questions that it could not answer: what the program does without a model stood in. */
  failed: number;
  /** Which forecast MASE and sMAPE judge. */
  point: 'p50' | 'raw';
  /** By member, in each forecast. */
  weights: readonly ReadonlyMap<string, number>[];
}

/**
 * Drafts of one method, calibrated by the program's own code and scored. A set that is a region is calibrated as one,
 * peers alike; the windows of other sets each by themselves, as later ones would tell of the future. Of a peer, the
 * forecast as it came and the calibrated p50 are both tried, and the better one of the set is taken.
 */
export function finishMethod(
  set: QuestionSet,
  method: string,
  isPeer: boolean,
  answers: readonly Answer[],
): MethodResult {
  const byQuestion = new Map(answers.map((answer) => [answer.questionId, answer]));
  const asked = set.questions.flatMap((question) => {
    const answer = byQuestion.get(question.id);
    return answer === undefined ? [] : [{ question, answer, job: jobOf(question, set.seasons) }];
  });
  if (asked.length < set.questions.length) throw new Error(`${set.name}: ${method} has not answered every question`);
  const answered = asked.map(({ job, answer }) => ({ job, outcome: answer.outcome }));
  const finished = set.isRegion
    ? finishRegion(answered).forecast.series
    : answered.flatMap((one) => finishRegion([one]).forecast.series);
  const byPoint = (point: 'p50' | 'raw'): Score[] =>
    asked.map(({ question, answer }, index) => {
      const series = finished[index];
      if (series === undefined) throw new Error(`${question.id}: no forecast`);
      return scoreOf({
        history: question.history.values,
        actual: question.actual,
        quantiles: series.quantiles,
        point: point === 'raw' ? rawOf(answer, series) : series.quantiles.p50,
        maseSeason: set.maseSeason,
      });
    });
  const p50 = byPoint('p50');
  const raw = isPeer ? byPoint('raw') : p50;
  const total = (scores: readonly Score[]): number => scores.reduce((sum, { mase }) => sum + mase, 0);
  const point = isPeer && total(raw) < total(p50) ? 'raw' : 'p50';
  return {
    method,
    isPeer,
    scores: point === 'raw' ? raw : p50,
    firstSeconds: answers.map((answer) => answer.firstSeconds),
    againSeconds: answers.map((answer) => answer.againSeconds),
    failed: answers.filter(({ outcome }) => outcome.kind === 'none').length,
    point,
    weights: finished.map(({ models }) => new Map(models.map(({ name, weight }) => [name, weight]))),
  };
}

function rawOf({ outcome }: Answer, series: ForecastSeries): readonly number[] {
  return outcome.kind === 'draft' ? outcome.draft.mean : series.quantiles.p50;
}
