import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { acceptFleet } from '../../activities/acceptFleet.js';
import type { ActivityRun, Ports } from '../../activities/ports.js';
import { freezeEveryRegion, openRegions, resumeEveryRegion } from '../../cli/fleetClient.js';
import type { FleetStatus } from '../../workflows/fleet/state.js';
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
const running: { worker: Worker; done: Promise<void> }[] = [];

beforeAll(async () => {
  // A new run is suggested after so few events that a test sees one.
  temporal = await startTestTemporal(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=150']);
});

afterEach(async () => {
  const { client } = temporal.env;
  for await (const { workflowId } of client.workflow.list({ query: 'ExecutionStatus="Running"' })) {
    await client.workflow
      .getHandle(workflowId)
      .terminate()
      .catch(() => undefined);
  }
  const stopped = running.splice(0);
  for (const { worker } of stopped) worker.shutdown();
  await Promise.all(stopped.map(({ done }) => done));
});

afterAll(async () => {
  await temporal.stop();
});

/** Ends with the test. */
async function serve(taskQueue: string, activities: object): Promise<void> {
  const worker = await temporal.worker(taskQueue, activities as ReturnType<ScriptedRegion['activities']>);
  running.push({ worker, done: worker.run() });
}

interface Fleet extends Conversation<FleetStatus> {
  name: string;
  handle: WorkflowHandle;
}

const read = acceptFleet({} as Ports);

function newName(): string {
  serial += 1;
  return `fleet-${serial}`;
}

async function startFleet(name: string, file: Record<string, unknown> = {}): Promise<Fleet> {
  const { client } = temporal.env;
  const { recordAudit } = new ScriptedRegion().activities();
  await serve(name, { recordAudit, acceptFleet: (text: unknown) => read(text, {} as ActivityRun) });
  await client.workflow.start('fleetCoordinator', {
    workflowId: name,
    taskQueue: name,
    args: [JSON.stringify({ apiVersion: 'psmg/v1', name, maxConcurrentChanges: 1, ...file })],
  });
  // By id alone, so that it follows the chain of runs.
  const handle = client.workflow.getHandle(name);
  return { name, handle, ...conversation<FleetStatus>(handle) };
}

interface Running {
  region: string;
  outside: ScriptedRegion;
  handle: WorkflowHandle;
  until(what: string, check: (status: RegionStatus) => boolean): Promise<RegionStatus>;
}

/** A region over a scripted outside, of that fleet; each write is told to `onWrite` as it is done. */
async function startRegion(
  region: string,
  fleet: string | null,
  onWrite = (_: string): void => undefined,
): Promise<Running> {
  const outside = new ScriptedRegion();
  if (fleet !== null) outside.accepted = { fleet: { id: fleet, permitMs: 60_000 } };
  outside.during = async (name) => {
    if (name === 'deployRelease' || name === 'applyIntent') onWrite(region);
    return Promise.resolve();
  };
  await serve(region, outside.activities());
  const { client } = temporal.env;
  await client.workflow.start('regionLifecycle', {
    workflowId: regionWorkflowId(region),
    taskQueue: region,
    args: [region],
  });
  const handle = client.workflow.getHandle(regionWorkflowId(region));
  return {
    region,
    outside,
    handle,
    until: (what, check) =>
      eventually(`${region}: ${what}`, async () => {
        const now = await handle.query<RegionStatus>('status');
        return check(now) ? now : null;
      }),
  };
}

/** A region whose worker is away: it takes signals, and does nothing. */
async function startMute(region: string): Promise<void> {
  await temporal.env.client.workflow.start('regionLifecycle', {
    workflowId: regionWorkflowId(region),
    taskQueue: 'nobody',
    args: [region],
  });
}

/** Signals that a region was sent, in order. */
async function signalsOf(region: string): Promise<string[]> {
  const { events } = await temporal.env.client.workflow.getHandle(regionWorkflowId(region)).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? []);
}

const operating = ({ phase, tuner }: RegionStatus): boolean => phase === 'operating' && tuner.state === 'running';

function request(region: string, number = 1, neighbours: string[] = []): Record<string, unknown> {
  return { region, number, what: 'replan', planHash: null, neighbours, workflowId: regionWorkflowId(region) };
}

