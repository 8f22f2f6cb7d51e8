import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import type { MessageName } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
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
  temporal = await startTestTemporal();
});

afterAll(async () => {
  await temporal.stop();
});

interface Running extends Conversation<RegionStatus, MessageName> {
  name: string;
  outside: ScriptedRegion;
  handle: WorkflowHandle;
  worker: Worker;
  adjustment(): Promise<AdjustmentStatus>;
}

/** Launches a region over a scripted outside, runs `test`, and ends what is still running. */
async function withRegion(
  prepare: (outside: ScriptedRegion) => void,
  test: (running: Running) => Promise<void>,
): Promise<void> {
  serial += 1;
  const name = `region-${serial}`;
  const outside = new ScriptedRegion();
  prepare(outside);
  const worker = await temporal.worker(name, outside.activities());
  const { client } = temporal.env;
  await worker.runUntil(async () => {
    const handle = await client.workflow.start('regionLifecycle', {
      workflowId: regionWorkflowId(name),
      taskQueue: name,
      args: [name],
    });
    try {
      await test({
        name,
        outside,
        handle,
        worker,
        ...conversation<RegionStatus, MessageName>(handle),
        adjustment: () => client.workflow.getHandle(adjustmentWorkflowId(name)).query<AdjustmentStatus>('status'),
      });
    } finally {
      await handle.terminate().catch(() => undefined);
      await client.workflow
        .getHandle(adjustmentWorkflowId(name))
        .terminate()
        .catch(() => undefined);
    }
  });
}

/** What `temporal workflow signal --input-meta encoding=bogus/thing` sends. */
async function signalUndecodable(workflowId: string, signalName: string): Promise<void> {
  const { client } = temporal.env;
  const encoding = new TextEncoder().encode('bogus/thing');
  await client.connection.workflowService.signalWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
    signalName,
    input: { payloads: [{ metadata: { encoding }, data: new TextEncoder().encode('{}') }] },
  });
}

const operating = (status: RegionStatus): boolean => status.phase === 'operating' && status.tuner.state === 'running';

