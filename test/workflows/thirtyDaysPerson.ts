import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { regionWorkflowId } from '../../workflows/shared/names.js';

const LOOK_MS = 600_000;
const MOST_LOOKS = 288;

/** Somebody who looks after a region in the server's time, which stands still while nobody sleeps. */
export class LongLivedPerson {
  readonly region: WorkflowHandle;
  private readonly env: TestWorkflowEnvironment;
  private keys = 0;

  constructor(env: TestWorkflowEnvironment, name: string) {
    this.env = env;
    this.region = env.client.workflow.getHandle(regionWorkflowId(name));
  }

  status(): Promise<RegionStatus> {
    return this.region.query<RegionStatus>('status');
  }

  async sleepUntil(timeMs: number): Promise<void> {
    const leftMs = timeMs - (await this.env.currentTimeMs());
    if (leftMs > 0) await this.env.sleep(leftMs);
  }

  /** Looks every ten minutes. */
  async sleepUntilSo(what: string, check: (status: RegionStatus) => boolean): Promise<RegionStatus> {
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const status = await this.status();
      if (check(status)) return status;
      await this.env.sleep(LOOK_MS);
    }
    throw new Error(`not within two days: ${what}: ${JSON.stringify(await this.status())}`);
  }

  /** Sends an update and insists that it is carried out. */
  async update(name: MessageName, fields: Record<string, unknown> = {}): Promise<void> {
    this.keys += 1;
    const args: [unknown] = [{ key: `life-${this.keys}`, who: 'ada', why: 'test', ...fields }];
    const outcome = await this.region.executeUpdate<MessageOutcome, [unknown]>(name, { args });
    if (!outcome.accepted) throw new Error(`${name}: ${outcome.detail}`);
  }
}
