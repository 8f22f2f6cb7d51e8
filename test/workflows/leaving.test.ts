import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowUpdateStage } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import type { RegionActivities } from '../../activities/contract.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { TestTemporal } from './environment.js';
import type { Conversation } from './conversation.js';
import { conversation } from './conversation.js';
import { eventually, startTestTemporal } from './environment.js';
import { ScriptedRegion } from './scriptedActivities.js';

jest.setTimeout(240_000);

let temporal: TestTemporal;
let serial = 0;

beforeAll(async () => {
  // So few events that a test sees the server suggest a new run; a life to operation has fewer.
  temporal = await startTestTemporal(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=400']);
});

afterAll(async () => temporal.stop());

/** Counts what the outside is asked to read, and can say that it is not as it should be. */
class Outside extends ScriptedRegion {
  drifted: string[] = [];
  mismatches: string[] = [];
  /** Reading of targets waits at the gates. */
  holdsReads = false;

  override activities(): RegionActivities {
    const scripted = super.activities();
    return {
      ...scripted,
      readTargets: async (input) => {
        if (this.holdsReads) await this.gate();
        return (await scripted.readTargets(input)).map((one) => ({ ...one, drifted: this.drifted }));
      },
      readBack: async (input) => {
        await scripted.readBack(input);
        return { mismatches: this.mismatches };
      },
    };
  }

  private readonly gates: (() => void)[] = [];

  /** Resolves when the gates are opened, and at the latest when the test is over. */
  async gate(): Promise<void> {
    return new Promise((resolve) => this.gates.push(resolve));
  }

  get atGates(): number {
    return this.gates.length;
  }

  openGates(): void {
    for (const open of this.gates.splice(0)) open();
  }

  /** Local percents written after the first `from` writes. */
  percentsSince(from: number): (number | undefined)[] {
    return this.writes.slice(from).map(({ by, localPercent }) => (by === 'restore' ? -1 : localPercent));
  }
}

interface Running extends Conversation<RegionStatus, MessageName> {
  outside: Outside;
  handle: WorkflowHandle;
  adjustment(): Promise<AdjustmentStatus>;
  /** Ends the worker, lets `meanwhile` happen, and starts another. */
  replaceWorker(meanwhile?: () => Promise<void>): Promise<void>;
}

async function withRegion(
  prepare: (outside: Outside) => void,
  test: (running: Running) => Promise<void>,
): Promise<void> {
  serial += 1;
  const name = `leaving-${serial}`;
  const outside = new Outside();
  outside.accepted = { activationSteps: [25, 50, 100] };
  prepare(outside);
  let worker: { one: Worker; ended: Promise<void> };
  const startWorker = async (): Promise<void> => {
    const one = await temporal.worker(name, outside.activities());
    worker = { one, ended: one.run() };
  };
  const stopWorker = async (): Promise<void> => {
    worker.one.shutdown();
    // A worker waits for its activities.
    outside.openGates();
    await worker.ended;
  };
  await startWorker();
  const { client } = temporal.env;
  await client.workflow.start('regionLifecycle', { workflowId: regionWorkflowId(name), taskQueue: name, args: [name] });
  // By id alone, so that it follows the region from run to run.
  const handle = client.workflow.getHandle(regionWorkflowId(name));
  const talk = conversation<RegionStatus, MessageName>(handle);
  try {
    await test({
      outside,
      handle,
      ...talk,
      adjustment: () => client.workflow.getHandle(adjustmentWorkflowId(name)).query<AdjustmentStatus>('status'),
      until: async (what, check) => {
        let last: RegionStatus | undefined;
        return eventually(what, async () => {
          last = await talk.status();
          return check(last) ? last : null;
        }).catch((error: unknown) => {
          const { phase, step, blocked, leaving } = last ?? {};
          throw new Error(`${what}: ${JSON.stringify({ phase, step, blocked, leaving })}`, { cause: error });
        });
      },
      replaceWorker: async (meanwhile = () => Promise.resolve()) => {
        await stopWorker();
        await meanwhile();
        await startWorker();
      },
    });
  } finally {
    await handle.terminate().catch(() => undefined);
    await client.workflow
      .getHandle(adjustmentWorkflowId(name))
      .terminate()
      .catch(() => undefined);
    await stopWorker();
  }
}

const operating = (status: RegionStatus): boolean => status.phase === 'operating' && status.tuner.state === 'running';
const blocked = (status: RegionStatus): boolean => status.phase === 'blocked';
const drained = (status: RegionStatus): boolean => status.phase === 'drained';

/** The first judgement of a percent waits for `openGates`; the others are as quick as ever. */
function gateAt(outside: Outside, percent: number): { reached: () => boolean } {
  let isReached = false;
  outside.during = async (name) => {
    if (isReached || name !== 'judgeStage' || outside.writes.at(-1)?.localPercent !== percent) return;
    isReached = true;
    await outside.gate();
  };
  return { reached: () => isReached };
}

describe('drain', () => {
  it('sends the users away step by step and judged, and resume brings them back the same way', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, adjustment }) => {
        const before = await until('operating', operating);
        const [writes, judged] = [outside.writes.length, before.activation.length];
        const asked = await update('drain');
        expect(asked).toEqual({
          accepted: true,
          detail: expect.stringMatching(/^draining: 50 %, 25 %, 0 %, the entry of the users; status tells/),
        });
        const away = await until('drained', drained);
        expect(outside.percentsSince(writes)).toEqual([50, 25, 0]);
        expect(away.activation.slice(judged).map((a) => a.localPercent)).toEqual([50, 25, 0]);
        expect(outside.entry).toEqual(['activate', 'drain']);
        expect(away.drained).toMatchObject({
          who: 'ada',
          why: 'test',
          from: { localPercent: 100, enforceLimits: true },
        });
        expect([away.entryMoved, away.tuner.state, (await adjustment()).held]).toEqual([false, 'held', true]);
        expect(away.deployments.slice(-3).map(({ kind }) => kind)).toEqual(['drain', 'drain', 'drain']);
        // What would change the region, or send users away again, has to wait.
        expect(await update('replan')).toMatchObject({
          accepted: false,
          detail: expect.stringContaining('resume first'),
        });
        expect(await update('drain')).toMatchObject({
          accepted: false,
          detail: expect.stringContaining('drained by ada'),
        });

        const asksForInstances = outside.asked.length;
        expect(await update('resume')).toMatchObject({ accepted: true });
        const back = await until('operating', operating);
        // Instances may have gone meanwhile: they are asked for again, before any user comes.
        expect(outside.asked).toHaveLength(asksForInstances + 1);
        expect(outside.percentsSince(writes + 3)).toEqual([0, 25, 50, 100, 100]);
        expect(outside.entry).toEqual(['activate', 'drain', 'activate']);
        expect(back.completed).toEqual(before.completed);
        expect([back.leaving, back.drained]).toEqual([undefined, undefined]);
        expect(back.epoch).toBeGreaterThan(before.epoch);
        const { ticks } = await adjustment();
        await eventually('ticks go on', async () => (await adjustment()).ticks > ticks);
      },
    );
  });

  it('is refused with the shortfall by service and region where others have no room, and changes nothing', async () => {
    await withRegion(
      (outside) => {
        outside.shortfalls = [{ service: 'shop', region: 'neighbour', wantedRps: 90, spareRps: 40 }];
      },
      async ({ until, update, outside, status }) => {
        await until('operating', operating);
        const calls = outside.writes.length;
        for (const name of ['drain', 'retire'] as const) {
          const { accepted, detail } = await update(name);
          expect(accepted).toBe(false);
          expect(detail).toContain('shop: neighbour would get 90 rps and has room for 40');
        }
        expect((await status()).leaving).toBeUndefined();
        outside.faults.checkReceivers = [ApplicationFailure.nonRetryable('the store is away', 'target-unreachable')];
        expect((await update('drain')).detail).toContain('the store is away');
        expect([outside.writes.length, outside.entry, operating(await status())]).toEqual([calls, ['activate'], true]);
      },
    );
  });

  it('a failed verdict goes back to the stage before and blocks; retry tries it again, skip passes a judgement over', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, status }) => {
        await until('operating', operating);
        const writes = outside.writes.length;
        outside.verdicts.push('successful', 'failed', 'inconclusive', 'inconclusive');
        await update('drain');
        const failed = await until('blocked', blocked);
        expect(outside.percentsSince(writes)).toEqual([50, 25, 50]);
        expect(failed.blocked).toMatchObject({ reason: 'drain-failed', step: 'operate' });
        expect(failed.blocked?.detail).toContain('failed at 25 %; 50 % is in force: failed at 25 %');
        expect(failed.entryMoved).toBe(true);
        expect(await update('retry')).toMatchObject({ accepted: true, detail: 'retry of drain' });
        const unclear = await until(
          'blocked again',
          (s) => blocked(s) && s.leaving?.detail.includes('inconclusive') === true,
        );
        // What is not clear stays where it is.
        expect(outside.percentsSince(writes + 3)).toEqual([25]);
        expect(unclear.blocked?.reason).toBe('drain-failed');
        expect(await update('skip')).toEqual({ accepted: true, detail: 'skip of drain' });
        await until('drained', drained);
        expect(outside.percentsSince(writes + 4)).toEqual([0]);
        expect((await status()).entryMoved).toBe(false);
      },
    );
  });

  it('stops where it is by a freeze in the middle of a judgement; resume brings the users back from there', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, handle }) => {
        await until('operating', operating);
        const writes = outside.writes.length;
        const gate = gateAt(outside, 25);
        await update('drain');
        await eventually('judging 25 %', async () => gate.reached());
        expect((await handle.describe()).memo?.['status']).toBe('draining at 25 %');
        const frozen = await update('freeze');
        expect(frozen.detail).toContain('drain has stopped at 25 %');
        const stopped = await until('stopped', (s) => s.leaving?.state === 'stopped');
        expect([stopped.phase, stopped.entryMoved, stopped.blocked]).toEqual(['draining', true, null]);
        await new Promise((resolve) => setTimeout(resolve, 700));
        expect(outside.percentsSince(writes)).toEqual([50, 25]);
        // The judgement that nobody waits for any more holds nobody up.
        expect(await update('resume')).toMatchObject({ accepted: true });
        await until('back at 25 %', (s) => s.phase === 'activating');
        outside.openGates();
        await until('operating', operating);
        expect(outside.percentsSince(writes + 2)).toEqual([25, 50, 100, 100]);
        expect(outside.entry).toEqual(['activate']);
      },
    );
  });

  it('is a person’s act: it goes on in a freeze that stood before, and after another drain where one was stopped', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside }) => {
        await until('operating', operating);
        const writes = outside.writes.length;
        await update('freeze');
        const gate = gateAt(outside, 50);
        expect(await update('drain')).toMatchObject({ accepted: true });
        await eventually('judging 50 %', async () => gate.reached());
        const rolled = await update('rollback', { to: 'previous' });
        expect(rolled.accepted).toBe(true);
        outside.openGates();
        await until('stopped', (s) => s.leaving?.state === 'stopped');
        expect(await update('drain')).toMatchObject({
          accepted: false,
          detail: expect.stringContaining('until resume'),
        });
        await update('resume');
        await until('operating', operating);
        await update('freeze');
        expect(await update('drain')).toMatchObject({ accepted: true });
        const away = await until('drained', drained);
        expect(away.freeze).toMatchObject({ who: 'ada' });
        expect(outside.percentsSince(writes).slice(-3)).toEqual([50, 25, 0]);
      },
    );
  });

  it('ends an activation that has begun, and gives up a plan that is being made', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, status }) => {
        const gate = gateAt(outside, 50);
        await eventually('judging 50 %', async () => gate.reached());
        const writes = outside.writes.length;
        expect(await update('drain')).toMatchObject({
          accepted: true,
          detail: expect.stringContaining('draining: 25 %, 0 %'),
        });
        outside.openGates();
        const away = await until('drained', drained);
        expect(outside.percentsSince(writes)).toEqual([25, 0]);
        expect([away.completed.includes('activate'), away.tuner.state]).toEqual([false, 'not-started']);
        await update('resume');
        const back = await until('operating', operating);
        expect(back.completed).toEqual(['forecast', 'plan', 'pre-deploy', 'await-stack', 'activate']);

        outside.during = async (name) => (name === 'forecastRegion' ? outside.gate() : undefined);
        await update('replan');
        await until('planning', (s) => s.replan?.state === 'running');
        expect(await update('release')).toMatchObject({
          accepted: false,
          detail: expect.stringContaining('in flight'),
        });
        await update('drain');
        await until('drained', drained);
        expect((await status()).replan).toMatchObject({ state: 'failed', detail: 'given up: drain goes first' });
      },
    );
  });

  it('outlives its worker, and goes on in a new run of the region from the stage that it reached', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, replaceWorker, handle }) => {
        await until('operating', operating);
        const writes = outside.writes.length;
        const first = (await handle.describe()).runId;
        const gate = gateAt(outside, 50);
        await update('drain');
        await eventually('judging 50 %', async () => gate.reached());
        await replaceWorker(async () => {
          // More than the server lets a run have: the first thing that the next worker can do is to begin a new one.
          for (let i = 0; i < 420; i += 1) await handle.signal('no-such-signal', i);
        });
        await until('drained', drained);
        expect((await handle.describe()).runId).not.toBe(first);
        expect(outside.percentsSince(writes).filter((percent, i, all) => percent !== all[i - 1])).toEqual([50, 25, 0]);
        expect(outside.entry).toEqual(['activate', 'drain']);
      },
    );
  });
});

