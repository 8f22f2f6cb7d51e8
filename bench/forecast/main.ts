import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { parseArgs } from 'node:util';

import { loadForecastEngines } from '../../adapters/wasm/augurs.js';
import { mean } from '../../core/forecast/series.js';
import type { QuestionSet, SetName } from './data.js';
import { SETS, SET_NAMES } from './data.js';
import type { Answer } from './methods.js';
import { answerAll } from './methods.js';
import { scoreOf } from './score.js';
import type { Row } from './table.js';
import { betweenMarkers, table } from './table.js';

const DEFAULT_SAMPLE: Readonly<Record<SetName, number>> = { m4: 60, bike: 16 };

const { values: options } = parseArgs({
  options: {
    set: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    data: { type: 'string', default: '../shared/data' },
    out: { type: 'string', default: 'docs/benchmarks.md' },
  },
});

async function main(): Promise<void> {
  const names = SET_NAMES.filter((name) => options.set === undefined || options.set === name);
  if (names.length === 0) throw new Error(`--set is one of ${SET_NAMES.join(', ')}`);
  for (const name of names) {
    const sample = Number(options.sample ?? DEFAULT_SAMPLE[name]);
    const set = await SETS[name]({ folder: options.data, sample, seed: Number(options.seed) });
    const answers: Answer[][] = [];
    for (const [index, question] of set.questions.entries()) {
      process.stderr.write(`${set.title}: ${index + 1} of ${set.questions.length}\n`);
      // Anew for each: a trap in one question is no other's loss.
      answers.push(answerAll(question, set.seasons, await loadForecastEngines()));
    }
    const rows = rowsOf(set, answers);
    process.stdout.write(`${table(rows)}\n`);
    await write(`bench:forecast ${name}`, `### ${set.title}\n\n${factsOf(set, answers)}\n\n${table(rows)}`);
  }
}

function rowsOf(set: QuestionSet, answers: readonly (readonly Answer[])[]): Row[] {
  const methods = [...new Set(answers.flat().map((answer) => answer.method))];
  return methods.map((method): Row => {
    const own = set.questions.flatMap((question, index) => {
      const answer = answers[index]?.find((candidate) => candidate.method === method);
      return answer === undefined ? [] : [{ question, answer }];
    });
    const weights = answers.map((list) => {
      const together = list.at(-1)?.series.models ?? [];
      return together.find((model) => model.name === method)?.weight ?? 0;
    });
    return {
      method,
      scores: own.map(({ question, answer }) =>
        scoreOf(question.history.values, question.actual, answer.series.quantiles),
      ),
      cpuSeconds: own.map(({ answer }) => answer.cpuSeconds),
      failed: own.filter(({ answer }) => answer.series.trust === 'none').length,
      ...(method === methods.at(-1) ? {} : { weight: mean(weights) }),
    };
  });
}

/** What the numbers rest on, and how far the ensemble is from the best member of each question. */
function factsOf(set: QuestionSet, answers: readonly (readonly Answer[])[]): string {
  const cores = os.availableParallelism();
  const alone = answers.map(
    (list) => (list.at(-1)?.series.models.filter((model) => model.weight === 1).length ?? 0) > 0,
  );
  const single = alone.filter(Boolean).length;
  return [
    `${set.facts.charAt(0).toUpperCase()}${set.facts.slice(1)}. ${cores} cores, one used.`,
    `One member alone had all the weight in ${single} of ${answers.length} forecasts.`,
  ].join(' ');
}

async function write(marker: string, body: string): Promise<void> {
  const before = await readFile(options.out, 'utf8').catch(() => '# Benchmarks\n');
  await writeFile(options.out, betweenMarkers(before, marker, body));
}

await main();
