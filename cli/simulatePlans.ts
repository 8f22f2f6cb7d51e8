import { stat } from 'node:fs/promises';
import path from 'node:path';

import type { PastDeployment } from '../core/plan/capacity/records/pastDeployment.js';
import { ACTIVATED } from '../core/plan/lintWindows.js';
import { busiestWindow, windowAt } from '../core/plan/windowAt.js';
import { compileTwin } from '../core/simulate/compile.js';
import type { TwinModel } from '../core/simulate/model.js';
import type { ServiceGraph } from '../core/spec/graph.js';
import { parseRegion } from '../core/spec/parseRegion.js';
import type { MeshPlan, PlanWindow } from '../core/spec/plan.js';
import type { Problem, Result } from '../core/spec/problem.js';
import { ok, refused } from '../core/spec/problem.js';
import type { RegionSpec } from '../core/spec/region.js';
import { PLAN_FILE } from './outFolder.js';
import { readPlan } from './readPlan.js';
import { readDeployments, readGraph } from './planInputs.js';
import { readText } from './readText.js';

/** A plan as it is simulated: one of its windows after activation, limits enforced, every planned instance ready. */
export interface SimulatedPlan {
  /** As it was named on the command line. */
  name: string;
  plan: MeshPlan;
  region: RegionSpec;
  window: PlanWindow;
  model: TwinModel;
}

interface ReadPlan {
  name: string;
  file: string;
  plan: MeshPlan;
  region: RegionSpec;
  graph: ServiceGraph;
  deployments: readonly PastDeployment[];
}

/**
 * Reads plans (folders of `psmg plan`, or their `plan.json`) with the region file beside each, or `regionFile` for all.
 * All run the window that holds `window` (ISO 8601); absent: the busiest of the first plan. Every problem of every file.
 */
export async function simulatedPlans(
  targets: readonly string[],
  { regionFile, window, holdsWorker }: { regionFile?: string; window?: string; holdsWorker: boolean },
): Promise<Result<SimulatedPlan[]>> {
  const read: ReadPlan[] = [];
  const problems: Problem[] = [];
  for (const target of targets) {
    const one = await readOne(target, regionFile);
    if (one.ok) read.push(one.value);
    else problems.push(...one.problems);
  }
  const [first] = read;
  if (problems.length > 0 || first === undefined) return refused(unique(problems));
  const at = window ?? busiestWindow(first.plan).from;
  problems.push(...read.flatMap((one) => [...unlike(one, first), ...outside(one, at)]));
  if (problems.length > 0) return refused(unique(problems));
  const compiled = read.map(({ name, file, plan, region, graph, deployments }): Result<SimulatedPlan> => {
    const intent = { ...ACTIVATED, window: at };
    const model = compileTwin({ region, graph, plan, intent, deployments, holdsWorker });
    if (!model.ok) return refused(model.problems.map((problem) => ({ file, ...problem })));
    return ok({ name, plan, region, window: windowAt(plan, at), model: model.value });
  });
  const refusals = compiled.flatMap((one) => (one.ok ? [] : one.problems));
  return refusals.length > 0 ? refused(unique(refusals)) : ok(compiled.flatMap((one) => (one.ok ? [one.value] : [])));
}

export function entriesOf(region: RegionSpec): string[] {
  return region.services.filter(({ entry }) => entry !== undefined).map(({ name }) => name);
}

async function readOne(target: string, regionFile: string | undefined): Promise<Result<ReadPlan>> {
  const isFolder = await stat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const file = isFolder ? path.join(target, PLAN_FILE) : target;
  const beside = regionFile ?? path.join(path.dirname(file), 'region.yaml');
  const plan = await readPlan(file);
  const text = await readText(beside);
  const region = text.ok ? parseRegion(text.value, beside) : refused<RegionSpec>(text.problems);
  if (!plan.ok || !region.ok) return refused([plan, region].flatMap((one) => (one.ok ? [] : one.problems)));
  const known = region.value;
  const wrong = unknownServices(plan.value, known, file, beside);
  const graph = await readGraph(known);
  const deployments = await readDeployments(known);
  if (wrong.length > 0 || !graph.ok || !deployments.ok) {
    return refused([...wrong, ...[graph, deployments].flatMap((one) => (one.ok ? [] : one.problems))]);
  }
  return ok({
    ...{ name: target, file, plan: plan.value, region: known },
    ...{ graph: graph.value, deployments: deployments.value },
  });
}

function unknownServices(plan: MeshPlan, region: RegionSpec, file: string, regionFile: string): Problem[] {
  const fix = `name the region file that the plan was made from: --region FILE`;
  if (plan.region !== region.name) {
    const message = `is ${plan.region}; ${regionFile} describes ${region.name}`;
    return [{ code: 'other-region', file, field: 'region', message, fix }];
  }
  const names = new Set(region.services.map(({ name }) => name));
  const planned = new Set(plan.windows.flatMap(({ services }) => services.map(({ service }) => service)));
  const missing = [...names].filter((name) => !planned.has(name));
  const strange = [...planned].filter((name) => !names.has(name));
  return [
    ...strange.map((name) => ({ message: `plans ${name}, which ${regionFile} does not know` })),
    ...missing.map((name) => ({ message: `has no plan for ${name} of ${regionFile}` })),
  ].map(({ message }) => ({ code: 'other-services', file, field: 'windows', message, fix }));
}

/** Plans side by side answer the same users. */
function unlike({ file, region }: ReadPlan, first: ReadPlan): Problem[] {
  const [own, theirs] = [entriesOf(region).sort().join(', '), entriesOf(first.region).sort().join(', ')];
  if (region.name === first.region.name && own === theirs) return [];
  const message = `is of ${region.name} (entries ${own}), the first of ${first.region.name} (${theirs})`;
  return [{ code: 'other-region', file, field: 'region', message, expected: 'plans of one region' }];
}

function outside({ file, plan }: ReadPlan, at: string): Problem[] {
  const [from, to] = [plan.windows[0]?.from ?? '', plan.windows.at(-1)?.to ?? ''];
  const time = Date.parse(at);
  if (time >= Date.parse(from) && time < Date.parse(to)) return [];
  const message = `has no window that holds ${at}`;
  return [{ code: 'no-window', file, field: '--window', message, expected: `a time from ${from}, before ${to}` }];
}

/** Plans that share a region file share its problems. */
function unique(problems: readonly Problem[]): Problem[] {
  const seen = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...seen.values()];
}
