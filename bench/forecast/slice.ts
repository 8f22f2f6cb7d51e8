import { parseArgs } from 'node:util';

import { loadForecastEngines } from '../../adapters/wasm/augurs.js';
import type { SetName } from './data.js';
import { SETS } from './data.js';
import type { Memory } from './methods.js';
import { answerAll } from './methods.js';

// A part of a set, answered by the program under test: one line of JSON a question, with the answers of all methods.

const { values: options } = parseArgs({
  options: {
    set: { type: 'string', default: '' },
    sample: { type: 'string', default: '' },
    seed: { type: 'string', default: '' },
    data: { type: 'string', default: '' },
    from: { type: 'string', default: '' },
    to: { type: 'string', default: '' },
  },
});

async function main(): Promise<void> {
  const { seasons, questions } = await SETS[options.set as SetName]({
    folder: options.data,
    sample: Number(options.sample),
    seed: Number(options.seed),
  });
  const memory: Memory = { fits: new Map(), replayedSeconds: 0 };
  let seriesId = '';
  for (const question of questions.slice(Number(options.from), Number(options.to))) {
    if (question.seriesId !== seriesId) memory.fits.clear();
    seriesId = question.seriesId;
    // Anew for each: a trap in one question is no other's loss.
    const answers = answerAll(question, seasons, await loadForecastEngines(), memory);
    process.stdout.write(`${JSON.stringify(answers)}\n`);
  }
}

await main();
