import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeploymentEvent } from '../../core/spec/deployment.js';
import { waitFor } from '../../testbed/http.js';
import type { RunningProcess } from '../../testbed/processes.js';
import { activitiesOf, completions } from './history.js';
import type { Place } from './world.js';
import { startPlace } from './world.js';

/** The entry moves at 0 %, then 50 % and 100 % of the requests, then limits are enforced. */
const STAGES = 4;
/** `STARTED` in Temporal's PendingActivityState. */
const STARTED = 2;

/** As a machine that is switched off: nothing of the worker gets to say goodbye. */
async function kill(worker: RunningProcess): Promise<void> {
  process.kill(worker.pid, 'SIGKILL');
  expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' });
}

function eventsIn(folder: string): DeploymentEvent[] {
  const file = path.join(folder, 'events.jsonl');
  const whole = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return whole.map((line) => JSON.parse(line) as DeploymentEvent);
}

function tasksIn(folder: string): string[] {
  return eventsIn(folder).flatMap(({ type, task }) => (type === 'task' && task !== undefined ? [task] : []));
}

describe('a worker that is killed', () => {
  let place: Place;
  let worker: RunningProcess;
  beforeAll(async () => {
    place = await startPlace({ judgeSeconds: 3 });
    worker = await place.startWorker();
  }, 90_000);
  afterAll(async () => place?.stop(), 60_000);

  it('in the middle of a playbook: the playbook goes on alone, and the next worker joins it', async () => {
    await place.launch();
    const apply = await waitFor('a playbook in its middle', 90_000, async () => {
      const folder = place.runFolder('apply');
      return folder !== undefined && tasksIn(folder).length >= 2 ? folder : undefined;
    });
    expect(eventsIn(apply).some((event) => event.type === 'stats')).toBe(false);
    await kill(worker);
    const seen = tasksIn(apply);
    expect(existsSync(path.join(apply, 'rc'))).toBe(false);

    // Nobody works for Temporal now.
    await waitFor('the end of the playbook', 60_000, async () => existsSync(path.join(apply, 'rc')));
    const events = eventsIn(apply);
    expect(tasksIn(apply).length).toBeGreaterThan(seen.length);
    expect(events.at(-1)).toMatchObject({
      type: 'stats',
      recap: { [place.host.name]: { failures: 0, unreachable: 0 } },
    });

    worker = await place.startWorker();
    const status = await place.until('the mesh is ready', 90_000, ({ preDeployment }) => preDeployment !== null);
    expect(status.preDeployment?.reattached).toBe(true);
    const [first, second] = status.preDeployment?.recaps ?? [];
    expect(first).toEqual(events.at(-1)?.recap);
    expect(first?.[place.host.name]?.changed).toBeGreaterThan(0);
    expect(second?.[place.host.name]).toMatchObject({ changed: 0, failures: 0, unreachable: 0 });
    // The run was joined, not run again: not one event came after its end, and each task is there once.
    expect(eventsIn(apply)).toEqual(events);
    expect(new Set(tasksIn(apply)).size).toBe(tasksIn(apply).length);

    const activities = await activitiesOf(place.region);
    expect(completions(activities)).toMatchObject({ forecastRegion: 1, planRegion: 1, deployRelease: 2 });
    const [applied, verified] = activities.filter(({ type }) => type === 'deployRelease');
    expect(applied?.attempt).toBeGreaterThan(1);
    expect(verified?.attempt).toBe(1);
  }, 240_000);

  it('in the middle of a judgement: the stage is judged by the next worker, and no step runs twice', async () => {
    await waitFor('a judgement in its middle', 90_000, async () => {
      const { raw } = await place.region.describe();
      const pending = raw.pendingActivities ?? [];
      return pending.some(({ activityType, state }) => activityType?.name === 'judgeStage' && state === STARTED);
    });
    await kill(worker);
    worker = await place.startWorker();
    const status = await place.until('operating', 120_000, ({ phase }) => phase === 'operating');
    expect(status.completed).toEqual(['forecast', 'plan', 'pre-deploy', 'await-stack', 'activate']);

    const activities = await activitiesOf(place.region);
    expect(activities.every(({ completed }) => completed)).toBe(true);
    expect(activities.some(({ type, attempt }) => type === 'judgeStage' && attempt > 1)).toBe(true);
    // Notes for the audit are gathered while one is on its way: how many times is chance, what they hold is not.
    const { recordAudit, ...steps } = completions(activities);
    expect(recordAudit).toBeGreaterThan(0);
    expect(steps).toEqual({
      forecastRegion: 1,
      planRegion: 1,
      readTargets: 1,
      deployRelease: 2,
      readBack: 1,
      exportTargets: 1,
      awaitStack: 1,
      moveEntry: 1,
      applyIntent: STAGES,
      judgeStage: status.activation.length,
    });
    const stages = status.deployments.filter(({ kind }) => kind === 'stage');
    expect(stages.map(({ localPercent, enforceLimits }) => ({ localPercent, enforceLimits }))).toEqual([
      { localPercent: 0, enforceLimits: false },
      { localPercent: 50, enforceLimits: false },
      { localPercent: 100, enforceLimits: false },
      { localPercent: 100, enforceLimits: true },
    ]);
    const report = await place.world.load.report();
    expect(report.switches.map(({ entry }) => entry)).toEqual([place.world.spec.name]);
  }, 240_000);
});
