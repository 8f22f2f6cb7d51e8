import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RolloutState } from './rollout.js';
import { advance, beginStage, dueMs, heldBy, resumeRollout, stagesOf, takeBlock, takeOutcome } from './rollout.js';

const TIMING = { judgeMs: 100, timeoutMs: 1000 };

function rolloutOf(stages: string[][]): RolloutState {
  const waiting = stages.flat().map((region) => [region, { state: 'waiting', atMs: 0, detail: '' }] as const);
  const rollout: RolloutState = {
    ...{ key: 'r', who: 'ada', why: 'test', state: 'running', stages, stage: 0, judgeUntilMs: null, attempt: 1 },
    ...{ regions: Object.fromEntries(waiting), detail: '' },
  };
  beginStage(rollout, 0);
  return rollout;
}

const done = (region: string, startedMs: number) =>
  ({ region, outcome: 'done', detail: 'plan p2', startedMs }) as const;

describe('stagesOf', () => {
  it('takes numbers and shares for sums, and ends with all', () => {
    const regions = [...'abcdefgh'];
    expect(stagesOf(regions, [1, '25%', '100%'])).toEqual([['a'], ['b'], [...'cdefgh']]);
    expect(stagesOf(regions, [2])).toEqual([['a', 'b'], [...'cdefgh']]);
    expect(stagesOf(['a'], [1, '25%', '100%'])).toEqual([['a']]);
  });

  it('names every region once, whatever the stages', () => {
    const stage = fc.oneof(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 100 }).map((n) => `${n}%`),
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 20 }), fc.array(stage), (regions, stages) => {
        const made = stagesOf(regions, stages);
        expect(made.flat()).toEqual(regions);
        expect(made.every((one) => one.length > 0)).toBe(true);
      }),
    );
  });
});

describe('a rollout', () => {
  it('asks a stage, judges it once all are done, and goes on', () => {
    const rollout = rolloutOf([['a'], ['b', 'c']]);
    expect(advance(rollout, 10, TIMING)).toEqual(['a']);
    expect(advance(rollout, 11, TIMING)).toEqual([]);
    takeOutcome(rollout, done('a', 9), 12);
    expect(rollout.regions['a']?.state).toBe('asked');
    takeOutcome(rollout, done('a', 10), 20);
    advance(rollout, 20, TIMING);
    expect([rollout.state, dueMs(rollout, TIMING)]).toEqual(['judging', 120]);
    expect(advance(rollout, 119, TIMING)).toEqual([]);
    expect(advance(rollout, 120, TIMING)).toEqual(['b', 'c']);
    for (const region of ['b', 'c']) takeOutcome(rollout, done(region, 121), 130);
    advance(rollout, 130, TIMING);
    advance(rollout, 230, TIMING);
    expect(rollout.state).toBe('done');
  });

  it('stops at a failure, a block while judged, and silence; resumed, it asks those that failed first', () => {
    const failed = rolloutOf([['a', 'b'], ['c']]);
    advance(failed, 0, TIMING);
    takeOutcome(failed, { region: 'a', outcome: 'failed', detail: 'no capacity', startedMs: 0 }, 5);
    expect([failed.state, failed.detail]).toEqual(['stopped', 'stopped in stage 1 of 2: a: no capacity']);
    expect([...heldBy(failed)]).toEqual(['b']);
    resumeRollout(failed);
    expect(heldBy(failed).size).toBe(0);
    expect(advance(failed, 10, TIMING)).toEqual(['a']);

    const blocked = rolloutOf([['a'], ['b']]);
    advance(blocked, 0, TIMING);
    takeOutcome(blocked, done('a', 0), 5);
    advance(blocked, 5, TIMING);
    takeBlock(blocked, 'b', 'not in it yet', 6);
    expect(blocked.state).toBe('judging');
    takeBlock(blocked, 'a', 'drift', 7);
    expect(blocked.detail).toContain('a: drift');
    expect(advance(blocked, 500, TIMING)).toEqual([]);

    const silent = rolloutOf([['a']]);
    advance(silent, 0, TIMING);
    expect(dueMs(silent, TIMING)).toBe(1000);
    advance(silent, 1000, TIMING);
    expect(silent.detail).toContain('did not say what came of it');
  });
});