describe('release', () => {
  it('ends the workflow and the adjustment, and leaves what runs as it is', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, handle, adjustment }) => {
        await until('operating', operating);
        const writes = outside.writes.length;
        const released = await update('release');
        expect(released).toMatchObject({
          accepted: true,
          detail: expect.stringContaining('at edge-1; its files are yours'),
        });
        expect(await handle.result()).toMatchObject({ phase: 'released' });
        expect([outside.writes.length, outside.entry]).toEqual([writes, ['activate']]);
        const { ticks } = await adjustment();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        expect((await adjustment()).ticks).toBe(ticks);
        const { searchAttributes } = await handle.describe();
        expect(searchAttributes['PsmgPhase']).toEqual(['released']);
      },
    );
  });

  it('is refused while what runs is not what should, and the tuner goes on; after it is mended it is carried out', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, handle, adjustment }) => {
        await until('operating', operating);
        outside.drifted = ['dyn/rds.yaml'];
        outside.mismatches = ['edge-1: shop.rateLimit.rps is 5, should be 9'];
        const refused = await update('release');
        expect(refused.accepted).toBe(false);
        expect(refused.detail).toContain('edge-1: changed by hand: dyn/rds.yaml; edge-1: shop.rateLimit.rps is 5');
        await until('still operating', operating);
        const { ticks } = await adjustment();
        await eventually('ticks go on', async () => (await adjustment()).ticks > ticks);
        outside.drifted = [];
        outside.mismatches = [];
        expect(await update('release')).toMatchObject({ accepted: true });
        expect(await handle.result()).toMatchObject({ phase: 'released' });
      },
    );
  });

  it('waits for the judgement of a change; who asks for something after it is told that nobody is there', async () => {
    const adjustment = {
      address: 'shop.rateLimit.rps',
      from: 10,
      to: 11,
      reason: 'binds',
      planHash: 'p1',
      madeAt: 't',
    };
    let keep = false;
    await withRegion(
      (outside) => {
        outside.tickOutcome = ({ inFlight, intent }) => {
          if (inFlight !== null) return keep ? { decision: { kind: 'keep', reason: 'good' } } : {};
          if (intent.adjustments.length > 0) return {};
          return { decision: { kind: 'adjust', adjustment, service: 'shop', baseline: {} as never } };
        };
      },
      async ({ outside, until, update, handle }) => {
        await until('in flight', (s) => s.tuner.report?.inFlight === adjustment.address);
        expect(await update('release')).toMatchObject({
          accepted: false,
          detail: expect.stringContaining('not judged yet'),
        });
        keep = true;
        await until('judged', (s) => s.tuner.report?.inFlight === undefined);
        outside.holdsReads = true;
        const releasing = update('release');
        await eventually('the release reads the targets', async () => Promise.resolve(outside.atGates > 0));
        const asked = { key: 'late', who: 'ada', why: 'test', address: adjustment.address, value: 3 };
        const options = { args: [asked] as [unknown], waitForStage: WorkflowUpdateStage.ACCEPTED } as const;
        const late = await handle.startUpdate<MessageOutcome, [unknown]>('override', options);
        outside.openGates();
        expect(await releasing).toMatchObject({ accepted: true });
        expect(await late.result()).toEqual({ accepted: false, detail: 'the region is released' });
        expect(await handle.result()).toMatchObject({ phase: 'released' });
      },
    );
  });
});