describe('permits', () => {
  it('a launch waits for a fleet that is lost, takes messages meanwhile, goes on in a new run, and then in turn', async () => {
    const fleet = newName();
    const order: string[] = [];
    const first = await startRegion('north', fleet, (region) => order.push(region));
    const waits = await first.until('waits', ({ permit }) => permit?.detail?.includes('not running') === true);
    expect([waits.phase, waits.step]).toEqual(['awaiting-permit', 'pre-deploy']);
    const { runId } = await first.handle.describe();
    for (let i = 0; i < 45; i += 1) await first.handle.signal('no-such-signal', i);
    const override = { key: 'o', who: 'ada', why: 'incident', address: 'shop.rateLimit.rps', value: 50 };
    expect(await first.handle.executeUpdate('override', { args: [override] })).toMatchObject({ accepted: true });
    await eventually('a new run', async () => (await first.handle.describe()).runId !== runId);
    const second = await startRegion('south', fleet, (region) => order.push(region));
    await second.until('waits', ({ phase }) => phase === 'awaiting-permit');
    expect(order).toEqual([]);

    const coordinator = await startFleet(fleet);
    const after = await first.until('operating', operating);
    await second.until('operating', operating);
    expect(after.completed).toEqual(['forecast', 'plan', 'pre-deploy', 'await-stack', 'activate']);
    expect(after.overrides).toHaveLength(1);
    expect(first.outside.calls.filter((call) => call === 'planRegion')).toHaveLength(1);
    // Every write of the one before every write of the other.
    const [leader] = order;
    expect(order.lastIndexOf(leader ?? '')).toBe(order.filter((region) => region === leader).length - 1);
    const status = await coordinator.until('both returned', ({ granted }) => granted.length === 0);
    expect(status.regions.map(({ name, last }) => [name, last?.outcome]).sort()).toEqual([
      ['north', 'done'],
      ['south', 'done'],
    ]);
  });

  it('are free again when they expire, kept from failover targets, and given only to regions that run', async () => {
    for (const region of ['a', 'b', 'c']) await startMute(region);
    const fleet = await startFleet(newName(), {
      ...{ maxConcurrentChanges: 2, permitSeconds: 2 },
      failover: [['a', 'b']],
    });
    for (const region of ['gone', 'a', 'b', 'c']) await fleet.handle.signal('permit-request', request(region));
    const isOut = ({ granted }: FleetStatus): boolean => granted.map(({ region }) => region).join() === 'a,c';
    const first = await fleet.until('two permits', isOut);
    expect(first.waiting).toMatchObject([{ region: 'b', why: 'its failover target a changes first' }]);
    expect(first.regions.find(({ name }) => name === 'gone')?.last).toMatchObject({ outcome: 'unreachable' });
    const then = await fleet.until('expired', ({ granted }) => granted.some(({ region }) => region === 'b'));
    expect(then.regions.find(({ name }) => name === 'a')?.last).toMatchObject({ outcome: 'expired' });
    expect(await signalsOf('b')).toEqual(['permit-granted']);
  });

  it('a blocked launch gives its permit back', async () => {
    const fleet = await startFleet(newName());
    const region = await startRegion('blocked', fleet.name);
    region.outside.faults.deployRelease = [ApplicationFailure.nonRetryable('no disk', 'deploy-failed')];
    await region.until('blocked', ({ phase }) => phase === 'blocked');
    const status = await fleet.until('told', ({ regions }) => regions[0]?.last?.outcome === 'blocked');
    expect(status.granted).toEqual([]);
    await region.handle.signal('retry', { key: 'r', who: 'ada', why: 'disk is mended' });
    await region.until('operating', operating);
    expect((await region.until('returned', ({ permit }) => permit?.state === 'returned')).permit?.number).toBe(2);
  });

  it('a replan that waits is given up by a freeze of the region, and its request with it', async () => {
    const fleet = await startFleet(newName());
    const region = await startRegion('frozen', fleet.name);
    await region.until('operating', operating);
    await fleet.update('freeze-all', { except: ['frozen'] });
    await region.handle.signal('replan', { key: 'p', who: 'ada', why: 'test' });
    await region.until('waits', ({ phase }) => phase === 'awaiting-permit');
    expect((await fleet.status()).waiting).toMatchObject([{ region: 'frozen', why: 'frozen by ada: test' }]);
    await region.handle.signal('freeze', { key: 'f', who: 'bob', why: 'test' });
    const after = await region.until('given up', ({ replan }) => replan?.state === 'failed');
    expect(after.replan?.detail).toContain('frozen by bob');
    expect(after.phase).toBe('operating');
    await fleet.until('withdrawn', ({ waiting }) => waiting.length === 0);
  });
});

