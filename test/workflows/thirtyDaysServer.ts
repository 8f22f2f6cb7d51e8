import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { RegionActivities } from '../../activities/contract.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { bundleWorkflows } from '../../workers/bundle.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/shared/searchAttributes.js';
import { Unsticker } from './thirtyDaysUnstick.js';

/** Of Temporal's IndexedValueType. */
const KEYWORD = 2;

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A server that skips the time in which nothing happens. */
export async function startSkippingServer(): Promise<TestWorkflowEnvironment> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const executable = { type: 'existing-path', path: locatePart('temporal-test-server') } as const;
  const env = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  const names = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => [name, KEYWORD] as const);
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? 'default',
    searchAttributes: Object.fromEntries(names),
  });
  return env;
}

/** What a build has more than the one before it; each change is asked for by `patched`, or old runs would not replay. */
const CHANGES: readonly { file: string; from: string; to: string }[][] = [
  [],
  [
    {
      file: 'meshAdjustment/workflow.ts',
      from: 'state.counts.ticks % state.tunables.ticksPerReport === 1',
      to: "state.counts.ticks % (patched('half-as-many-reports') ? 2 * state.tunables.ticksPerReport : state.tunables.ticksPerReport) === 1",
    },
    { file: 'meshAdjustment/workflow.ts', from: '  setHandler,\n', to: '  patched,\n  setHandler,\n' },
  ],
  [
    {
      file: 'regionLifecycle/replan.ts',
      from: 'export async function replan(region: Region, during: During): Promise<void> {\n',
      to: "$&  if (patched('targets-before-a-plan')) await readTargets({ specRef: region.state.accepted.specRef });\n",
    },
    { file: 'regionLifecycle/replan.ts', from: 'planRegion }', to: 'planRegion, readTargets }' },
    {
      file: 'regionLifecycle/replan.ts',
      from: "import { isCancellation } from '@temporalio/workflow'",
      to: "import { isCancellation, patched } from '@temporalio/workflow'",
    },
  ],
];

/** Bundles of three builds, each with the changes of those before it. */
export async function bundleBuilds(folder: string): Promise<WorkflowBundle[]> {
  mkdirSync(folder, { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  const bundles: WorkflowBundle[] = [];
  for (const build of CHANGES.keys()) {
    const copy = path.join(folder, `build-${build + 1}`);
    cpSync(path.join(root, 'workflows'), copy, { recursive: true });
    for (const { file, from, to } of CHANGES.slice(0, build + 1).flat()) {
      const code = readFileSync(path.join(copy, file), 'utf8');
      const changed = code.replace(from, to);
      // A change that no longer finds its place would prove nothing.
      if (changed === code) throw new Error(`${file} does not hold ${from}`);
      writeFileSync(path.join(copy, file), changed);
    }
    bundles.push(await bundleWorkflows({ workflows: copy }));
  }
  return bundles;
}

export interface BuildsOf {
  bundles: readonly WorkflowBundle[];
  taskQueue: string;
  activities: RegionActivities;
}

/** One worker at a time; the next takes over what the one before was doing. */
export class Builds {
  private worker: { one: Worker; ended: Promise<void> } | null = null;

  private readonly unsticker: Unsticker;
  private readonly connection: NativeConnection;
  private readonly of: BuildsOf;

  private constructor(unsticker: Unsticker, connection: NativeConnection, of: BuildsOf) {
    this.unsticker = unsticker;
    this.connection = connection;
    this.of = of;
  }

  static async start(env: TestWorkflowEnvironment, of: BuildsOf): Promise<Builds> {
    const unsticker = await Unsticker.start(env.address);
    const { address } = unsticker;
    return new Builds(unsticker, await NativeConnection.connect({ address, grpcCompression: { codec: 'none' } }), of);
  }

  async run(build: 1 | 2 | 3): Promise<void> {
    const { bundles, taskQueue, activities } = this.of;
    const workflowBundle = bundles[build - 1];
    if (workflowBundle === undefined) throw new Error(`there is no build ${build}`);
    const one = await Worker.create({
      ...{ connection: this.connection, taskQueue, workflowBundle, activities },
      identity: `sticks-to-build-${build}`,
      maxCachedWorkflows: 10,
    });
    this.worker = { one, ended: one.run() };
  }

  /** Lets the worker finish what it does; `meanwhile` has every workflow complete a task. */
  async stop(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    this.unsticker.unsticking = true;
    await meanwhile();
    this.worker?.one.shutdown();
    await this.worker?.ended;
    this.worker = null;
    this.unsticker.unsticking = false;
  }

  async end(): Promise<void> {
    await this.stop();
    await this.connection.close();
    await this.unsticker.stop();
  }
}
