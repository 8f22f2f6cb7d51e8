import type { ForecastEngines } from '../../core/forecast/forecast.js';
import type { TwinPolicy } from '../../core/simulate/policy.js';
import type { App } from './apps.js';
import { makeApp } from './apps.js';
import type { AppName } from './apps.js';
import { APP_ENTRY } from './apps.js';
import type { Segment } from './demand.js';
import { graphOfFiles } from '../../cli/graph.js';
import { capacities, clairvoyant } from './optimum.js';
import { dayTables, overloadTable, tunedTable } from './report.js';
import type { Cell, Compared, Measure, Scenario, Tuned } from './run.js';
import { comparePolicies } from './run.js';
import { dayScenarios, overloadScenario, overloadTraining, trainingScenarios } from './scenarios.js';
import type { Roles } from './verdict.js';
import { dayVerdicts, overloadVerdicts, verdictTable } from './verdict.js';

export interface MatrixInput {
  apps: readonly App[];
  test: readonly Segment[];
  training: readonly Segment[];
  surges: readonly number[];
  /** One surge a segment, in turn, instead of all of them. */
  rotate: boolean;
  single: App;
  deep: App;
  seeds: readonly number[];
  /** Points of its grid that a policy may try, each on all training scenarios of a group. */
  budget: number;
  engines: ForecastEngines;
  policies: (training: readonly Scenario[]) => readonly TwinPolicy[];
  /** As in `CompareInput`. */
  spent?: (policy: string) => number;
  roles: Roles;
  measure?: Measure;
  progress?: (text: string) => void;
}

/** So many times what an overloaded region can take. */
const OVERLOAD = 2;

/** The whole comparison as Markdown; the same input gives the same bytes. */
export function tuningReport(input: MatrixInput): string {
  const days = compareDays(input);
  const overload = compareOverload(input);
  const tuned: Tuned[] = [...days.tuned, ...overload.tuned];
  const lines = [...dayVerdicts(days.cells, input.roles), ...overload.lines];
  return [
    verdictTable(lines),
    dayTables(days),
    `**Overload without reserve, offered ${OVERLOAD} × capacity**\n\n${overload.table}`,
    `**What tuning chose**\n\n${tunedTable(tuned)}`,
  ].join('\n\n');
}

function compareDays(input: MatrixInput): Compared {
  const { apps, test, training, surges, rotate, engines, seeds, budget, policies, spent, measure, progress } = input;
  const scenarios = apps.flatMap((app, a) =>
    test.flatMap((segment, i) => {
      const own = rotate ? [surges[(a + i) % surges.length] ?? 1] : surges;
      return dayScenarios(app, [segment], own, engines);
    }),
  );
  return comparePolicies({
    ...{ scenarios, seeds, budget, policies },
    training: (group) =>
      apps.filter(({ name }) => name === group).flatMap((app) => trainingScenarios(app, training, engines)),
    ...(spent === undefined ? {} : { spent }),
    ...(measure === undefined ? {} : { measure }),
    ...(progress === undefined ? {} : { progress }),
  });
}

function compareOverload(input: MatrixInput): Pick<Compared, 'tuned'> & OverloadFigures {
  const { single, deep, seeds, budget, policies, roles, spent, measure, progress } = input;
  const [one, tree] = [overloadScenario(single, OVERLOAD), overloadScenario(deep, OVERLOAD)];
  const { cells, tuned } = comparePolicies({
    ...{ scenarios: [one, tree], seeds, budget, policies },
    training: (group) => overloadTraining(group === single.name ? single : deep),
    ...(spent === undefined ? {} : { spent }),
    ...(measure === undefined ? {} : { measure }),
    ...(progress === undefined ? {} : { progress }),
  });
  const capacityRps = Math.min(...capacities(one.model).values());
  const optimumRps = optimumOf(deep, tree);
  const of = (app: App): Cell[] => cells.filter(({ group }) => group === app.name);
  const limits = { [single.name]: capacityRps, [deep.name]: optimumRps };
  return {
    tuned,
    table: overloadTable(cells, limits),
    lines: overloadVerdicts({ single: of(single), deep: of(deep) }, { capacityRps, optimumRps }, roles),
  };
}

interface OverloadFigures {
  table: string;
  lines: ReturnType<typeof overloadVerdicts>;
}

function optimumOf(app: App, { model, demand }: Scenario): number {
  const demandRps = Object.fromEntries(demand.entries.map(({ entry, points }) => [entry, points[0]?.rps ?? 0]));
  return Object.values(clairvoyant(app, model, demandRps).admittedRps).reduce((sum, rps) => sum + rps, 0);
}

/** An application of examples/graphs. Throws where its file cannot be read. */
export async function exampleApp(name: AppName, callsPerSecond?: number): Promise<App> {
  const graph = await graphOfFiles([`examples/graphs/${name}.yaml`]);
  if (!graph.ok) throw new Error(`${name}: ${JSON.stringify(graph.problems.slice(0, 3))}`);
  return makeApp({
    ...{ name, entries: [{ service: APP_ENTRY[name], share: 1 }], graph: graph.value, seed: 1 },
    // Its searches ask for all trains at once; one after the other an answer would take seconds.
    calls: name === 'train-ticket' ? 'parallel' : 'serial',
    ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
  });
}
