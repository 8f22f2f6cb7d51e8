import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { Script, Scriptwriter as Writer } from './thirtyDaysCourse.js';
import { Scriptwriter } from './thirtyDaysCourse.js';
import { DAY_MS, HOUR_MS, LongRegion, TICK_MS } from './thirtyDaysLife.js';
import { LongLivedPerson } from './thirtyDaysPerson.js';
import type { LongRun } from './thirtyDaysRuns.js';
import { longRunsOf } from './thirtyDaysRuns.js';
import { Builds, bundleBuilds, startSkippingServer } from './thirtyDaysServer.js';

/** A life that was lived to its end. */
export interface Lived {
  script: Script;
  outside: LongRegion;
  region: readonly LongRun[];
  adjustment: readonly LongRun[];
}

const NAME = 'long-lived';

const TUNABLES = {
  ...{ tickMs: TICK_MS, judgeMs: 60_000, stackTimeoutMs: HOUR_MS, deployTimeoutMs: HOUR_MS, holdTimeoutMs: 60_000 },
  ...{ ticksPerReport: 12, maxOverrides: 10, maxKeys: 50, keyLifetimeMs: DAY_MS, replanMs: DAY_MS },
};

/** Lives a script on a server that skips time, from the launch on. */
export async function live(write: (writer: Writer) => Script): Promise<Lived> {
  const folder = mkdtempSync(path.join(tmpdir(), 'psmg-thirty-days-'));
  const env = await startSkippingServer();
  try {
    // A life begins on the hour, some time after its launch.
    const beginMs = Math.ceil((await env.currentTimeMs()) / HOUR_MS + 1) * HOUR_MS;
    const script = write(new Scriptwriter(beginMs));
    const outside = new LongRegion(script.course);
    outside.accepted = {
      ...{ hasCalendar: true, tunables: TUNABLES },
      approvals: { autoBelowPercent: 10, approverNotRequester: false, timeoutMs: 6 * HOUR_MS },
    };
    const bundles = await bundleBuilds(folder);
    const builds = await Builds.start(env, { bundles, taskQueue: NAME, activities: outside.activities() });
    await builds.run(1);
    const { client } = env;
    const start = { workflowId: regionWorkflowId(NAME), taskQueue: NAME, args: [NAME] };
    await client.workflow.start('regionLifecycle', start);
    const person = new LongLivedPerson(env, NAME);
    for (const { atMs, play } of script.acts) {
      await person.sleepUntil(atMs);
      await play({ person, outside, builds });
    }
    await person.sleepUntil(script.course.endMs);
    const region = await longRunsOf(client, regionWorkflowId(NAME));
    const adjustment = await longRunsOf(client, adjustmentWorkflowId(NAME));
    await builds.end();
    return { script, outside, region, adjustment };
  } finally {
    await env.teardown();
    rmSync(folder, { recursive: true, force: true });
  }
}
