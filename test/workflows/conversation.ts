import type { WorkflowHandle } from '@temporalio/client';
import type { MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import { eventually } from './environment.js';

/** What a person and a workflow say to each other. A handle by id alone follows the workflow into new runs. */
export interface Conversation<S, N extends string = string> {
  status(): Promise<S>;
  /** Asks until `check` holds of the status. */
  until(what: string, check: (status: S) => boolean): Promise<S>;
  /** Sends a message under a key of its own. */
  update(name: N, fields?: Record<string, unknown>): Promise<MessageOutcome>;
}

export function conversation<S, N extends string = string>(handle: WorkflowHandle, who = 'ada'): Conversation<S, N> {
  const status = (): Promise<S> => handle.query<S>('status');
  let key = 0;
  return {
    status,
    until: (what, check) =>
      eventually(what, async () => {
        const now = await status();
        return check(now) ? now : null;
      }),
    update: (name, fields = {}) => {
      key += 1;
      const args: [unknown] = [{ key: `k${key}`, who, why: 'test', ...fields }];
      return handle.executeUpdate<MessageOutcome, [unknown]>(name, { args });
    },
  };
}
