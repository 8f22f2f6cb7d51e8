import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { loadForecastEngines } from '../../adapters/wasm/augurs.js';
import { createMembers } from '../../core/forecast/members/createMembers.js';
import { draftService } from '../../core/forecast/ensemble/draft.js';
import { finishRegion } from '../../core/forecast/finish.js';
import type { ModelName } from '../../core/forecast/members/members.js';
import { MODEL_NAMES } from '../../core/forecast/members/members.js';
import { endMs, mean } from '../../core/forecast/series.js';
import type { ForecastSeries } from '../../core/spec/forecast.js';
import type { CampaignQuestion } from './campaignPlans.js';
import { injectCampaigns } from './campaignPlans.js';
import { realSeries } from './campaignSeries.js';
import type { CampaignScore } from './campaignScore.js';
import { campaignTable, scoreCampaign } from './campaignScore.js';
import { pick } from './random.js';
import { betweenMarkers } from '../markdown.js';

export interface CampaignOptions {
  folder: string;
  /** Questions; each real series that is no M4 one is asked first. */
  sample: number;
  seed: number;
  models?: readonly ModelName[];
  progress?: (line: string) => void;
}

export interface CampaignOutcome {
  /** What the numbers rest on, in a sentence or two. */
  facts: string;
  table: string;
  scores: readonly CampaignScore[];
}

/** Forecasts of real demand with campaigns put into it, the whole service forecast each, scored on its hours. */
async function runCampaigns(options: CampaignOptions): Promise<CampaignOutcome> {
  const { folder, sample, seed, models, progress } = options;
  const { mixed, m4 } = await realSeries(folder);
  const first = pick(mixed, sample, seed);
  const chosen = [...first, ...pick(m4, sample - first.length, seed)];
  const scores: CampaignScore[] = [];
  for (const [index, real] of chosen.entries()) {
    progress?.(`campaigns: ${real.id}, ${index + 1} of ${chosen.length}`);
    const question = injectCampaigns(real, seed * 1000 + index);
    scores.push(scoreCampaign(question, (await answer(question, models)).quantiles));
  }
  const seen = scores.filter((score) => score.isSeen).length;
  const facts =
    `${scores.length} real series, ${first.length} of them not from M4, drawn with seed ${seed}: 3 to 5 past campaigns and one in the 96 h ahead` +
    ` (${seen} series), or one of a kind never seen (${scores.length - seen}). Uplift +40 to +150 %, lead, pre-effect and decay by kind.`;
  return { facts, table: campaignTable(scores, seed), scores };
}

/** The whole forecast of one service: back-test, weights, quantiles. */
async function answer(question: CampaignQuestion, models?: readonly ModelName[]): Promise<ForecastSeries> {
  const { id, history, seasons, events } = question;
  // Anew for each: a trap in one question is no other's loss.
  const members = createMembers(await loadForecastEngines(), seasons, history.values.length, models);
  const job = {
    service: id,
    history,
    startMs: endMs(history),
    horizonSteps: question.actual.length,
    seasons,
    events,
    known: [],
    seed: 1,
  };
  const steps = draftService(job, members);
  for (;;) {
    const step = steps.next();
    if (step.done !== true) continue;
    const [series] = finishRegion([{ job, outcome: step.value }]).forecast.series;
    if (series === undefined) throw new Error(`${id}: no forecast`);
    return series;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sample: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      models: { type: 'string' },
      data: { type: 'string', default: '../shared/data' },
      out: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const names = values.models?.split(',');
  const models = MODEL_NAMES.filter((name) => names?.includes(name));
  const { facts, table, scores } = await runCampaigns({
    folder: values.data,
    sample: Number(values.sample),
    seed: Number(values.seed),
    ...(names === undefined ? {} : { models }),
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  if (values.verbose)
    for (const { id, isSeen, event, ordinary } of scores) {
      const wape = (of: typeof event): string =>
        (mean(of.map(({ error }) => error)) / mean(of.map(({ actual }) => actual))).toFixed(3);
      process.stderr.write(
        `${id}: ${isSeen ? 'seen' : 'unseen'}, WAPE ${wape(event)} on event hours, ${wape(ordinary)} on others\n`,
      );
    }
  const body = `### Injected campaigns\n\n${facts}\n\n${table}`;
  process.stdout.write(`${body}\n`);
  if (values.out === undefined) return;
  const before = await readFile(values.out, 'utf8').catch(() => '# Benchmarks\n');
  await writeFile(values.out, betweenMarkers(before, 'bench:forecast campaigns', body));
}

if (process.argv[1]?.endsWith('campaigns.ts') === true) await main();
