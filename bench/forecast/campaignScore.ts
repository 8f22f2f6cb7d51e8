import { markdownTable } from '../markdown.js';
import { createRandom } from '../../core/forecast/random.js';
import { mean } from '../../core/forecast/series.js';
import type { ForecastSeries } from '../../core/spec/forecast.js';
import type { CampaignQuestion } from './campaignPlans.js';

/** One hour of one forecast, in units of the history's mean. */
export interface ScoredHour {
  actual: number;
  error: number;
  covered90: number;
}

export interface CampaignScore {
  id: string;
  isSeen: boolean;
  event: readonly ScoredHour[];
  ordinary: readonly ScoredHour[];
}

export function scoreCampaign(question: CampaignQuestion, quantiles: ForecastSeries['quantiles']): CampaignScore {
  // Series differ by orders of magnitude: unscaled, the largest would be the only one that counts.
  const unit = mean(question.history.values) || 1;
  const hours = question.actual.map((actual, step) => ({
    actual: actual / unit,
    error: Math.abs(actual - (quantiles.p50[step] ?? 0)) / unit,
    covered90: actual <= (quantiles.p90[step] ?? 0) ? 1 : 0,
  }));
  return {
    id: question.id,
    isSeen: question.isSeen,
    event: hours.filter((_, step) => question.isEvent[step] === true),
    ordinary: hours.filter((_, step) => question.isEvent[step] !== true),
  };
}

const DRAWS = 1000;

const COLUMNS: readonly { title: string; of: (scores: readonly CampaignScore[]) => number }[] = [
  { title: 'WAPE, event hours', of: (scores) => wape(scores.flatMap(({ event }) => event)) },
  { title: 'WAPE, ordinary hours', of: (scores) => wape(scores.flatMap(({ ordinary }) => ordinary)) },
  {
    title: 'ratio',
    of: (scores) => wape(scores.flatMap(({ event }) => event)) / wape(scores.flatMap(({ ordinary }) => ordinary)),
  },
  {
    title: 'p90 covers, event hours',
    of: (scores) => mean(scores.flatMap(({ event }) => event.map((h) => h.covered90))),
  },
  {
    title: 'p90 covers, ordinary hours',
    of: (scores) => mean(scores.flatMap(({ ordinary }) => ordinary.map((h) => h.covered90))),
  },
];

/** Pooled over series, with 95 % intervals by drawing whole series anew (their hours hang together). */
export function campaignTable(scores: readonly CampaignScore[], seed: number): string {
  const groups = [
    { name: 'seen', scores: scores.filter(({ isSeen }) => isSeen) },
    { name: 'never seen', scores: scores.filter(({ isSeen }) => !isSeen) },
  ].filter((group) => group.scores.length > 0);
  const lines = groups.map((group) => [
    group.name,
    String(group.scores.length),
    ...COLUMNS.map(({ of }) => {
      const [low, high] = interval(group.scores, of, seed);
      return `${of(group.scores).toFixed(3)} (${low.toFixed(2)}–${high.toFixed(2)})`;
    }),
  ]);
  return markdownTable([['kind ahead', 'series', ...COLUMNS.map(({ title }) => title)], ...lines]);
}

function interval(
  scores: readonly CampaignScore[],
  of: (scores: readonly CampaignScore[]) => number,
  seed: number,
): [number, number] {
  const draw = createRandom(seed);
  const drawn = Array.from({ length: DRAWS }, () =>
    of(scores.flatMap(() => scores[Math.floor(draw() * scores.length)] ?? [])),
  ).sort((a, b) => a - b);
  return [drawn[Math.floor(0.025 * DRAWS)] ?? 0, drawn[Math.ceil(0.975 * DRAWS) - 1] ?? 0];
}

function wape(hours: readonly ScoredHour[]): number {
  return mean(hours.map(({ error }) => error)) / mean(hours.map(({ actual }) => actual));
}
