import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import { FAILED_STAGE, isAborted } from './outside.js';

/** What a life came to, without ids, epochs and times. */
export interface End {
  phase: string;
  completed: readonly string[];
  plan: string | null;
  runs: string | null;
  overrides: readonly string[];
  adjustments: readonly string[];
  deployments: readonly string[];
  entryMoved: boolean;
  freeze: boolean;
  rolledBackTo: string | null;
  tuner: string;
}

export interface Lived {
  end: End;
  /** Keys of all messages that were sent, each once. */
  keys: readonly string[];
  /** Decisions that a person had to take because an activity was lost too often. */
  retries: number;
}

type As = 'update' | 'signal';

const GIVE_UP_MS = 600_000;
const ASK_MS = 5000;

/** One region from its launch to its end, as people would lead it; whatever fails on the way is asked for again. */
export class Life {
  readonly name: string;
  private readonly client: Client;
  private readonly expiresMs: number;
  private readonly keys: string[] = [];
  private retries = 0;

  /** `expiresMs`: how long one override is in force; time enough for a worker to take it. */
  constructor(client: Client, name: string, expiresMs: number) {
    this.client = client;
    this.name = name;
    this.expiresMs = expiresMs;
  }

  async live(): Promise<Lived> {
    await this.launch();
    const end = isAborted(this.name) ? await this.toTheAbort() : await this.toTheEnd();
    return { end, keys: this.keys, retries: this.retries };
  }

  private async toTheAbort(): Promise<End> {
    await this.until('the failed stage', ({ blocked }) => blocked?.detail === FAILED_STAGE);
    await this.send('override', { address: 'shop.rateLimit.rps', value: 41 });
    const status = await this.status();
    const key = this.newKey('abort');
    await this.insist(() => this.region().signal('abort', { key, who: key, why: 'script' }));
    await this.insist(async () => this.region().result());
    return endOf({ ...status, phase: 'aborted' }, null);
  }

  private async toTheEnd(): Promise<End> {
    await this.until('operating', ({ tuner, phase }) => phase === 'operating' && tuner.state === 'running');
    await this.adjusted();
    await this.send('override', { address: 'shop.rateLimit.rps', value: 41 });
    await this.sendExpiring();
    await this.until('the expiry', ({ overrides }) => overrides.length === 1);
    await this.replan();
    await this.adjusted();
    await this.send('freeze', {}, 'signal');
    await this.until('the freeze', ({ freeze }) => freeze !== null);
    await this.send('override', { address: 'shop.rateLimit.rps', value: 43 });
    await this.send('resume', {}, 'signal');
    await this.until('the thaw', ({ freeze }) => freeze === null);
    await this.send('rollback', { to: '0' });
    await this.until('the rollback', ({ rolledBackTo }) => rolledBackTo === '0');
    await this.send('resume');
    await this.until('the return', ({ rolledBackTo, tuner, entryMoved }) => {
      return rolledBackTo === null && entryMoved && tuner.state === 'running';
    });
    const adjustment = await this.adjusted();
    await this.send('override', { address: 'shop.rateLimit.rps', value: 44 });
    // What is noted and not recorded yet would end with the workflow, which nobody ends in its stead.
    const status = await this.until('the end', ({ overrides, blocked, audit }) => {
      return blocked === null && audit?.pending === 0 && overrides.some(({ value }) => value === 44);
    });
    await this.insist(async () => {
      await this.region().terminate('the script ends');
      await this.client.workflow.getHandle(adjustmentWorkflowId(this.name)).terminate('the script ends');
    });
    return endOf(status, adjustment);
  }

  /** One that expires before a worker takes it is refused, as it must be: whoever sent it sends another. */
  private async sendExpiring(): Promise<void> {
    for (;;) {
      const until = new Date(Date.now() + this.expiresMs).toISOString();
      const asked = { address: 'cart.rateLimit.burst', value: 7, until };
      const { accepted, detail } = await this.ask('override', asked, 'update');
      if (accepted) return;
      if (!detail.includes('has passed')) throw new Error(`${this.name}: override was refused: ${detail}`);
    }
  }

