import { graphOfRegion } from '../../core/graph/build.js';
import { lintMesh } from '../../core/plan/lint.js';
import { liveMesh } from '../../core/plan/live.js';
import { planMesh } from '../../core/plan/plan.js';
import { planProblems } from '../../core/plan/planSchema.js';
import { windowAt } from '../../core/plan/windowAt.js';
import type { DemandForecast } from '../../core/spec/forecast.js';
import { parseDemand } from '../../core/spec/parseDemand.js';
import { parseRegion } from '../../core/spec/parseRegion.js';
import type { MeshPlan } from '../../core/spec/plan.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { MESHES } from '../../mesh/registry.js';
import type { Chance } from './fuzzChance.js';
import { chanceOf } from './fuzzChance.js';
import { failed, judgeResult } from './fuzzJudge.js';
import { demandJsonText, regionText } from './fuzzPlanText.js';
import type { Outcome } from './fuzzRun.js';

export const PLAN_ENTRY_NAMES = ['region file', 'demand', 'plan'] as const;
export type PlanEntryName = (typeof PLAN_ENTRY_NAMES)[number];

const ENTRIES: Readonly<Record<PlanEntryName, (chance: Chance) => Outcome>> = {
  'region file': (chance) => planned(chance, regionText(chance), SOUND_DEMAND),
  demand: (chance) => judgeResult(parseDemand(demandJsonText(chance), 'demand.json')),
  plan: (chance) => planned(chance, regionText(chance), demandJsonText(chance)),
};

/** Runs one input of the campaign, from its text to a plan that is rendered and checked. Never throws. */
export function runPlanFuzzCase(seed: number, index: number): { entry: PlanEntryName; outcome: Outcome } {
  const entry = PLAN_ENTRY_NAMES[index % PLAN_ENTRY_NAMES.length] ?? 'plan';
  try {
    return { entry, outcome: ENTRIES[entry](chanceOf(seed, index)) };
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { entry, outcome: failed(`threw ${why}`) };
  }
}

const HOURS = Array.from({ length: 24 }, (_, i) => new Date(Date.UTC(2026, 0, 1, i)).toISOString());
const SOUND_DEMAND = JSON.stringify({
  series: ['front', 'cart'].map((service) => ({
    service,
    trust: 'high',
    timestamps: HOURS,
    quantiles: Object.fromEntries(
      ['p50', 'p80', 'p90', 'p95', 'p99'].map((name) => [name, HOURS.map((_, i) => 20 + 10 * i)]),
    ),
  })),
});

function planned(chance: Chance, regionFile: string, demandFile: string): Outcome {
  const region = parseRegion(regionFile, 'region.yaml');
  const demand = parseDemand(demandFile, 'demand.json');
  if (!region.ok) return judgeResult(region);
  if (!demand.ok) return judgeResult(demand);
  const graph = graphOfRegion(region.value, {});
  if (!graph.ok) return judgeResult(graph);
  const plan = planMesh({ region: region.value, graph: graph.value, forecast: named(demand.value, region.value) });
  if (!plan.ok) return judgeResult(plan);
  const why = whyUnsoundPlan(region.value, plan.value, chance);
  return why === undefined ? { kind: 'answered' } : failed(why);
}

/** The demand under the region's own names: what the campaign is after comes behind the names. */
function named(demand: DemandForecast, region: RegionSpec): DemandForecast {
  const entries = region.services.filter((service) => service.entry !== undefined);
  const [first] = demand.series;
  if (first === undefined) return demand;
  const missing = entries.filter(({ name }) => !demand.series.some((one) => one.service === name));
  return { ...demand, series: [...demand.series, ...missing.map(({ name }) => ({ ...first, service: name }))] };
}

/** What a plan that was not refused must be, whatever it was made from. */
function whyUnsoundPlan(region: RegionSpec, plan: MeshPlan, chance: Chance): string | undefined {
  const [shape] = planProblems(JSON.parse(JSON.stringify(plan)));
  if (shape !== undefined) return `${shape.field} ${shape.message}`;
  const at = chance.of([undefined, HOURS[12], '2030-01-01T00:00:00Z']);
  const stage = { localPercent: chance.of([0, 33, 100]), enforceLimits: chance.is(0.5) };
  const intent = { stage, adjustments: [], overrides: [], ...(at === undefined ? {} : { window: at }) };
  const live = liveMesh(region, plan, 'hash', intent);
  const [found] = lintMesh(live, region, plan, at === undefined ? {} : { at });
  if (found !== undefined) return `lint ${found.code} ${found.field}: ${found.message}`;
  if (windowAt(plan, at).services.length !== region.services.length) return 'a window misses a service';
  for (const host of region.delivery.hosts)
    MESHES[region.mesh.kind].flatten(MESHES[region.mesh.kind].render(live, region, host));
  return undefined;
}
