import { describe, expect, it } from '@jest/globals';

import { checkEnvoyYaml } from '../../adapters/mesh/envoySchema/checkEnvoyConfig.js';
import { validateWithEnvoy } from '../../adapters/mesh/validateEnvoy.js';
import { generateGraph } from '../../bench/graph/generateGraph.js';
import { generateRegion } from '../../bench/plan/generateRegion.js';
import type { GeneratedRegion } from '../../bench/plan/generateRegion.js';
import { graphOfFiles } from '../../cli/graph.js';
import { lintMesh } from '../../core/plan/lint.js';
import { liveMesh } from '../../core/plan/live.js';
import { planMesh } from '../../core/plan/plan.js';
import { planProblems } from '../../core/plan/planSchema.js';
import { planHash } from '../../core/spec/hash.js';
import type { LiveMesh } from '../../core/spec/live.js';
import type { MeshPlan } from '../../core/spec/plan.js';
import type { PlanningSpec } from '../../core/spec/region.js';
import { flatten } from '../../mesh/envoy/flatten.js';
import { render } from '../../mesh/envoy/render.js';
import { checkIstio } from '../../mesh/istio/check.js';
import { lintIstio } from '../../mesh/istio/lint.js';
import { renderIstio } from '../../mesh/istio/render.js';
import { locatePart } from '../../scripts/parts/locate.js';

const PLANNING: PlanningSpec = {
  ...{ windowSeconds: 14_400, leadSeconds: 900, hysteresis: 0.1, survive: 'none', maxUtilisation: 0.75, arrivalCv2: 1 },
};
const FULL = { stage: { localPercent: 100, enforceLimits: true }, adjustments: [], overrides: [] };

async function known(name: string, entry: string): Promise<GeneratedRegion> {
  const graph = await graphOfFiles([`examples/graphs/${name}.yaml`]);
  if (!graph.ok) throw new Error(JSON.stringify(graph.problems));
  return generateRegion({
    graph: graph.value,
    entries: [entry],
    seed: 7,
    entryRps: 400,
    neighbours: 2,
    planning: PLANNING,
  });
}

async function generated(seed: number, services: number): Promise<GeneratedRegion> {
  const { graph, entries } = generateGraph({ services, seed });
  return generateRegion({ graph, entries, seed, neighbours: seed % 4, planning: PLANNING });
}

function plannedOf(input: GeneratedRegion): MeshPlan {
  const plan = planMesh(input);
  if (!plan.ok) throw new Error(JSON.stringify(plan.problems.slice(0, 5)));
  return plan.value;
}

const SYSTEMS: [string, () => Promise<GeneratedRegion>][] = [
  ['Online Boutique', () => known('online-boutique', 'frontend')],
  ['Hotel Reservation', () => known('hotel-reservation', 'frontend')],
  ['Train Ticket', () => known('train-ticket', 'ts-ui-dashboard')],
  ['20 generated services', () => generated(1, 20)],
  ['60 generated services, far from any neighbour', () => generated(4, 60)],
  ['150 generated services', () => generated(3, 150)],
];

describe.each(SYSTEMS)('%s', (_, make) => {
  let input: GeneratedRegion;
  let plan: MeshPlan;
  let lives: LiveMesh[];

  it('is planned for every window, and the plan is one by its schema and clean by the lint', async () => {
    input = await make();
    plan = plannedOf(input);
    expect(planProblems(JSON.parse(JSON.stringify(plan)))).toEqual([]);
    const hash = planHash(plan);
    lives = plan.windows.map(({ from }) => liveMesh(input.region, plan, hash, { ...FULL, window: from }));
    lives.forEach((live, i) => {
      const at = plan.windows[i]?.from ?? '';
      expect(lintMesh(live, input.region, plan, { at })).toEqual([]);
    });
    for (const live of lives) {
      for (const { weights } of live.services) {
        expect(Object.values(weights).reduce((sum, weight) => sum + weight, 0)).toBe(100);
      }
    }
  });

  it('is valid for Envoy: by its descriptors in two windows, by the binary in the first', async () => {
    const [host] = input.region.delivery.hosts;
    if (host === undefined) throw new Error('no host');
    const texts = lives.slice(0, 2).map((live) => flatten(render(live, input.region, host)));
    for (const text of texts) expect(checkEnvoyYaml(text)).toEqual([]);
    expect(await validateWithEnvoy(locatePart('envoy'), texts[0] ?? '')).toEqual([]);
  });

  it('is valid for Istio by its closed schemas and the lint', () => {
    const [first] = lives;
    if (first === undefined) throw new Error('no window');
    const calls = Object.fromEntries((plan.windows[0]?.services ?? []).map((one) => [one.service, one.calls ?? {}]));
    const files = renderIstio(first, input.region, { calls });
    expect(checkIstio(files)).toEqual([]);
    expect(lintIstio(files)).toEqual([]);
  });
});