describe('retire', () => {
  it('sends the users away, puts deployment 0 back and ends; a part that fails is tried again alone', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, handle }) => {
        const before = await until('operating', operating);
        const writes = outside.writes.length;
        outside.faults.moveEntry = [ApplicationFailure.nonRetryable('the balancer says no', 'hook-failed')];
        outside.faults.restoreDeployment = [ApplicationFailure.nonRetryable('disk full', 'unknown')];
        expect((await update('retire')).detail).toContain('the users leave in 4 steps, then deployment 0 is put back');
        const atEntry = await until('blocked by the hook', blocked);
        expect(atEntry.blocked).toMatchObject({ reason: 'hook-failed', detail: 'the balancer says no' });
        expect(await update('skip')).toMatchObject({ accepted: false });
        await update('retry');
        const atRestore = await until('blocked by the target', (s) => s.blocked?.detail === 'disk full');
        expect(atRestore.blocked?.reason).toBe('retire-failed');
        expect(atRestore.entryMoved).toBe(false);
        expect(outside.percentsSince(writes)).toEqual([50, 25, 0]);
        await update('retry');
        expect(await handle.result()).toMatchObject({ phase: 'retired' });
        expect(outside.percentsSince(writes)).toEqual([50, 25, 0, -1]);
        expect(outside.entry).toEqual(['activate', 'drain']);
        expect(outside.hash).toBe(before.deployments.find(({ kind }) => kind === 'baseline')?.hash);
      },
    );
  });

  it('does not end while a target is not as it was; of a drained region it takes only the rest', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, handle, status }) => {
        await until('operating', operating);
        await update('drain');
        await until('drained', drained);
        const writes = outside.writes.length;
        outside.drifted = ['bootstrap.yaml'];
        await update('retire');
        const wrong = await until('blocked', blocked);
        expect(wrong.blocked).toMatchObject({
          reason: 'retire-failed',
          detail: expect.stringContaining('bootstrap.yaml'),
        });
        expect(outside.percentsSince(writes)).toEqual([-1]);
        // A change of mind: the plan again, users and all.
        outside.drifted = [];
        await update('resume');
        await until('operating', operating);
        expect(outside.percentsSince(writes + 1)).toEqual([0, 25, 50, 100, 100]);
        await update('retire');
        expect(await handle.result()).toMatchObject({ phase: 'retired' });
        expect((await status()).deployments.at(-1)).toMatchObject({ kind: 'retire', hash: '0', entryMoved: false });
      },
    );
  });
});

