import type { NotificationKind } from '../../core/spec/region.js';
import type { LifecycleState } from './state.js';

/** What is to be told and was not yet, oldest first. */
export interface OutboxState {
  /** Events told or to be told by all runs of the workflow. */
  noted: number;
  pending: { id: string; kind: NotificationKind; at: string; title: string; detail: string; delivered: number[] }[];
  /** Why the last try told nobody; `null`: it did. */
  problem: string | null;
}

/** Tells people by webhook when they are needed, beside everything else; nobody waits for it. */
export class Notifier {
  readonly state: LifecycleState;

  constructor(state: LifecycleState) {
    this.state = state;
  }

  note(_kind: NotificationKind, _title: string, _detail: string): void {
    return;
  }

  /** Before a new run: what is being told now is told, or stays pending. */
  async settle(): Promise<void> {
    return Promise.resolve();
  }

  /** Before the end of the workflow. */
  async drain(): Promise<void> {
    return Promise.resolve();
  }
}