describe('the coordinator', () => {
  it('hands on what waits, what is out, keys and a rollout to its next run', async () => {
    for (const region of ['a', 'b']) await startMute(region);
    const fleet = await startFleet(newName(), { regions: [{ name: 'a' }, { name: 'b' }] });
    await fleet.handle.signal('permit-request', request('a'));
    await fleet.handle.signal('permit-request', request('b'));
    const outcome = await fleet.update('rollout', { key: 'r1' });
    expect(outcome.accepted).toBe(true);
    const { runId } = await fleet.handle.describe();
    const before = await fleet.status();
    for (let i = 0; i < 120; i += 1)
      await fleet.handle.signal(i % 2 === 0 ? 'permit-request' : 'nonsense', request('b'));
    await eventually('a new run', async () => (await fleet.handle.describe()).runId !== runId);
    const after = await fleet.until('everything counted', ({ refused }) => refused.total === 60);
    expect(after).toMatchObject({ granted: before.granted, rollout: before.rollout });
    expect(after.waiting).toMatchObject([{ region: 'b', since: before.waiting[0]?.since }]);
    expect(await fleet.update('rollout', { key: 'r1' })).toEqual(outcome);
    await fleet.handle.signal('permit-returned', {
      ...{ region: 'a', number: 1, what: 'replan', outcome: 'done', detail: '', startedMs: 0 },
    });
    await fleet.until('the turn of b', ({ granted }) => granted[0]?.region === 'b');
  });

  it('fails a start with a bad file at once, every problem named, and refuses what it cannot read', async () => {
    const bad = newName();
    const fleet = await startFleet(bad, { maxConcurrentChanges: 0, failover: [['a', 'a']] });
    const failure = await fleet.handle.result().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    const { cause } = failure as WorkflowFailedError;
    expect(cause).toMatchObject({ type: 'invalid-fleet', nonRetryable: true });
    expect(cause?.message).toContain('maxConcurrentChanges');
    expect(cause?.message).toContain('names one region twice');

    const sound = await startFleet(newName());
    await sound.until('begun', ({ phase }) => phase === 'operating');
    const { client } = temporal.env;
    await client.connection.workflowService.signalWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId: sound.name },
      signalName: 'freeze-all',
      input: {
        payloads: [{ metadata: { encoding: new TextEncoder().encode('bogus/thing') }, data: new Uint8Array() }],
      },
    });
    for (const raw of [null, 1, 'text', [], { key: 1 }, { ...request('UPPER'), number: -1 }]) {
      for (const name of ['rollout', 'permit-request', 'permit-returned', 'fleet-report', 'constructor']) {
        await sound.handle.signal(name, raw);
      }
    }
    const status = await sound.until('all refused', ({ refused }) => refused.total === 31);
    expect(status.freeze).toBeNull();
    await expect(sound.update('rollout', { regions: ['mars'], stage: 1 })).rejects.toThrow();
    await expect(sound.update('no-such-update')).rejects.toThrow();
    expect(await sound.update('resume-rollout')).toMatchObject({ accepted: false });
  });
});

describe('freeze --all', () => {
  it('stops every write of every open region with no coordinator there, tells which has not confirmed, and ends', async () => {
    const { client } = temporal.env;
    const change = { address: 'shop.rateLimit.rps', from: 10, to: 11, reason: 'binds', planHash: 'p1', madeAt: 't' };
    const writing = await Promise.all(['w1', 'w2', 'w3'].map((region) => startRegion(region, null)));
    for (const { outside, until } of writing) {
      outside.tickOutcome = ({ inFlight, frozen }) => {
        if (frozen) return {};
        if (inFlight !== null) return { decision: { kind: 'revert', reason: 'p99 over the SLO' } };
        return { decision: { kind: 'adjust', adjustment: change, service: 'shop', baseline: {} as never } };
      };
      await until('operating', operating);
    }
    const slow = await startRegion('slow', null);
    slow.outside.during = async (name) => {
      if (name === 'judgeStage') await new Promise((resolve) => setTimeout(resolve, 500));
    };
    await slow.until('activating', ({ phase }) => phase === 'activating');
    const own = await startRegion('own', null);
    await own.until('operating', operating);
    await own.handle.executeUpdate('freeze', { args: [{ key: 'f', who: 'bob', why: 'mine' }] });
    for (const { outside } of writing)
      await eventually('writes', async () => Promise.resolve(outside.writes.length > 8));
    await startMute('mute');
    await eventually('listed', async () => (await openRegions(client)).length === 6);

    const order = { fleet: 'none', waitMs: 3000 };
    const answers = await freezeEveryRegion(client, { ...order, message: { key: 'inc', who: 'ada', why: 'loss' } });
    const all = [...writing, slow, own];
    const written = all.map(({ outside }) => outside.writes.length);
    expect(answers.map(({ region, confirmed }) => [region, confirmed])).toEqual([
      ['mute', false],
      ['own', true],
      ...['slow', 'w1', 'w2', 'w3'].map((region) => [region, true]),
    ]);
    const ticks = writing.map(({ outside }) => outside.calls.filter((call) => call === 'tick').length);
    for (const [i, { outside }] of writing.entries()) {
      await eventually('ticks go on', async () =>
        Promise.resolve(outside.calls.filter((call) => call === 'tick').length > (ticks[i] ?? 0) + 4),
      );
    }
    expect(all.map(({ outside }) => outside.writes.length)).toEqual(written);
    expect(await signalsOf('mute')).toEqual(['freeze']);

    await temporal.env.client.workflow.getHandle(regionWorkflowId('mute')).terminate();
    await eventually('listed', async () => (await openRegions(client)).length === 5);
    const resumed = await resumeEveryRegion(client, {
      ...{ ...order, every: false },
      message: { key: 'over', who: 'ada', why: 'loss is over' },
    });
    expect(resumed.every(({ confirmed }) => confirmed)).toBe(true);
    expect(resumed.find(({ region }) => region === 'own')?.detail).toBe('left frozen, by bob: mine');
    await slow.until('operating', operating);
    expect((await own.until('still frozen', () => true)).freeze?.who).toBe('bob');
  });

  it('by the coordinator: every region it knows, and no permit until resume-all', async () => {
    for (const region of ['a', 'b']) await startMute(region);
    const fleet = await startFleet(newName(), { regions: [{ name: 'a' }, { name: 'b' }, { name: 'gone' }] });
    expect(await fleet.update('freeze-all', { key: 'inc' })).toEqual({
      accepted: true,
      detail: 'freeze sent to a, b; not reached: gone',
    });
    await fleet.handle.signal('permit-request', request('a'));
    await fleet.until('waits', ({ waiting }) => waiting.length === 1);
    expect(await fleet.update('rollout')).toMatchObject({ accepted: false });
    await fleet.update('resume-all');
    await fleet.until('granted', ({ granted }) => granted.length === 1);
    expect(await signalsOf('a')).toEqual(['freeze', 'resume', 'permit-granted']);
    await temporal.env.client.workflow
      .getHandle(adjustmentWorkflowId('a'))
      .terminate()
      .catch(() => undefined);
  });
});

