import type { AuditHead, AuditRecord, NewAuditEntry } from '../../core/audit/record.js';

/**
 * The record of what was decided and done, a hash chain a region, kept for good: there is no way to change or delete.
 * Several processes may append at once.
 */
export interface AuditLog {
  /**
   * Appends entries in their order, all or none, durably when it resolves. Of a key that is recorded already the
   * stored record stays. Rejects with `AuditUnavailableError` when the store cannot take them now; trying again is
   * always safe.
   */
  append(region: string, entries: readonly NewAuditEntry[]): Promise<AppendOutcome>;
  /** Records from `fromSeq` on (absent: the first), in order, at most `limit` (absent: 1,000). */
  read(region: string, fromSeq?: number, limit?: number): Promise<readonly AuditRead[]>;
  /** `null`: nothing is recorded of the region. */
  head(region: string): Promise<AuditHead | null>;
  /** Every region that has records, in order of name. */
  regions(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface AppendOutcome {
  /** End of the chain after it. */
  head: AuditHead;
  /** How many were not recorded before. */
  appended: number;
  /** Keys under which something else is recorded already; that stays, and is what counts. */
  conflicts: readonly string[];
}

/**
 * What stands at one place: a record, or what is wrong with what is there instead. `place` is the number under which
 * the store keeps it, or the line of a file, from 1.
 */
export type AuditRead = { ok: true; place: number; record: AuditRecord } | { ok: false; place: number; detail: string };

/** The store cannot take entries now: locked, full or out of reach. */
export class AuditUnavailableError extends Error {
  override readonly name = 'AuditUnavailableError';
}
