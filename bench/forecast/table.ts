import { markdownTable } from '../markdown.js';
import { mean, median } from '../../core/forecast/series.js';
import type { Comparison } from './compare.js';
import type { MethodResult } from './finishSet.js';
import { meanScore } from './score.js';
import type { Verdict } from './verdict.js';
import { intervalText } from './verdict.js';

const SCORE_HEADER = [
  'method',
  'MASE',
  'median MASE',
  'sMAPE %',
  'wQL50',
  'wQL90',
  'wQL99',
  'p90 covers',
  'p99 covers',
  'cost regret',
  'CPU s',
  'CPU s first',
  'weight',
  'failed',
];

/** Members, the ensemble, and peers; weights are means of those in the ensemble's forecasts. */
export function scoreTable(results: readonly MethodResult[], ensemble: MethodResult | undefined): string {
  const lines = results.map((result) => {
    const all = meanScore(result.scores);
    const weights = result.isPeer || result === ensemble ? undefined : ensemble?.weights;
    return [
      result.point === 'raw' ? `${result.method} †` : result.method,
      all.mase.toFixed(3),
      median(result.scores.map((score) => score.mase)).toFixed(3),
      all.smape.toFixed(2),
      all.wql50.toFixed(3),
      all.wql90.toFixed(3),
      all.wql99.toFixed(3),
      all.covered90.toFixed(3),
      all.covered99.toFixed(3),
      all.regret.toFixed(3),
      mean(result.againSeconds).toFixed(3),
      mean(result.firstSeconds).toFixed(2),
      weights === undefined ? '–' : mean(weights.map((own) => own.get(result.method) ?? 0)).toFixed(2),
      String(result.failed),
    ];
  });
  return markdownTable([SCORE_HEADER, ...lines]);
}

export function comparisonTable(comparisons: readonly Comparison[]): string {
  const header = ['ensemble less', 'MASE', 'sMAPE', 'wQL90', 'cost regret'];
  const lines = comparisons.map(({ method, mase, smape, wql90, regret }) => [
    method,
    intervalText(mase, 3),
    intervalText(smape, 2),
    intervalText(wql90, 4),
    intervalText(regret, 3),
  ]);
  return markdownTable([header, ...lines]);
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ set, claim, figure, holds }) => [
    set,
    claim,
    figure,
    holds ? 'holds' : 'does not hold',
  ]);
  return markdownTable([['set', 'must reach', 'measured', 'verdict'], ...lines]);
}
