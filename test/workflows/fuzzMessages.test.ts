import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { acceptRegion } from '../../activities/acceptRegion.js';
import { StepFailure } from '../../activities/errors.js';
import type { ActivityRun, Ports } from '../../activities/ports.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import type { MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import { chainOf } from './chain.js';
import type { TestTemporal } from './environment.js';
import { eventually, startTestTemporal } from './environment.js';
import type { FuzzCase } from './fuzzCases.js';
import { fuzzCases } from './fuzzCases.js';
import { ScriptedRegion } from './scriptedActivities.js';

jest.setTimeout(150_000);

const MESSAGES = 2000;
const SEED = 1;
const AT_ONCE = 8;
/** `COMPLETED` in Temporal's UpdateWorkflowExecutionLifecycleStage. */
const COMPLETED = 3;

let temporal: TestTemporal;

beforeAll(async () => {
  temporal = await startTestTemporal();
});

afterAll(async () => temporal.stop());

/** As bytes, past every converter of the client. */
async function signal(client: Client, workflowId: string, { name, payload }: FuzzCase): Promise<void> {
  await client.workflowService.signalWorkflowExecution({
    ...{ namespace: 'default', workflowExecution: { workflowId } },
    ...{ signalName: name, input: { payloads: [payload] } },
  });
}

type Answer = { ok: true; outcome: MessageOutcome } | { ok: false; type: string; reason: string };

/** A task that failed because a message came while it ended the run takes the updates that it held down with it. */
const LOST_WITH_ITS_TASK = /unexpected workflow task failure/;

/** Asked for again under the same id, as its sender would, where it was lost. */
async function update(client: Client, workflowId: string, updateId: string, one: FuzzCase): Promise<Answer> {
  for (let time = 1; ; time += 1) {
    try {
      return await updateOnce(client, workflowId, updateId, one);
    } catch (error) {
      if (time > 5 || !LOST_WITH_ITS_TASK.test(String(error))) throw error;
    }
  }
}

async function updateOnce(client: Client, workflowId: string, updateId: string, one: FuzzCase): Promise<Answer> {
  const { outcome } = await client.workflowService.updateWorkflowExecution({
    ...{ namespace: 'default', workflowExecution: { workflowId }, waitPolicy: { lifecycleStage: COMPLETED } },
    request: { meta: { updateId, identity: 'fuzz' }, input: { name: one.name, args: { payloads: [one.payload] } } },
  });
  const failure = outcome?.failure;
  if (failure !== null && failure !== undefined) {
    return { ok: false, type: failure.applicationFailureInfo?.type ?? '', reason: failure.message ?? '' };
  }
  const data = outcome?.success?.payloads?.[0]?.data ?? new Uint8Array();
  return { ok: true, outcome: JSON.parse(new TextDecoder().decode(data)) as MessageOutcome };
}

async function inLanes<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  const lanes = Array.from({ length: AT_ONCE }, async (_, lane) => {
    for (let i = lane; i < items.length; i += AT_ONCE) await work(items[i] as T, i);
  });
  await Promise.all(lanes);
}

const tell = ({ name, payload }: FuzzCase): string =>
  `${name} ${new TextDecoder().decode(payload.data ?? undefined).slice(0, 200)}`;