describe('a block', () => {
  it('abort says what it undid, what stays and what it could not undo, and goes on from there when asked again', async () => {
    await withRegion(
      (outside) => outside.verdicts.push('successful', 'failed'),
      async ({ until, update, outside, handle }) => {
        const parked = await until('blocked', blocked);
        expect(parked.compensations?.map(({ step, what, state }) => [step, what, state])).toEqual([
          ['forecast', 'adjustment', 'registered'],
          ['pre-deploy', 'mesh', 'registered'],
          ['await-stack', 'instances', 'registered'],
          ['activate', 'entry', 'registered'],
        ]);
        outside.faults.moveEntry = [ApplicationFailure.nonRetryable('the balancer says no', 'hook-failed')];
        const partly = await update('abort');
        expect(partly.accepted).toBe(false);
        expect(partly.detail).toContain('NOT undone: entry (activate): the balancer says no');
        expect(partly.detail).toContain('not tried: instances (await-stack)');
        const still = await until('blocked still', (s) => s.blocked?.reason === 'hook-failed');
        expect(still.entryMoved).toBe(true);
        const whole = await update('abort');
        expect(whole.accepted).toBe(true);
        expect(whole.detail).toMatch(
          /^abort of activate; undone: entry \(activate\): the users enter where they came from/,
        );
        expect(whole.detail).toMatch(/adjustment \(forecast\): .*stays: instances .*mesh \(pre-deploy\): release h\d+/);
        expect(outside.entry).toEqual(['activate', 'drain']);
        expect(await handle.result()).toMatchObject({ phase: 'aborted' });
      },
    );
  });

  it('goes on as new under a storm of messages, and loses neither its block nor a message', async () => {
    await withRegion(
      (outside) => {
        outside.faults.planRegion = [ApplicationFailure.nonRetryable('no capacity in eu', 'plan-refused')];
      },
      async ({ until, update, handle, outside }) => {
        const parked = await until('blocked', blocked);
        const first = (await handle.describe()).runId;
        for (let i = 0; i < 420; i += 1) await handle.signal('no-such-signal', i);
        await eventually('a new run', async () => (await handle.describe()).runId !== first);
        const after = await until('all refused', (s) => s.refused.total === 420);
        expect(after.blocked).toEqual(parked.blocked);
        expect((await handle.describe()).memo?.['status']).toContain('plan-refused');
        expect(await update('retry')).toMatchObject({ accepted: true });
        await until('operating', operating);
        expect(outside.calls.filter((call) => call === 'forecastRegion')).toHaveLength(1);
      },
    );
  });
});
