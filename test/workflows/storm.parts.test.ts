import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowUpdateStage } from '@temporalio/client';
import { createRandom } from '../../core/forecast/random.js';
import { SETTING_FIELDS } from '../../core/spec/settings.js';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import { keyId } from '../../workflows/shared/keyId.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { MAX_STATE_BYTES } from '../../workflows/shared/bytes.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import { chainOf, keysOf } from './chain.js';
import type { TestTemporal } from './environment.js';
import { eventually, startTestTemporal } from './environment.js';
import { ScriptedRegion } from './scriptedActivities.js';

jest.setTimeout(240_000);

const SIGNALS = 1000;
const UPDATES = 300;
const FREEZES = 101;
const SERVICES = ['shop', 'cart', 'pay'];
/** What a run may hold. */
const MAX_EVENTS = 5000;

let temporal: TestTemporal;

beforeAll(async () => {
  // The server suggests a new run after so few events that the storm goes through several.
  temporal = await startTestTemporal(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=400']);
});

afterAll(async () => temporal.stop());

interface Message {
  name: MessageName;
  key: string;
  as: 'signal' | 'update';
  address?: string;
  value?: number;
}

/** Sends one message after another, and some signals a second time; does not wait for what updates are answered. */
class Sender {
  readonly sent: Message[] = [];
  readonly answers: Promise<MessageOutcome>[] = [];
  repeats = 0;
  /** Times that an update was asked for again because ten were under way, or because its run had ended. */
  refusals = 0;
  private readonly handle: WorkflowHandle;
  private readonly random: () => number;

  constructor(handle: WorkflowHandle, seed: number) {
    this.handle = handle;
    this.random = createRandom(seed);
  }

  async send(messages: readonly Message[]): Promise<void> {
    for (const message of messages) await this.sendOne(message);
  }

  private async sendOne(message: Message): Promise<void> {
    const { name, key, as, address } = message;
    // Numbered when it is sent, so that what comes later has the higher number.
    const value = this.sent.length + 1;
    this.sent.push({ ...message, value });
    const args: [unknown] = [{ key, who: 'ada', why: 'storm', ...(address === undefined ? {} : { address, value }) }];
    if (as === 'update') return this.update(name, key, args);
    const again = this.random() < 0.05;
    if (again) this.repeats += 1;
    for (let time = 0; time < (again ? 2 : 1); time += 1) await this.handle.signal(name, ...args);
  }

  private async update(name: string, updateId: string, args: [unknown]): Promise<void> {
    for (;;) {
      try {
        const options = { args, updateId, waitForStage: WorkflowUpdateStage.ACCEPTED } as const;
        const accepted = await this.handle.startUpdate<MessageOutcome, [unknown]>(name, options);
        this.answers.push(accepted.result());
        return;
      } catch (error) {
        if (!/limit|exhausted|aborted|unavailable/i.test(wordsOf(error))) throw error;
        this.refusals += 1;
        await new Promise((resolve) => setTimeout(resolve, 20 + this.random() * 40));
      }
    }
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${error.cause === undefined ? '' : wordsOf(error.cause)}`;
}

/** Overrides of one setting, updates among signals at places that the seed chooses. */
function overridesOf(address: string, sender: string, counts: Record<Message['as'], number>, seed: number): Message[] {
  const random = createRandom(seed);
  const kinds = [
    ...Array<Message['as']>(counts.signal).fill('signal'),
    ...Array<Message['as']>(counts.update).fill('update'),
  ];
  const order = kinds.map((as) => ({ as, at: random() })).sort((a, b) => a.at - b.at);
  return order.map(({ as }, i) => ({ name: 'override', key: `${sender}-${i}`, as, address }));
}

/** An odd number: the last one freezes. */
function freezes(count: number): Message[] {
  return Array.from({ length: count }, (_, i) => {
    return { name: i % 2 === 0 ? 'freeze' : 'resume', key: `freezer-${i}`, as: 'signal' };
  });
}

function scripted(): ScriptedRegion {
  const outside = new ScriptedRegion();
  outside.accepted = {
    services: SERVICES,
    settingRules: SETTING_FIELDS,
    tunables: {
      ...{ tickMs: 1000, judgeMs: 50, stackTimeoutMs: 60_000, deployTimeoutMs: 60_000, holdTimeoutMs: 30_000 },
      ...{ ticksPerReport: 100, maxOverrides: 8, maxKeys: 1500, keyLifetimeMs: 86_400_000 },
    },
  };
  return outside;
}

/** Values of one setting as they were written, one after another. */
function writtenOf(outside: ScriptedRegion, address: string): number[] {
  const values = outside.writes.map(({ overrides }) => {
    const found = overrides?.find((override) => override.startsWith(`${address}=`));
    return found === undefined ? 0 : Number(found.slice(address.length + 1));
  });
  return values.filter((value, i) => value !== (values[i - 1] ?? 0));
}

describe('a storm of 1,000 signals and 300 updates through several runs', () => {
  it('loses none, applies none twice and keeps the order of each address', async () => {
    const name = 'storm';
    const outside = scripted();
    const worker = await temporal.worker(name, outside.activities());
    const { client } = temporal.env;
    const region = client.workflow.getHandle(regionWorkflowId(name));
    const status = async (): Promise<RegionStatus> => region.query<RegionStatus>('status');
    await worker.runUntil(async () => {
      const options = { workflowId: region.workflowId, taskQueue: name, args: [name] };
      await client.workflow.start('regionLifecycle', options);
      await eventually('operating', async () => (await status()).tuner.state === 'running');

      const senders = SERVICES.flatMap((service) => [service, `${service}.burst`]).map((_, i) => new Sender(region, i));
      const addresses = SERVICES.flatMap((service) => [`${service}.rateLimit.rps`, `${service}.rateLimit.burst`]);
      const freezer = new Sender(region, 99);
      await Promise.all([
        freezer.send(freezes(FREEZES)),
        ...addresses.map(async (address, i) => {
          const share = (count: number): number => Math.floor((count + i) / addresses.length);
          const counts = { signal: share(SIGNALS - FREEZES), update: share(UPDATES) };
          await senders[i]?.send(overridesOf(address, String(i), counts, i));
        }),
      ]);
      const answers = await Promise.all(senders.flatMap((sender) => sender.answers));
      expect(answers.filter(({ accepted }) => !accepted)).toEqual([]);
      expect(answers).toHaveLength(UPDATES);

      // Behind everything; what the region knows of the keys is then handed on, where it can be read.
      const last = { key: 'last', who: 'ada', why: 'to look' };
      await region.executeUpdate('continue-as-new', { args: [last] });
      const runs = await eventually('everything handed on', async () => {
        const chain = await chainOf(client, region.workflowId);
        const newest = chain.at(-1);
        return newest !== undefined && Object.hasOwn(keysOf(newest), 'last') ? chain : null;
      });
      const newest = runs.at(-1);
      const keys = newest === undefined ? {} : keysOf(newest);
      const sent = [freezer, ...senders].flatMap((sender) => sender.sent);
      expect(sent.filter(({ as }) => as === 'signal')).toHaveLength(SIGNALS);
      for (const { key, name: kind } of sent) {
        const record = keys[keyId(key)];
        expect({ key, name: record?.name, done: (record?.outcome ?? null) !== null }).toEqual({
          key,
          name: kind,
          done: true,
        });
        if (kind === 'override') expect({ key, accepted: record?.outcome?.accepted }).toEqual({ key, accepted: true });
      }
      expect(Object.keys(keys)).toHaveLength(sent.length + 1);
      expect([freezer, ...senders].reduce((sum, { repeats }) => sum + repeats, 0)).toBeGreaterThan(10);

      const now = await status();
      expect(now.refused.total).toBe(0);
      expect(now.freeze).toMatchObject({ who: 'ada' });
      for (const [i, address] of addresses.entries()) {
        const written = writtenOf(outside, address);
        const value = senders[i]?.sent.length;
        expect(now.overrides.find((override) => override.address === address)).toMatchObject({ value });
        expect(written.at(-1)).toBe(value);
        expect(written).toEqual([...new Set(written)].sort((a, b) => a - b));
      }

      const adjustments = await chainOf(client, adjustmentWorkflowId(name));
      expect(runs.length).toBeGreaterThan(3);
      expect(adjustments.length).toBeGreaterThan(1);
      for (const run of [...runs, ...adjustments]) {
        expect(run.taskFailures).toEqual([]);
        expect(run.events).toBeLessThanOrEqual(MAX_EVENTS);
        expect(run.stateBytes).toBeLessThanOrEqual(MAX_STATE_BYTES);
      }
      await region.terminate();
      await client.workflow.getHandle(adjustmentWorkflowId(name)).terminate();
    });
  });
});
