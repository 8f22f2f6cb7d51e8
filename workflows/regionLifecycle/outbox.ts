import type { Trust } from '../../core/spec/forecast.js';
import type { NotificationKind } from '../../core/spec/region.js';

/** One event that somebody is to be told of. */
export interface PendingNotification {
  id: string;
  kind: NotificationKind;
  at: string;
  title: string;
  detail: string;
  planHash: string | null;
  /** Webhooks, by their index in the region file, that took it or never will. */
  delivered: number[];
  /** Failed ones so far. */
  tries: number;
  /** When it is tried next. */
  dueMs: number;
}

/** What is to be told and was not yet, oldest first, and what was seen before, so that nothing is told twice. */
export interface OutboxState {
  /** Events told or to be told by all runs of the workflow. */
  noted: number;
  pending: PendingNotification[];
  /** That nobody was told of: there was no room, or a webhook would not take them, or not within a day. */
  lost: number;
  /** Why the last try did not tell everybody; `null`: it did. */
  problem: string | null;
  /** The block that people know of and that is not over. */
  block: { title: string; detail: string; atMs: number } | null;
  seen: { reverted: number; proposals: readonly string[]; trust: Trust | null };
}

/** What `status` says of it. */
export interface NotificationStatus {
  noted: number;
  pending: number;
  lost: number;
  problem: string | null;
}

const MAX_PENDING = 50;
/** Of all that waits together: the state that continue-as-new hands on has to stay small. */
const MAX_PENDING_CHARACTERS = 12_000;
export const MAX_TITLE = 300;
export const MAX_DETAIL = 1000;
const SAME_BLOCK_MS = 10 * 60_000;

export function emptyOutbox(): OutboxState {
  return {
    ...{ noted: 0, pending: [], lost: 0, problem: null, block: null },
    seen: { reverted: 0, proposals: [], trust: null },
  };
}

export function notificationStatus({ outbox }: { outbox?: OutboxState }): NotificationStatus | null {
  if (outbox === undefined) return null;
  return { noted: outbox.noted, pending: outbox.pending.length, lost: outbox.lost, problem: outbox.problem };
}

export function notificationLines({ outbox }: { outbox?: OutboxState }): string[] {
  if (outbox === undefined || (outbox.problem === null && outbox.lost === 0)) return [];
  const { pending, lost, problem } = outbox;
  return [`- notifications: ${pending.length} wait, ${lost} lost${problem === null ? '' : `: ${problem}`}`];
}

/** Takes a block in, and says whether people have to be told of it. */
export function isNews(outbox: OutboxState, title: string, detail: string, atMs: number): boolean {
  const { block } = outbox;
  const told = detail.slice(0, MAX_DETAIL);
  const same = block !== null && block.title === title && block.detail === told;
  if (same && atMs - block.atMs < SAME_BLOCK_MS) return false;
  outbox.block = { title, detail: told, atMs };
  return true;
}

/** Makes room first, at the cost of the oldest of its kind, else of the oldest. */
export function add(outbox: OutboxState, note: PendingNotification): void {
  while (!hasRoom(outbox, note)) {
    const same = outbox.pending.findIndex((one) => one.kind === note.kind);
    outbox.pending.splice(Math.max(0, same), 1);
    outbox.lost += 1;
  }
  outbox.pending.push(note);
}

function hasRoom({ pending }: OutboxState, note: PendingNotification): boolean {
  if (pending.length === 0) return true;
  return pending.length < MAX_PENDING && JSON.stringify([...pending, note]).length <= MAX_PENDING_CHARACTERS;
}