describe('regionLifecycle', () => {
  it('goes through every step once, hands over to the adjustment, and moves users before weights', async () => {
    await withRegion(
      () => undefined,
      async ({ until, outside, adjustment }) => {
        const status = await until('operating', operating);
        expect(status.completed).toEqual(['forecast', 'plan', 'pre-deploy', 'await-stack', 'activate']);
        expect(outside.calls.filter((call) => call === 'forecastRegion' || call === 'planRegion')).toHaveLength(2);
        expect(status.activation.map((a) => [a.localPercent, a.enforceLimits, a.verdict])).toEqual([
          [0, false, 'successful'],
          [50, false, 'successful'],
          [100, false, 'successful'],
          [100, true, 'successful'],
        ]);
        expect(outside.entry).toEqual(['activate']);
        await eventually('three ticks', async () => (await adjustment()).ticks >= 3);
      },
    );
  });

  it('fails a start with bad input non-retryably before anything else runs', async () => {
    const outside = new ScriptedRegion();
    const worker = await temporal.worker('bad-input', outside.activities());
    const failure = await worker.runUntil(
      temporal.env.client.workflow
        .execute('regionLifecycle', { workflowId: 'region/bad-input', taskQueue: 'bad-input', args: [{ not: 'text' }] })
        .catch((error: unknown) => error),
    );
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect((failure as WorkflowFailedError).cause).toMatchObject({ type: 'invalid-region', message: 'no text' });
    expect(outside.calls).toEqual(['acceptRegion']);
  });

  it('parks with the failing part’s own words, and retry goes on from that step alone', async () => {
    await withRegion(
      (outside) => {
        outside.faults.planRegion = [ApplicationFailure.nonRetryable('no capacity in eu', 'plan-refused')];
      },
      async ({ until, update, outside, handle }) => {
        const blocked = await until('blocked', (s) => s.phase === 'blocked');
        expect(blocked.blocked).toMatchObject({ reason: 'plan-refused', step: 'plan', detail: 'no capacity in eu' });
        const described = await eventually('search attribute', async () => {
          const { searchAttributes } = await handle.describe();
          return searchAttributes['PsmgBlockedReason']?.[0] === 'plan-refused' ? searchAttributes : null;
        });
        expect(described['PsmgPhase']).toEqual(['blocked']);
        expect(await update('skip')).toMatchObject({ accepted: false });
        expect(await update('retry')).toEqual({ accepted: true, detail: 'retry of plan' });
        await until('operating', operating);
        expect(outside.calls.filter((call) => call === 'forecastRegion')).toHaveLength(1);
      },
    );
  });

  it('a failed stage goes back by itself to the weights before it, and abort sends the users back', async () => {
    await withRegion(
      (outside) => outside.verdicts.push('successful', 'inconclusive', 'successful', 'failed'),
      async ({ until, update, outside, handle }) => {
        const blocked = await until('blocked', (s) => s.phase === 'blocked');
        expect(blocked.blocked?.reason).toBe('activation-failed');
        expect(outside.writes.at(-1)).toMatchObject({ by: 'apply', localPercent: 50 });
        expect(blocked.activation.filter((a) => a.localPercent === 50).map((a) => a.verdict)).toEqual([
          'inconclusive',
          'successful',
        ]);
        await update('abort');
        expect(outside.entry).toEqual(['activate', 'drain']);
        expect(await handle.result()).toMatchObject({ phase: 'aborted' });
      },
    );
  });

  it('refuses and records what it cannot read, and goes on', async () => {
    await withRegion(
      () => undefined,
      async ({ until, handle, update }) => {
        // Of messages that wait for the region to begin, those of known names come first; from then on, all as sent.
        await until('begun', () => true);
        await handle.signal('no-such-signal', 1);
        await handle.signal('freeze', 'not an object');
        await handle.signal('override', { key: 'a', who: 'b', why: 'c', address: 'shop.rateLimit.rsp', value: -1 });
        await signalUndecodable(handle.workflowId, 'rollback');
        await signalUndecodable(handle.workflowId, 'neither-name-nor-payload');
        const status = await until('all refused', (s) => s.refused.total === 5);
        expect(status.refused.last.map((r) => [r.name, r.reason.includes('not decodable')])).toEqual([
          ['no-such-signal', false],
          ['freeze', false],
          ['override', false],
          ['rollback', true],
          ['neither-name-nor-payload', true],
        ]);
        await expect(update('override', { address: 'nobody.rateLimit.rps', value: 'many' })).rejects.toThrow(
          WorkflowUpdateFailedError,
        );
        await until('operating', operating);
      },
    );
  });

  it('an override is in force on return, the same key is carried out once, and an expiry gives it back', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, status }) => {
        await until('operating', operating);
        const fields = { key: 'same', address: 'shop.rateLimit.rps', value: 50 };
        const [first, second] = await Promise.all([update('override', fields), update('override', fields)]);
        expect(first).toEqual(second);
        expect(first.accepted).toBe(true);
        expect(outside.writes.filter((w) => w.overrides?.includes('shop.rateLimit.rps=50'))).toHaveLength(1);
        const soon = new Date(Date.now() + 2000).toISOString();
        await update('override', { address: 'shop.timeout.requestMs', value: 900, until: soon });
        expect((await status()).overrides).toHaveLength(2);
        await until('expired', (s) => s.overrides.length === 1);
        await eventually(
          'given back',
          async () => outside.writes.at(-1)?.overrides?.join() === 'shop.rateLimit.rps=50',
        );
        expect(await update('clear-override', { address: 'shop.rateLimit.rps' })).toMatchObject({ accepted: true });
        expect(outside.writes.at(-1)?.overrides).toEqual([]);
      },
    );
  });

  it('an override that no plan can carry is refused alone: the region operates on with what ran before', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, status, adjustment }) => {
        await until('operating', operating);
        await update('override', { address: 'shop.rateLimit.rps', value: 50 });
        outside.faults.applyIntent = [ApplicationFailure.nonRetryable('weights of shop sum to 130', 'plan-invalid')];
        const refused = await update('override', { address: 'shop.weight.neighbour', value: 90 });
        expect(refused).toEqual({ accepted: false, detail: 'weights of shop sum to 130' });
        const after = await status();
        expect(after.overrides.map((o) => o.address)).toEqual(['shop.rateLimit.rps']);
        expect([after.phase, (await adjustment()).problem]).toEqual(['operating', null]);
        expect(await update('override', { address: 'shop.rateLimit.rps', value: 60 })).toMatchObject({
          accepted: true,
        });
        expect(outside.writes.at(-1)?.overrides).toEqual(['shop.rateLimit.rps=60']);
      },
    );
  });

  it('a target out of reach stops one change, not the adjustment', async () => {
    const adjustment = {
      address: 'shop.rateLimit.rps',
      from: 10,
      to: 11,
      reason: 'binds',
      planHash: 'p1',
      madeAt: 't',
    };
    await withRegion(
      (outside) => {
        outside.tickOutcome = ({ inFlight }) =>
          inFlight === null ? { decision: { kind: 'adjust', adjustment, service: 'shop', baseline: {} as never } } : {};
        outside.during = async (name) => {
          const faults = outside.calls.filter((call) => call === 'tick').length === 1;
          if (name === 'tick' && faults) {
            outside.faults.applyIntent = [ApplicationFailure.nonRetryable('edge-1: no route', 'target-unreachable')];
          }
        };
      },
      async ({ until, adjustment: state, status }) => {
        await until('operating', operating);
        await eventually('made at the second tick', async () => (await state()).adjustmentsMade === 1);
        expect((await state()).problem).toBeNull();
        expect((await status()).blocked).toBeNull();
      },
    );
  });

  it('a rollback takes the writer under a new epoch, freezes, and resume brings the plan back', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside, status, adjustment }) => {
        const before = await until('operating', operating);
        const target = before.deployments.find((d) => d.localPercent === 50);
        const rolled = await update('rollback', { to: target?.id });
        expect(rolled.accepted).toBe(true);
        expect(outside.hash).toBe(target?.hash);
        const after = await status();
        expect(after.freeze?.why).toContain('rollback');
        expect(after.epoch).toBeGreaterThan(before.epoch);
        expect((await adjustment()).held).toBe(true);
        expect(after.rolledBackTo).toBe(target?.id);
        expect(await update('resume')).toMatchObject({ accepted: true });
        const again = await until('operating', (s) => operating(s) && s.freeze === null);
        expect(again.rolledBackTo).toBeNull();
        expect(outside.hash).toBe(again.currentHash);
        expect(outside.writes.at(-1)).toMatchObject({ localPercent: 100 });
      },
    );
  });

  it('the adjustment makes one change at a time and reverses it in a freeze', async () => {
    const adjustment = {
      address: 'shop.rateLimit.rps',
      from: 10,
      to: 11,
      reason: 'binds',
      planHash: 'p1',
      madeAt: new Date().toISOString(),
    };
    await withRegion(
      (outside) => {
        outside.tickOutcome = ({ inFlight, frozen }) => {
          if (inFlight === null && !frozen) {
            return { decision: { kind: 'adjust', adjustment, service: 'shop', baseline: {} as never } };
          }
          if (inFlight !== null && frozen) return { decision: { kind: 'revert', reason: 'p99 over the SLO' } };
          return {};
        };
      },
      async ({ until, update, adjustment: state }) => {
        await until('operating', operating);
        await eventually('adjusted', async () => (await state()).adjustmentsMade === 1);
        await eventually('judged', async () => ((await state()).inFlight?.inconclusiveTicks ?? 0) >= 2);
        expect((await state()).adjustmentsMade).toBe(1);
        await update('freeze');
        await eventually('reverted', async () => (await state()).adjustmentsReverted === 1);
        expect((await state()).adjustments).toEqual([]);
      },
    );
  });

  it('puts each window of the plan in force when it is due, instances asked for first, and none in a freeze', async () => {
    const at = (ms: number): string => new Date(ms).toISOString();
    let secondMs = 0;
    await withRegion(
      (outside) => {
        outside.windows = () => {
          secondMs = Date.now() + 8000;
          return [Date.now() - 1000, secondMs, secondMs + 3000, secondMs + 3_600_000].map((wallFromMs, i) => ({
            from: `window-${i}`,
            wallFromMs,
          }));
        };
      },
      async ({ until, update, outside, adjustment }) => {
        const operating = await until('operating', (now) => now.tuner.state === 'running');
        expect(operating.window).toBe('window-0');
        expect(operating.plan?.windows).toHaveLength(4);
        await until('the second window', (now) => now.window === 'window-1');
        expect(outside.asked).toEqual(['window-0', 'window-1']);
        expect(outside.calls.lastIndexOf('exportTargets')).toBeLessThan(outside.calls.lastIndexOf('applyIntent'));
        expect(outside.writes.at(-1)).toMatchObject({ by: 'apply', window: 'window-1' });
        expect(at(Date.now()) >= at(secondMs)).toBe(true);
        await update('freeze');
        const ticks = (await adjustment()).ticks;
        await eventually('the third window has passed', async () =>
          Date.now() > secondMs + 3500 && (await adjustment()).ticks > ticks ? true : null,
        );
        expect((await adjustment()).window).toBe('window-1');
        const overridden = await update('override', { address: 'shop.rateLimit.rps', value: 7 });
        expect(overridden.accepted).toBe(true);
        expect(outside.writes.at(-1)).toMatchObject({ window: 'window-1', overrides: ['shop.rateLimit.rps=7'] });
        await update('resume');
        await until('the third window', (now) => now.window === 'window-2');
        expect(outside.writes.at(-1)).toMatchObject({ window: 'window-2', overrides: ['shop.rateLimit.rps=7'] });
      },
    );
  });

  it('an activation that outlasts a window asks for the next one’s instances; a new plan keeps what is ready by now', async () => {
    let secondMs = Infinity;
    await withRegion(
      (outside) => {
        outside.windows = () => {
          secondMs = Math.min(secondMs, Date.now() + 3000);
          return [Date.now() - 1000, secondMs].map((wallFromMs, i) => ({ from: `window-${i}`, wallFromMs }));
        };
        outside.during = async (name) => {
          if (name !== 'judgeStage') return;
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, secondMs + 100 - Date.now())));
        };
        outside.tickOutcome = () => ({ readyInstances: { shop: 5 } });
      },
      async ({ until, update, outside }) => {
        await until('operating', operating);
        expect(outside.asked).toEqual(['window-0', 'window-1']);
        await eventually('limits follow', async () => outside.writes.at(-1)?.readyInstances?.['shop'] === 5);
        expect(outside.writes.at(-1)?.window).toBe('window-1');
        await update('replan');
        await until('planned anew', (now) => now.planHash === 'p2' && now.replan?.state === 'done');
        const first = outside.writes.findLast((write) => write.by === 'apply');
        expect(first).toMatchObject({ window: 'window-1', readyInstances: { shop: 5 } });
      },
    );
  });

  it('a change that was kept in one window is not carried into the next', async () => {
    const adjustment = {
      ...{ address: 'shop.rateLimit.rps', from: 10, to: 9, reason: 'over the SLO', planHash: 'p1' },
      madeAt: new Date().toISOString(),
    };
    let secondMs = Infinity;
    await withRegion(
      (outside) => {
        outside.windows = () => {
          secondMs = Date.now() + 9000;
          return [Date.now() - 1000, secondMs].map((wallFromMs, i) => ({ from: `window-${i}`, wallFromMs }));
        };
        outside.tickOutcome = ({ inFlight, intent }) => {
          if (inFlight !== null) return { decision: { kind: 'keep', reason: 'inside the SLO' } };
          if (intent.window !== 'window-0' || intent.adjustments.length > 0) return {};
          return { decision: { kind: 'adjust', adjustment, service: 'shop', baseline: {} as never } };
        };
      },
      async ({ until, adjustment: state }) => {
        await until('operating', operating);
        await eventually('kept', async () => {
          const { adjustments, inFlight } = await state();
          return adjustments.length === 1 && inFlight === null;
        });
        await until('the second window', (now) => now.window === 'window-1');
        expect((await state()).adjustments).toEqual([]);
      },
    );
  });

  it('plans anew when asked, while messages go on being carried out, and what people set stays', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await withRegion(
      (outside) => {
        outside.during = async (name) => {
          if (name === 'forecastRegion' && outside.plans > 0) await held;
        };
      },
      async ({ until, update, outside, adjustment }) => {
        await until('operating', operating);
        const before = await adjustment();
        expect(await update('replan')).toMatchObject({ accepted: true });
        await until('forecasting', (now) => now.replan?.state === 'running');
        expect(await update('override', { address: 'shop.rateLimit.rps', value: 7 })).toMatchObject({ accepted: true });
        release();
        const after = await until('planned anew', (now) => now.replan?.state === 'done');
        expect(after).toMatchObject({ planHash: 'p2', phase: 'operating', replan: { by: 'ada' } });
        expect(after.overrides).toHaveLength(1);
        const now = await eventually('the adjustment has the new plan', async () => {
          const told = await adjustment();
          return told.planHash === 'p2' ? told : null;
        });
        expect(now.epoch).toBeGreaterThan(before.epoch);
        expect(outside.writes.at(-1)).toMatchObject({ overrides: ['shop.rateLimit.rps=7'] });
        await update('freeze');
        expect(await update('replan')).toMatchObject({
          accepted: false,
          detail: expect.stringContaining('frozen by ada'),
        });
      },
    );
  });

  it('plans anew on schedule; a plan that cannot be made leaves what runs, and says why', async () => {
    await withRegion(
      (outside) => {
        outside.scheduleReplans(1500);
        outside.faults.planRegion = [];
      },
      async ({ until, outside }) => {
        await until('operating', operating);
        const writes = outside.writes.length;
        outside.faults.planRegion?.push(ApplicationFailure.nonRetryable('nobody serves', 'plan-refused'));
        const failed = await until('a plan that failed', (now) => now.replan?.state === 'failed');
        expect(failed).toMatchObject({ phase: 'operating', blocked: null, planHash: 'p1' });
        expect(failed.replan).toMatchObject({ by: 'the schedule', detail: 'nobody serves' });
        expect(outside.writes).toHaveLength(writes);
        await until('the next one', (now) => now.planHash === 'p2' && now.replan?.state === 'done');
      },
    );
  });

  it('the adjustment ignores what is no order of its region, and ticks on', async () => {
    await withRegion(
      () => undefined,
      async ({ name, until, update, adjustment: state }) => {
        await until('operating', operating);
        const { workflow } = temporal.env.client;
        const id = adjustmentWorkflowId(name);
        for (const signal of ['hold', 'run', 'copy', 'no-such-order']) {
          await workflow.getHandle(id).signal(signal);
          await workflow.getHandle(id).signal(signal, { epoch: 1, copy: 99, plan: null });
          await signalUndecodable(id, signal);
        }
        // A hold by anyone is obeyed as one; the next order of the region sets it running again.
        const { ticks } = await state();
        expect(await update('override', { address: 'shop.rateLimit.rps', value: 7 })).toMatchObject({ accepted: true });
        await update('rollback', { to: 'previous' });
        await update('resume');
        await eventually('ticks go on', async () => (await state()).ticks > ticks);
      },
    );
  });

  it('cancelling the adjustment by hand leaves the settings, and only resume restarts it', async () => {
    await withRegion(
      () => undefined,
      async ({ name, until, update, outside }) => {
        await until('operating', operating);
        const before = outside.writes.length;
        await temporal.env.client.workflow.getHandle(adjustmentWorkflowId(name)).cancel();
        await until('tuner-stopped', (s) => s.tuner.state === 'tuner-stopped');
        expect(outside.writes).toHaveLength(before);
        expect(await update('override', { address: 'shop.rateLimit.rps', value: 5 })).toMatchObject({ accepted: true });
        expect(await update('resume')).toMatchObject({ accepted: true });
        await until('operating again', operating);
      },
    );
  });

  it('a freeze in activation holds back the next stage, and resume goes on from it', async () => {
    let freeze = async (): Promise<void> => undefined;
    await withRegion(
      (outside) => {
        outside.during = async (name) => {
          if (name === 'judgeStage') await freeze();
        };
      },
      async ({ until, handle, update, outside }) => {
        let sent = false;
        freeze = async () => {
          if (sent || outside.writes.at(-1)?.localPercent !== 50) return;
          sent = true;
          await handle.signal('freeze', { key: 'f', who: 'ada', why: 'looking' });
        };
        await until('frozen at 50 %', (s) => s.freeze !== null && s.activation.at(-1)?.localPercent === 50);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        expect(outside.writes.at(-1)?.localPercent).toBe(50);
        expect(await update('resume')).toMatchObject({ accepted: true });
        await until('operating', operating);
      },
    );
  });

  it('an adjustment that does not answer is cancelled, and the rollback goes on under a new epoch', async () => {
    let release = (): void => undefined;
    await withRegion(
      (outside) => {
        outside.during = async (name) => {
          if (name === 'tick') await new Promise<void>((resolve) => (release = resolve));
        };
      },
      async ({ until, update, outside, status }) => {
        const before = await until('operating', operating);
        await eventually('a tick that hangs', async () => outside.calls.includes('tick'));
        const rolled = await update('rollback', { to: 'previous' });
        expect(rolled.accepted).toBe(true);
        const after = await status();
        expect(after.tuner.state).toBe('tuner-stopped');
        expect(after.epoch).toBeGreaterThan(before.epoch);
        expect(outside.writes.at(-1)).toMatchObject({ by: 'restore', epoch: after.epoch });
        release();
      },
    );
  });

  it('drift at a target blocks the region, stays as it is, and retry goes on from it', async () => {
    await withRegion(
      () => undefined,
      async ({ until, update, outside }) => {
        await until('operating', operating);
        outside.hash = 'somebody-else';
        const refused = await update('override', { address: 'shop.rateLimit.rps', value: 5 });
        expect(refused.accepted).toBe(false);
        await until('blocked', (s) => s.blocked?.reason === 'drift');
        expect(outside.hash).toBe('somebody-else');
        expect(await update('retry')).toMatchObject({ accepted: true });
        await until('operating', operating);
      },
    );
  });
});