  private async launch(): Promise<void> {
    await this.insist(async () => {
      const options = { workflowId: regionWorkflowId(this.name), taskQueue: 'kills', args: [this.name] };
      try {
        await this.client.workflow.start('regionLifecycle', options);
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    });
  }

  private async replan(): Promise<void> {
    for (;;) {
      await this.send('replan');
      const { replan } = await this.until('the new plan', ({ replan: made }) => {
        return made !== undefined && made.state !== 'running';
      });
      if (replan?.state === 'done') return;
      this.retries += 1;
    }
  }

  /** The adjustment has made its change and kept it, under the epoch that the region gave it. */
  private async adjusted(): Promise<AdjustmentStatus> {
    return this.insist(async () => {
      const handle = this.client.workflow.getHandle(adjustmentWorkflowId(this.name));
      const [region, now] = [
        await this.status(),
        await this.within(async () => handle.query<AdjustmentStatus>('status')),
      ];
      const settled = now.adjustments.length === 1 && now.inFlight === null && !now.held && now.problem === null;
      if (!settled || now.epoch !== region.epoch) throw new Error('not adjusted yet');
      return now;
    });
  }

  /** A refusal of what the script says is an error, unless it says that the work was lost: then a person asks again. */
  private async send(name: MessageName, fields: Record<string, unknown> = {}, as: As = 'update'): Promise<void> {
    for (;;) {
      const { accepted, detail } = await this.ask(name, fields, as);
      if (accepted) return;
      if (!/timeout/i.test(detail)) throw new Error(`${this.name}: ${name} was refused: ${detail}`);
      this.retries += 1;
      await this.until('the region, as it was', ({ blocked }) => blocked === null);
    }
  }

  /** The same message under the same key until it is answered. */
  private async ask(name: MessageName, fields: Record<string, unknown>, as: As): Promise<MessageOutcome> {
    const key = this.newKey(name);
    const message = { key, who: key, why: 'script', ...fields };
    return this.insist<MessageOutcome>(async () => {
      if (as === 'signal') {
        await this.within(async () => this.region().signal(name, message));
        return { accepted: true, detail: '' };
      }
      const asked = { args: [message] as [unknown], updateId: key };
      return this.within(async () => this.region().executeUpdate<MessageOutcome, [unknown]>(name, asked));
    });
  }

  private async until(what: string, check: (status: RegionStatus) => boolean): Promise<RegionStatus> {
    return this.insist(async () => {
      const status = await this.status();
      if (check(status)) return status;
      if (status.blocked !== null) await this.mend();
      throw new Error(`not yet: ${what} (${status.phase}: ${status.blocked?.detail ?? ''})`);
    });
  }

  /** An activity that lost its worker four times leaves the region blocked, for a person. */
  private async mend(): Promise<void> {
    this.retries += 1;
    const key = this.newKey('retry');
    const message = { key, who: key, why: 'script' };
    await this.within(async () => this.region().executeUpdate('retry', { args: [message], updateId: key }));
  }

  private newKey(name: string): string {
    const key = `${this.name}-${this.keys.length}-${name}`;
    this.keys.push(key);
    return key;
  }

  private region(): ReturnType<Client['workflow']['getHandle']> {
    return this.client.workflow.getHandle(regionWorkflowId(this.name));
  }

  private async status(): Promise<RegionStatus> {
    return this.within(async () => this.region().query<RegionStatus>('status'));
  }

  /** Given up at the deadline and not left behind: a call that is repeated after its connection closed ends the process. */
  private async within<T>(work: () => Promise<T>): Promise<T> {
    return this.client.withDeadline(Date.now() + ASK_MS, work);
  }

  private async insist<T>(work: () => Promise<T>): Promise<T> {
    const endMs = Date.now() + GIVE_UP_MS;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof WorkflowUpdateFailedError) throw error;
        if (Date.now() > endMs) throw new Error(`${this.name}: given up`, { cause: error });
        await sleep(150);
      }
    }
  }
}

function endOf(status: RegionStatus, adjustment: AdjustmentStatus | null): End {
  const kinds = status.deployments.map(({ kind, localPercent }) => `${kind} ${localPercent}`);
  return {
    phase: status.phase,
    completed: status.completed,
    plan: status.planHash,
    runs: status.currentHash,
    overrides: status.overrides.map(({ address, value }) => `${address}=${value}`),
    adjustments: (adjustment?.adjustments ?? []).map(({ address, to }) => `${address}~${to}`),
    // A step that was tried again is recorded again; what it wrote is in the effects.
    deployments: kinds.filter((kind, i) => kind !== kinds[i - 1]),
    entryMoved: status.entryMoved,
    freeze: status.freeze !== null,
    rolledBackTo: status.rolledBackTo,
    tuner: status.tuner.state,
  };
}
