import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { acceptFleet } from '../../activities/acceptFleet.js';
import type { ActivityRun, Ports } from '../../activities/ports.js';
import { textOf } from '../../activities/textOf.js';
import type { RegionActivities } from '../../activities/contract.js';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { TASK_QUEUE, adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { TestTemporal } from '../workflows/environment.js';
import { eventually, startTestTemporal } from '../workflows/environment.js';
import { JudgedRegion } from '../workflows/judgedRegion.js';

/** Where a region is when a line makes sense. */
export type Situation =
  'operating' | 'frozen' | 'rolled-back' | 'taken-over' | 'blocked-launch' | 'blocked-drain' | 'waiting' | 'nowhere';

export const REGION = 'eu-west';

const operating = ({ phase, tuner }: RegionStatus): boolean => phase === 'operating' && tuner.state === 'running';
const blocked = ({ phase }: RegionStatus): boolean => phase === 'blocked';

/** The region of the pages over a scripted outside, on a real server and the worker's own task queue, one life after another. */
export interface Lives {
  temporal: TestTemporal;
  /** `HOST:PORT` of the server. */
  address: string;
  outside(): JudgedRegion;
  /** Text of the region file that the last life was launched with. */
  launchedWith(): string;
  /** Of the life that is; follows its runs. */
  handle(): WorkflowHandle;
  status(): Promise<RegionStatus>;
  until(what: string, check: (status: RegionStatus) => boolean): Promise<RegionStatus>;
  /** Brings the region there, by a new life where this one cannot come. */
  be(situation: Situation): Promise<void>;
  send(name: MessageName, message: Readonly<Record<string, unknown>>): Promise<MessageOutcome>;
  stop(): Promise<void>;
}

export async function startLives(): Promise<Lives> {
  const temporal = await startTestTemporal();
  const { client } = temporal.env;
  let outside = newOutside();
  let text = '';
  const scripted = activitiesOf(() => outside);
  const worker = await temporal.worker(TASK_QUEUE, {
    ...scripted,
    acceptRegion: (input) => {
      const read = textOf(input, 'region');
      if (typeof read !== 'string') throw new Error(read.message);
      text = read;
      return scripted.acceptRegion(REGION);
    },
  });
  const running = worker.run();
  const handle = client.workflow.getHandle(regionWorkflowId(REGION));
  const status = (): Promise<RegionStatus> => handle.query<RegionStatus>('status');
  const until: Lives['until'] = (what, check) =>
    eventually(what, async () => {
      const now = await status();
      return check(now) ? now : null;
    });
  const send: Lives['send'] = (name, message) =>
    handle.executeUpdate<MessageOutcome, [unknown]>(name, { args: [message] });
  let serial = 0;
  const say = async (name: MessageName, fields: Record<string, unknown> = {}): Promise<void> => {
    serial += 1;
    const outcome = await send(name, { key: `prepared-${serial}`, who: 'bob', why: 'the test', ...fields });
    if (!outcome.accepted) throw new Error(`${name}: ${outcome.detail}`);
  };
  const end = async (): Promise<void> => {
    for (const id of [regionWorkflowId(REGION), adjustmentWorkflowId(REGION)]) {
      await client.workflow
        .getHandle(id)
        .terminate()
        .catch(() => undefined);
    }
  };
  const launch = async (prepare: (fresh: JudgedRegion) => void = () => undefined): Promise<void> => {
    await end();
    outside = newOutside();
    prepare(outside);
    await client.workflow.start('regionLifecycle', {
      ...{ workflowId: regionWorkflowId(REGION), taskQueue: TASK_QUEUE, args: [REGION] },
    });
  };
  const isThere = async (check: (now: RegionStatus) => boolean): Promise<boolean> => {
    const { status: execution } = await handle.describe().catch(() => ({ status: { name: 'NONE' } }));
    return execution.name === 'RUNNING' && check(await status());
  };
  const ways: Record<Situation, () => Promise<void>> = {
    nowhere: end,
    operating: async () => {
      if (await isThere((now) => operating(now) && now.freeze === null && now.takenOver === undefined)) return;
      await launch();
      await until('operating', operating);
    },
    frozen: async () => {
      if (await isThere((now) => operating(now) && now.freeze !== null)) return;
      await ways.operating();
      await say('freeze');
    },
    'rolled-back': async () => {
      await ways.operating();
      await say('rollback', { to: 'previous' });
    },
    'taken-over': async () => {
      if (await isThere((now) => now.takenOver !== undefined)) return;
      await ways.operating();
      await say('take-over');
    },
    'blocked-launch': async () => {
      await launch((fresh) => {
        fresh.faults.awaitStack = [ApplicationFailure.nonRetryable('1 of 2 instances', 'stack-not-ready')];
      });
      await until('blocked', blocked);
    },
    'blocked-drain': async () => {
      await ways.operating();
      outside.verdicts.push('failed');
      await say('drain');
      await until('blocked', blocked);
    },
    waiting: async () => {
      await launch((fresh) => {
        const approvals = { autoBelowPercent: 0, approverNotRequester: false, timeoutMs: 3_600_000 };
        fresh.accepted = { ...fresh.accepted, approvals };
      });
      await until('waiting', ({ phase }) => phase === 'awaiting-approval');
    },
  };
  return {
    ...{ temporal, address: temporal.env.address, status, until, send },
    outside: () => outside,
    launchedWith: () => text,
    handle: () => handle,
    be: (situation) => ways[situation](),
    stop: async () => {
      await end();
      await stopWorker(worker, running);
      await temporal.stop();
    },
  };
}

/** What the lines name: services and neighbours of the region file that they stand for. */
function newOutside(): JudgedRegion {
  const outside = new JudgedRegion();
  const services = ['storefront', 'checkout', 'catalog', 'payments'];
  outside.accepted = { name: REGION, services, regions: [REGION, 'eu-central'] };
  return outside;
}

/** One worker for all lives: each call goes to the outside of the life that is. */
function activitiesOf(outside: () => JudgedRegion): RegionActivities {
  const names = Object.keys(outside().activities()) as (keyof RegionActivities)[];
  const scripted = Object.fromEntries(
    names.map((name) => [
      name,
      (input: never) => (outside().activities()[name] as (input: never) => Promise<unknown>)(input),
    ]),
  );
  const fleet = acceptFleet({} as Ports);
  return {
    ...scripted,
    acceptFleet: (text: unknown) => fleet(text, {} as ActivityRun),
  } as unknown as RegionActivities;
}

async function stopWorker(worker: Worker, running: Promise<void>): Promise<void> {
  worker.shutdown();
  await running;
}
