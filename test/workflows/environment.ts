import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { locatePart } from '../../scripts/parts/locate.js';
import { bundleWorkflows } from '../../workers/bundle.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/shared/searchAttributes.js';
import type { RegionActivities } from '../../activities/contract.js';

/** A real Temporal server in memory, with the bundle that the worker ships. One a test file. */
export interface TestTemporal {
  env: TestWorkflowEnvironment;
  bundle: WorkflowBundle;
  worker(taskQueue: string, activities: RegionActivities): Promise<Worker>;
  stop(): Promise<void>;
}

export async function startTestTemporal(serverArgs: readonly string[] = []): Promise<TestTemporal> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const attributes = Object.values(SEARCH_ATTRIBUTES).flatMap((key) => ['--search-attribute', `${key.name}=Keyword`]);
  const [env, bundle] = await Promise.all([
    TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: locatePart('temporal') },
        extraArgs: [
          ...attributes,
          ...['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'],
          ...serverArgs,
        ],
      },
    }),
    bundleWorkflows(),
  ]);
  return {
    env,
    bundle,
    worker: (taskQueue, activities) =>
      Worker.create({
        connection: env.nativeConnection,
        taskQueue,
        workflowBundle: bundle,
        activities,
        disablePayloadErrorLimit: true,
        maxHeartbeatThrottleInterval: '1 second',
        stickyQueueScheduleToStartTimeout: '1 second',
      }),
    stop: () => env.teardown(),
  };
}

/** Polls until `check` gives something; fails with `what` after the deadline. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | null | undefined | false>,
  deadlineMs = 60_000,
): Promise<T> {
  const endMs = Date.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await check();
      if (found !== null && found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
