import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { regionWorkflowId } from '../../workflows/shared/names.js';
import { eventually } from './environment.js';

/** Somebody who looks after a region in the server's time, which stands still while nobody sleeps. */
export class LongLivedPerson {
  readonly region: WorkflowHandle;
  private keys = 0;

  constructor(
    private readonly env: TestWorkflowEnvironment,
    name: string,
  ) {
    this.region = env.client.workflow.getHandle(regionWorkflowId(name));
  }

  status(): Promise<RegionStatus> {
    return this.region.query<RegionStatus>('status');
  }

  until(what: string, check: (status: RegionStatus) => boolean): Promise<RegionStatus> {
    return eventually(what, async () => {
      const now = await this.status();
      return check(now) ? now : null;
    });
  }

  async sleepUntil(timeMs: number): Promise<void> {
    const leftMs = timeMs - (await this.env.currentTimeMs());
    if (leftMs > 0) await this.env.sleep(leftMs);
  }

  /** Sends an update and insists that it is carried out. */
  async update(name: MessageName, fields: Record<string, unknown> = {}): Promise<void> {
    this.keys += 1;
    const args: [unknown] = [{ key: `life-${this.keys}`, who: 'ada', why: 'test', ...fields }];
    const outcome = await this.region.executeUpdate<MessageOutcome, [unknown]>(name, { args });
    if (!outcome.accepted) throw new Error(`${name}: ${outcome.detail}`);
  }
}