describe('a rollout', () => {
  it('goes from one region to the rest, stops where one fails or is blocked, and is resumed', async () => {
    const names = ['r1', 'r2', 'r3'];
    const fleet = await startFleet(newName(), {
      maxConcurrentChanges: 2,
      regions: names.map((name) => ({ name, group: name === 'r1' ? 'canary' : 'rest' })),
      failover: [],
      rollout: { stages: [1], judgeSeconds: 0.5 },
    });
    const order: string[] = [];
    const started = await Promise.all(
      names.map((name) => startRegion(name, fleet.name, (region) => order.push(region))),
    );
    for (const { until } of started) await until('operating', operating);
    order.splice(0);
    const [first, second] = started;
    expect(await fleet.update('rollout', { key: 'w48', regions: ['canary', 'rest'] })).toMatchObject({
      accepted: true,
    });
    const done = await fleet.until('done', ({ rollout }) => rollout?.state === 'done');
    expect(done.rollout?.stages).toEqual([['r1'], ['r2', 'r3']]);
    expect(order[0]).toBe('r1');
    expect(order.lastIndexOf('r1')).toBe(0);
    for (const { until } of started) {
      const status = await until('planned anew', ({ planHash }) => planHash === 'p2');
      expect(status.replan).toMatchObject({ state: 'done', by: 'ada' });
    }

    if (first !== undefined)
      first.outside.faults.planRegion = [ApplicationFailure.nonRetryable('too hot', 'plan-refused')];
    await fleet.update('rollout', { key: 'w49' });
    const stopped = await fleet.until('stopped', ({ rollout }) => rollout?.state === 'stopped');
    expect(stopped.rollout?.detail).toBe('stopped in stage 1 of 2: r1: too hot');
    expect(started.map(({ outside }) => outside.plans)).toEqual([2, 2, 2]);
    expect(await fleet.update('rollout')).toMatchObject({ accepted: false });

    if (second !== undefined) second.outside.faults.exportTargets = [ApplicationFailure.nonRetryable('drift', 'drift')];
    await fleet.update('resume-rollout');
    const blocked = await fleet.until(
      'stopped again',
      ({ rollout }) => rollout?.detail.includes('r2') === true && rollout.state === 'stopped',
    );
    expect(blocked.rollout?.regions).toMatchObject({ r1: { state: 'done' }, r2: { state: 'failed' } });
    await second?.until('blocked', ({ phase }) => phase === 'blocked');
    expect(await fleet.update('abort-rollout')).toMatchObject({ accepted: true, detail: 'aborted by ada: test' });
    expect((await fleet.status()).rollout?.state).toBe('aborted');
  });
});
