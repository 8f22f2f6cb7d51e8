/**
 * The tuner under faults and wrong forecasts, beside itself turned off: `npm run campaign:safety -- [--runs 500] [--apps A,B]
 * [--seed 1] [--calls 400] [--passes 2] [--data FOLDER] [--out FILE]`. Exits 1 where a run loses more than 2 % of its
 * reward and more than chance explains. The same options give the same bytes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { loadForecastEngines } from '../../adapters/wasm/augurs.js';
import { planOnlyPolicy } from '../../core/simulate/tuner.js';
import { betweenMarkers } from '../markdown.js';
import { APP_NAMES } from './apps.js';
import { readDemandSources } from './demandSources.js';
import { testSegments, trainingSegments } from './demand.js';
import { exampleApp } from './matrix.js';
import { warmTuner } from './policies.js';
import { safetyRuns } from './safety.js';
import { MOST_LOST, safetyText, worstRuns } from './safetyReport.js';
import { trainingScenarios } from './scenarios.js';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '500' },
    apps: { type: 'string' },
    seed: { type: 'string', default: '1' },
    calls: { type: 'string', default: '400' },
    passes: { type: 'string', default: '2' },
    data: { type: 'string', default: '../shared/data' },
    out: { type: 'string' },
  },
});

async function main(): Promise<void> {
  const [calls, seed] = [Number(options.calls), Number(options.seed)];
  const asked = options.apps?.split(',') ?? APP_NAMES;
  const apps = await Promise.all(
    APP_NAMES.filter((name) => asked.includes(name)).map((name) => exampleApp(name, calls)),
  );
  const sources = await readDemandSources(options.data);
  const engines = await loadForecastEngines();
  const training = apps.flatMap((app) => trainingScenarios(app, trainingSegments(sources), engines));
  const on = warmTuner(training, { passes: Number(options.passes), seed: 10_000 + seed });
  const params = on.grid[0] ?? {};
  const tickMs = params['intervalMs'] ?? 10_000;
  const runs = safetyRuns({
    ...{ apps, segments: testSegments(sources), engines, on, off: planOnlyPolicy(), params, tickMs },
    ...{ runs: Number(options.runs), seed },
    progress: (done) => {
      if (done % 25 === 0)
        process.stderr.write(`${done} runs, ${Math.round(process.cpuUsage().user / 1e6)} s of CPU\n`);
    },
  });
  const text = [
    `${asked.join(', ')}; seeds ${seed} to ${seed + runs.length - 1}; ${calls} service calls a second at the peak; a tick is ${tickMs / 1000} s.`,
    safetyText(runs, { tickMs }),
    'The runs that lost the most:',
    worstRuns(runs, 5),
  ].join('\n\n');
  process.stdout.write(`${text}\n`);
  if (options.out !== undefined) {
    writeFileSync(options.out, betweenMarkers(readFileSync(options.out, 'utf8'), 'campaign:safety', text));
  }
  const chance = Math.max(...runs.map(({ chanceShare }) => Math.abs(chanceShare)));
  process.exitCode = runs.some(({ lostShare }) => lostShare > Math.max(MOST_LOST, chance)) ? 1 : 0;
}

await main();
