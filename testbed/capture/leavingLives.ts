import type { ScriptedRegion } from '../../test/workflows/scriptedActivities.js';
import type { ScriptedLife } from './life.js';
import { blockedBy, failure, inPhase } from './life.js';
import { isOperating } from './person.js';

const STEPS = { activationSteps: [25, 50, 100] };
const drained = inPhase('drained');

/** The users leave a region, and some of them come back. */
const LIVES: readonly ScriptedLife[] = [
  {
    name: 'drained',
    region:
      'drained, with a plan and another drain refused, and back; drained with a failed stage, retry and skip, and back',
    adjustment: 'held while the users are away, and running again once they are back, twice',
    prepare: (outside) => {
      outside.accepted = STEPS;
    },
    live: async ({ until, untilTuner, update }, outside) => {
      await until('operating', isOperating);
      outside.shortfalls = [{ service: 'shop', region: 'neighbour', wantedRps: 90, spareRps: 40 }];
      await update('drain', {}, false);
      outside.shortfalls = [];
      await update('drain');
      await until('drained', drained);
      await update('replan', {}, false);
      await update('drain', {}, false);
      await update('resume');
      await until('back', isOperating);
      outside.verdicts.push('successful', 'failed', 'inconclusive', 'inconclusive');
      await update('drain');
      await until('a failed stage', blockedBy('drain-failed'));
      await update('retry');
      await until('not clear', ({ blocked, leaving }) => {
        return blocked?.reason === 'drain-failed' && leaving?.detail.includes('inconclusive') === true;
      });
      await update('skip');
      await until('drained again', drained);
      await update('resume');
      await until('back again', isOperating);
      await untilTuner('a tick', ({ held, ticks }) => !held && ticks > 0);
    },
  },
  {
    name: 'drain-stopped',
    region:
      'a drain that a freeze stops at 25 %, and one that a rollback stops; resume brings the users back from there',
    adjustment: 'held by two drains that were stopped, and running again after each',
    prepare: (outside) => {
      outside.accepted = STEPS;
    },
    live: async ({ until, update }, outside) => {
      await until('operating', isOperating);
      const [freezing, openFirst] = gateAt(outside, 25);
      await update('drain');
      await freezing;
      await update('freeze');
      await until('stopped', ({ leaving }) => leaving?.state === 'stopped');
      openFirst();
      await update('resume');
      await until('back', isOperating);
      const [rolling, openSecond] = gateAt(outside, 50);
      await update('drain');
      await rolling;
      await update('rollback', { to: 'previous' });
      openSecond();
      await until('stopped by a rollback', ({ leaving }) => leaving?.state === 'stopped');
      await update('resume');
      await until('back again', isOperating);
    },
  },
  {
    name: 'released',
    region: 'release is refused while a target was changed, and carried out once it is mended',
    adjustment: 'held to look at the targets, running again, and ended by the release',
    live: async ({ region, until, update }, outside) => {
      await until('operating', isOperating);
      const { hash } = outside;
      outside.hash = 'somebody-else';
      await update('release', {}, false);
      outside.hash = hash;
      await until('operating still', ({ phase, tuner }) => phase === 'operating' && tuner.state === 'running');
      await update('release');
      await region.result();
    },
  },
  {
    name: 'retired',
    region:
      'retired: the hook of the entry fails, then the target; each is tried again alone, and deployment 0 is back',
    adjustment: 'ended by the retirement of its region',
    prepare: (outside) => {
      outside.accepted = STEPS;
    },
    live: async ({ region, until, update }, outside) => {
      await until('operating', isOperating);
      outside.faults.moveEntry = [failure('the balancer says no', 'hook-failed')];
      outside.faults.restoreDeployment = [failure('the disk is full', 'unknown')];
      await update('retire');
      await until('no entry', blockedBy('hook-failed'));
      await update('skip', {}, false);
      await update('retry');
      await until('no deployment 0', blockedBy('retire-failed'));
      await update('retry');
      await region.result();
    },
  },
  {
    name: 'undone',
    region: 'an activation ends in an abort that cannot undo everything, and in a second one that goes on from there',
    prepare: (outside) => {
      outside.verdicts.push('successful', 'failed');
    },
    live: async ({ region, until, update }, outside) => {
      await until('failed', blockedBy('activation-failed'));
      outside.faults.moveEntry = [failure('the balancer says no', 'hook-failed')];
      await update('abort', {}, false);
      await until('partly undone', blockedBy('hook-failed'));
      await update('abort');
      await region.result();
    },
  },
];

export function leavingLives(): readonly ScriptedLife[] {
  return LIVES;
}

/** The next judgement of a percent is reached, and goes on when it is opened. */
function gateAt(outside: ScriptedRegion, percent: number): [reached: Promise<void>, open: () => void] {
  let isReached = false;
  let reach = (): void => undefined;
  let open = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  outside.during = async (name) => {
    if (isReached || name !== 'judgeStage' || outside.writes.at(-1)?.localPercent !== percent) return;
    isReached = true;
    reach();
    await opened;
  };
  return [reached, () => open()];
}
