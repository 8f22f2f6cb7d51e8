import { describe, expect, it } from '@jest/globals';
import type { FoundSetup, WantedSetup } from './setup.js';
import { planSetup, rollupTask, taskNameOf } from './setup.js';

const wanted: WantedSetup = { bucket: 'm', keepSeconds: 700, rollupBucket: 'm_1m', rollupKeepSeconds: 9000 };
const complete: FoundSetup = {
  bucket: { id: '1', keepSeconds: 700 },
  rollup: { id: '2', keepSeconds: 9000 },
  task: { id: '3', flux: rollupTask(wanted), active: true },
};
const done = (found: FoundSetup, force = false): string[] =>
  planSetup(found, wanted, force).actions.map((action) => `${action.do} ${action.name}`);

describe('what `psmg metrics init` does', () => {
  it('is everything on a new server, and nothing on one that has it', () => {
    expect(done({})).toEqual(['create-bucket m', 'create-bucket m_1m', `create-task ${taskNameOf('m')}`]);
    expect(done(complete)).toEqual([]);
  });

  it.each([
    ['shorter: longer is safe', 100, ['set-retention m'], []],
    ['longer: what is older would be lost', 800, [], [{ name: 'm', foundSeconds: 800, wantedSeconds: 700 }]],
    ['for ever', 0, [], [{ name: 'm', foundSeconds: 0, wantedSeconds: 700 }]],
  ])('of a retention that is %s', (_, keepSeconds, actions, keptLonger) => {
    const found = { ...complete, bucket: { id: '1', keepSeconds } };
    expect(done(found)).toEqual(actions);
    expect(planSetup(found, wanted, false).keptLonger).toEqual(keptLonger);
    expect(done(found, true)).toEqual(['set-retention m']);
  });

  it('mends a task that was changed or stopped', () => {
    const update = [`update-task ${taskNameOf('m')}`];
    expect(done({ ...complete, task: { id: '3', flux: rollupTask(wanted), active: false } })).toEqual(update);
    expect(done({ ...complete, task: { id: '3', flux: 'other', active: true } })).toEqual(update);
  });

  it('names buckets as text that cannot be left', () => {
    const text = rollupTask({ ...wanted, bucket: 'a") |> drop("' });
    expect(text).toContain('from(bucket: "a\\x22) |> drop(\\x22")');
  });
});
