import { parse, stringify } from 'yaml';

import { checkEnvoyConfig, checkEnvoyYaml } from '../../adapters/mesh/envoySchema/checkEnvoyConfig.js';
import { validateWithEnvoy } from '../../adapters/mesh/validateEnvoy.js';
import { liveMesh } from '../../core/plan/live.js';
import { formatProblem } from '../../core/spec/problem.js';
import { planHash } from '../../core/spec/hash.js';
import { flatten } from '../../mesh/envoy/flatten.js';
import { render } from '../../mesh/envoy/render.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, hostSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { markdownTable } from '../markdown.js';
import type { Mutation } from './mutations.js';
import { mutations } from './mutations.js';
import { richConfig } from './richConfig.js';
import type { Mapping } from './typedObjects.js';

// How far the in-process check and the real Envoy agree about mutated configurations, and what each takes:
//   node --import tsx bench/descriptors/agree.ts [MUTATIONS_PER_KIND=9] [SEED=1]

/** One mutated configuration with what the descriptors and what the real Envoy say about it. */
interface Verdict {
  mutation: Mutation;
  ours: readonly string[];
  envoys: readonly string[];
}

const [perKind = 9, seed = 1] = process.argv.slice(2).map(Number);

const good: readonly [string, Mapping][] = [
  ['rendered', parse(renderedExample()) as Mapping],
  ['rich', richConfig()],
];
const verdicts: Verdict[] = [];
for (const [name, config] of good) {
  const own = checkEnvoyConfig(config);
  const real = await validateWithEnvoy(locatePart('envoy'), stringify(config));
  if (own.length + real.length > 0) throw new Error(`${name}: ${[...own, ...real].map(formatProblem).join('; ')}`);
  for (const mutation of mutations(config, perKind, seed)) verdicts.push(await judge(mutation));
}
report(verdicts);
await times();

async function judge(mutation: Mutation): Promise<Verdict> {
  const text = stringify(mutation.config, { lineWidth: 0 });
  const envoys = await validateWithEnvoy(locatePart('envoy'), text);
  return {
    mutation,
    ours: checkEnvoyYaml(text).map(formatProblem),
    envoys: envoys.map(({ message }) => message.slice(0, 300)),
  };
}

function report(all: readonly Verdict[]): void {
  const count = (some: readonly Verdict[], ours: boolean, envoys: boolean): string =>
    String(some.filter((one) => one.ours.length > 0 === ours && one.envoys.length > 0 === envoys).length);
  const row = (name: string, some: readonly Verdict[]): string[] => [
    name,
    String(some.length),
    count(some, true, true),
    count(some, false, false),
    count(some, false, true),
    count(some, true, false),
  ];
  const kinds = [...new Set(all.map((one) => one.mutation.kind))];
  const rows = kinds.map((kind) =>
    row(
      kind,
      all.filter((one) => one.mutation.kind === kind),
    ),
  );
  const head = ['mutation', 'cases', 'both refuse', 'both accept', 'Envoy alone refuses', 'we alone refuse'];
  console.log(markdownTable([head, ...rows, row('all', all)]));
  const differ = (ours: boolean): Verdict[] =>
    all.filter((one) => one.ours.length > 0 === ours && one.envoys.length > 0 !== ours);
  reasons('Envoy alone refuses', differ(false), (one) => one.envoys);
  reasons('we alone refuse', differ(true), (one) => one.ours);
}

/** What one of the two says where the other is silent, by class: what is quoted and what is counted left out. */
function reasons(title: string, verdicts: readonly Verdict[], said: (one: Verdict) => readonly string[]): void {
  const classes = new Map<string, Verdict[]>();
  for (const one of verdicts) {
    const reason = said(one)
      .join('; ')
      .replace(/^error initializing configuration 'the configuration': /, '')
      .replace(/goo\.gle\S*/g, '')
      .replace(/(?<=[a-z])'(?=[a-z])/g, '’')
      .replace(/'[^']*'|"[^"]*"|x{9,}|\d+/g, '…');
    classes.set(reason, [...(classes.get(reason) ?? []), one]);
  }
  console.log(`\n${title}: ${verdicts.length}`);
  for (const [reason, cases] of classes) {
    const [first] = cases;
    const example = `${first?.mutation.kind}: ${first?.mutation.told ?? ''}`.slice(0, 90);
    console.log(`- ${cases.length} × ${reason.slice(0, 200)} (${example})`);
  }
}

/** Milliseconds a configuration, of the rendered example: the in-process check and the real Envoy, medians. */
async function times(): Promise<void> {
  const text = renderedExample();
  const json: unknown = parse(text);
  const inProcess = timesOf(200, () => checkEnvoyConfig(json));
  const parsing = timesOf(30, () => parse(text) as unknown);
  const real: number[] = [];
  for (let i = 0; i < 9; i++) {
    const from = performance.now();
    await validateWithEnvoy(locatePart('envoy'), text);
    real.push(performance.now() - from);
  }
  const shown = (ms: readonly number[]): string => ([...ms].sort((a, b) => a - b)[ms.length >> 1] ?? NaN).toFixed(2);
  console.log(
    `\n${text.length} bytes of YAML: ${shown(parsing)} ms to read, ${shown(inProcess)} ms to check; Envoy ${shown(real)} ms`,
  );
}

function timesOf(runs: number, run: () => unknown): number[] {
  return Array.from({ length: runs }, () => {
    const from = performance.now();
    run();
    return performance.now() - from;
  });
}

function renderedExample(): string {
  const region = shopRegion();
  const plan = planOf(region, forecastOf({ front: 400 }));
  const stage = { localPercent: 30, enforceLimits: true };
  const live = liveMesh(region, plan, planHash(plan), { stage, adjustments: [], overrides: [] });
  return flatten(render(live, region, hostSpec({ name: 'edge-1' })));
}
