import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { chainOf } from './chain.js';
import type { TestTemporal } from './environment.js';
import { eventually, startTestTemporal } from './environment.js';
import { ScriptedRegion } from './scriptedActivities.js';

jest.setTimeout(120_000);

const REGIONS = ['one', 'two', 'three', 'four', 'five'];
const ROUNDS = 3;
/** Longer than a sticky queue waits for a worker that is gone, and than a tick: a timer fires meanwhile. */
const DOWN_MS = 1500;

let temporal: TestTemporal;

beforeAll(async () => {
  temporal = await startTestTemporal();
});

afterAll(async () => temporal.stop());

it('goes on after it was asked for its status while no worker ran and its timers fired', async () => {
  const { client } = temporal.env;
  const outside = Object.fromEntries(REGIONS.map((name) => [name, new ScriptedRegion()]));
  const withWorkers = async (work: () => Promise<void>): Promise<void> => {
    const workers = await Promise.all(
      REGIONS.map((name) => temporal.worker(name, (outside[name] ?? new ScriptedRegion()).activities())),
    );
    const running = Promise.all(workers.map((worker) => worker.run()));
    await work();
    for (const worker of workers) worker.shutdown();
    await running;
  };
  const adjustments = REGIONS.map((name) => client.workflow.getHandle(adjustmentWorkflowId(name)));
  await withWorkers(async () => {
    for (const name of REGIONS) {
      const options = { workflowId: regionWorkflowId(name), taskQueue: name, args: [name] };
      const region = await client.workflow.start('regionLifecycle', options);
      await eventually('operating', async () => {
        return (await region.query<RegionStatus>('status')).tuner.state === 'running';
      });
    }
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    // They wait for a worker, which is then handed them before the tasks that the timers have made.
    const asked = adjustments.map((adjustment) => adjustment.query('status').catch(() => undefined));
    await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
    await withWorkers(async () => {
      await Promise.all(asked);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    });
  }
  await withWorkers(async () => new Promise((resolve) => setTimeout(resolve, 2000)));
  for (const { workflowId } of adjustments) {
    const failures = (await chainOf(client, workflowId)).flatMap(({ taskFailures }) => taskFailures);
    expect({ workflowId, failures }).toEqual({ workflowId, failures: [] });
  }
});