describe(`${MESSAGES} messages of seed ${SEED}, malformed, too large, too late or for nothing`, () => {
  it('are refused in state where they are signals and to the caller where they are updates; the region is unharmed', async () => {
    const name = 'fuzzed';
    const outside = new ScriptedRegion();
    const tunables = {
      ...{ tickMs: 500, judgeMs: 50, stackTimeoutMs: 60_000, deployTimeoutMs: 60_000, holdTimeoutMs: 30_000 },
      ...{ ticksPerReport: 100, maxOverrides: 8, maxKeys: 2000, keyLifetimeMs: 86_400_000 },
    };
    outside.accepted = { tunables };
    const worker = await temporal.worker(name, outside.activities());
    const { client } = temporal.env;
    const region = client.workflow.getHandle(regionWorkflowId(name));
    const adjustment = client.workflow.getHandle(adjustmentWorkflowId(name));
    const status = async (): Promise<RegionStatus> => region.query<RegionStatus>('status');
    await worker.runUntil(async () => {
      const options = { workflowId: region.workflowId, taskQueue: name, args: [name] };
      await client.workflow.start('regionLifecycle', options);
      await eventually('operating', async () => (await status()).tuner.state === 'running');
      const first = { key: 'first', who: 'ada', why: 'test', address: 'shop.rateLimit.rps', value: 41 };
      await region.executeUpdate('override', { args: [first] });
      const before = await status();

      const cases = fuzzCases(MESSAGES, SEED);
      const wrong: string[] = [];
      let refusedSignals = 0;
      await inLanes(cases, async (one, i) => {
        // Of each kind about as many go by each way. One too large for the server goes as a signal: as an update it is let
        // in, and holds the region up until its sender is told that it was not taken.
        const asSignal = one.becomes === 'caller' || Math.floor(i / 22) % 2 === 0;
        try {
          if (asSignal) {
            await signal(client, region.workflowId, one);
            if (one.becomes === 'caller') wrong.push(`the server took ${one.name}`);
            if (one.becomes === 'refused') refusedSignals += 1;
            return;
          }
          const answer = await update(client, region.workflowId, `fuzz-${i}`, one);
          wrong.push(...problemsOf(one, answer).map((problem) => `${problem}: ${tell(one)}`));
        } catch (error) {
          if (one.becomes !== 'caller') wrong.push(`${String(error)}: ${tell(one)}`);
        }
      });
      expect(wrong).toEqual([]);

      const after = await eventually(`${refusedSignals} refused`, async () => {
        const now = await status();
        return now.refused.total === refusedSignals && now.phase === 'operating' ? now : null;
      });
      for (const { reason } of after.refused.last) expect(reason.length).toBeGreaterThan(5);
      const harmless = { refused: undefined, audit: undefined, tuner: undefined };
      expect({ ...after, ...harmless }).toEqual({ ...before, ...harmless });
      const outcome = await region.executeUpdate<MessageOutcome, [unknown]>('override', {
        args: [{ ...first, key: 'last', why: 'half \ud800 of a character', value: 42 }],
      });
      expect(outcome).toMatchObject({ accepted: true });
      const { ticks } = await adjustment.query<AdjustmentStatus>('status');
      await eventually('ticks go on', async () => (await adjustment.query<AdjustmentStatus>('status')).ticks > ticks);
      for (const id of [region.workflowId, adjustment.workflowId]) {
        for (const { taskFailures } of await chainOf(client, id)) expect(taskFailures).toEqual([]);
      }
      expect(Object.prototype).not.toHaveProperty('polluted');

      await region.terminate();
      await adjustment.terminate();
      await inLanes(cases.slice(0, 44), async (one, i) => {
        const sent =
          i % 2 === 0 ? signal(client, region.workflowId, one) : update(client, region.workflowId, `${i}`, one);
        await expect(sent).rejects.toThrow();
      });
    });
  });
});

function problemsOf({ becomes, names }: FuzzCase, answer: Answer): string[] {
  if (becomes === 'caller') return ['the server took it'];
  if (becomes === 'refused') {
    if (answer.ok) return [`taken: ${answer.outcome.detail}`];
    if (answer.type !== 'refused') return [`refused as "${answer.type}": ${answer.reason}`];
    return names.filter((name) => !answer.reason.includes(name)).map((name) => `"${name}" not in: ${answer.reason}`);
  }
  if (!answer.ok) return [`refused before it was carried out: ${answer.reason}`];
  if (answer.outcome.accepted) return [`accepted: ${answer.outcome.detail}`];
  const { detail } = answer.outcome;
  return names.filter((name) => !detail.includes(name)).map((name) => `"${name}" not in: ${detail}`);
}

describe('a start with what is no region file', () => {
  const INPUTS: readonly { input: unknown; names: readonly string[] }[] = [
    { input: null, names: [] },
    { input: 7, names: [] },
    { input: { undecodable: true, encoding: 'x', reason: 'y' }, names: [] },
    { input: '', names: [] },
    { input: '\u0000'.repeat(2000), names: [] },
    { input: '{"__proto__": {"polluted": 1}}', names: ['apiVersion', 'name', 'services'] },
    { input: 'apiVersion: psmg/v1\nname: "A B"\nservices: 7\nplanning: []\n', names: ['name', 'services', 'planning'] },
    { input: `a: ${'['.repeat(20_000)}`, names: [] },
    { input: 'a: &a [*a, *a]\nb: &b [*a,*a]\n', names: [] },
  ];

  it('fails once, and names every problem', async () => {
    const outside = new ScriptedRegion();
    const activities = {
      ...outside.activities(),
      acceptRegion: async (text: unknown) => {
        try {
          return await acceptRegion({} as Ports)(text, {} as ActivityRun);
        } catch (error) {
          if (!(error instanceof StepFailure)) throw error;
          throw ApplicationFailure.create({ message: error.message, type: error.reason, nonRetryable: error.lasting });
        }
      },
    };
    const worker = await temporal.worker('starts', activities);
    const { client } = temporal.env;
    await worker.runUntil(async () => {
      for (const [i, { input, names }] of INPUTS.entries()) {
        const options = { workflowId: `region/start-${i}`, taskQueue: 'starts', args: [input] };
        const handle = await client.workflow.start('regionLifecycle', options);
        const failure = await handle.result().then(
          () => null,
          (error: unknown) => (error instanceof WorkflowFailedError ? error.cause : error),
        );
        expect(failure).toBeInstanceOf(ApplicationFailure);
        const { message, type, nonRetryable } = failure as ApplicationFailure;
        expect({ i, type, nonRetryable }).toEqual({ i, type: 'invalid-region', nonRetryable: true });
        for (const word of names) expect(message).toContain(word);
        const [run] = await chainOf(client, handle.workflowId);
        expect(run?.taskFailures).toEqual([]);
      }
    });
  });
});
