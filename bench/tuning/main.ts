/**
 * Our tuner, our plan alone and the peers in the twin: `npm run bench:tuning -- [--quick] [--apps A,B] [--surges 1,1.5]
 * [--rotate] [--seeds N] [--seed N] [--budget N] [--calls RPS] [--policies A,B] [--only-overload A,B] [--without REGION/POLICY,…] [--ablations]
 * [--cells FILE] [--data FOLDER] [--out FILE]`. The same options give the same bytes. With `--cells` runs are kept in a
 * file and not run again, but for those of our tuner: delete it when the twin, the plan or a peer has changed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { loadForecastEngines } from '../../adapters/wasm/augurs.js';
import { betweenMarkers } from '../markdown.js';
import { APP_NAMES } from './apps.js';
import { readDemandSources } from './demandSources.js';
import { testSegments, trainingSegments } from './demand.js';
import { keptMeasure } from './kept.js';
import { exampleApp, tuningReport } from './matrix.js';
import { comparedPolicies, LEARNING, OURS, PEER_NAMES, PER_SERVICE, PLAN_ONLY, TOPFULL } from './policies.js';
import { deepBottleneck, singleBottleneck } from './synthetic.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    apps: { type: 'string' },
    surges: { type: 'string', default: '1,1.2,1.5,2' },
    rotate: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    budget: { type: 'string' },
    calls: { type: 'string', default: '1200' },
    policies: { type: 'string' },
    'only-overload': { type: 'string' },
    without: { type: 'string' },
    ablations: { type: 'boolean', default: false },
    cells: { type: 'string' },
    data: { type: 'string', default: '../shared/data' },
    out: { type: 'string' },
  },
});

const ALL_NAMES: readonly string[] = [OURS, PLAN_ONLY, ...PEER_NAMES];
/** Over all training scenarios; they count as points of the grid. */
const LEARNING_PASSES = 1;

async function main(): Promise<void> {
  const { quick } = options;
  const names = options.policies?.split(',') ?? (quick ? [OURS, PLAN_ONLY, 'adaptive-concurrency'] : undefined);
  const asked = options.apps?.split(',') ?? (quick ? ['hotel-reservation'] : APP_NAMES);
  const calls = Number(options.calls);
  const apps = await Promise.all(
    APP_NAMES.filter((name) => asked.includes(name)).map((name) => exampleApp(name, calls)),
  );
  const sources = await readDemandSources(options.data);
  const [first, count] = [Number(options.seed), Number(options.seeds ?? (quick ? 2 : 10))];
  const budget = Number(options.budget ?? (quick ? 2 : 6));
  const without = options.without?.split(',') ?? [];
  const overloadOnly = options['only-overload']?.split(',') ?? [];
  const surges = quick ? [1.5] : options.surges.split(',').map(Number);
  const report = tuningReport({
    apps,
    test: testSegments(sources).slice(0, quick ? 2 : undefined),
    training: trainingSegments(sources).slice(0, quick ? 1 : undefined),
    ...{ surges, rotate: options.rotate, budget, engines: await loadForecastEngines() },
    ...{ single: singleBottleneck(), deep: deepBottleneck() },
    seeds: Array.from({ length: count }, (_, i) => first + i),
    policies: (training) => {
      const group = training[0]?.group ?? '';
      const isDay = apps.some(({ name }) => name === group);
      const isLeftOut = (name: string): boolean =>
        (isDay && overloadOnly.includes(name)) || without.includes(`${group}/${name}`);
      const asked = (names ?? ALL_NAMES).filter((name) => !isLeftOut(name));
      const passes = { passes: LEARNING_PASSES, seed: 10_000 + first };
      return comparedPolicies(training, passes, { names: asked, ablations: options.ablations });
    },
    spent: (policy) => (LEARNING.includes(policy) ? LEARNING_PASSES : 0),
    roles: { ours: OURS, peers: PEER_NAMES, perService: PER_SERVICE, topfull: TOPFULL },
    ...(options.cells === undefined
      ? {}
      : { measure: keptMeasure(options.cells, { fresh: LEARNING, size: options.calls }) }),
    progress: (text) => process.stderr.write(`${text}, ${Math.round(process.cpuUsage().user / 1e6)} s of CPU\n`),
  });
  const each = options.rotate ? 'one a segment in turn' : 'all with each segment';
  const facts =
    `Seeds ${first} to ${first + count - 1}; surges ${surges.join(', ')}, ${each}; ${budget} points of each grid tried; ` +
    `${calls} service calls a second at the peak.`;
  const text = `${facts}\n\n${report}`;
  process.stdout.write(`${text}\n`);
  if (options.out !== undefined) {
    writeFileSync(options.out, betweenMarkers(readFileSync(options.out, 'utf8'), 'bench:tuning', text));
  }
}

await main();
