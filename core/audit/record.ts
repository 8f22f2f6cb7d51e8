import { canonicalJson, sha256 } from '../spec/hash.js';

/** What a record tells of. Closed list; `docs/audit.md` has a row for each. */
export const AUDIT_KINDS = [
  // Acts, as whoever carried them out saw them.
  'started',
  'forecast',
  'planned',
  'applied',
  'restored',
  'entry-moved',
  'targets-exported',
  'judged',
  'failed',
  // What people asked for, and what came of it.
  'overridden',
  'override-cleared',
  'frozen',
  'resumed',
  'rolled-back',
  'replan-asked',
  'retried',
  'skipped',
  'aborted',
  'approved',
  'rejected',
  'drained',
  'released',
  'retired',
  'autonomy-set',
  'taken-over',
  'handed-back',
  'continued',
  'repaired',
  'refused',
  // What the program decided by itself.
  'phase',
  'deployed',
  'override-expired',
  'replanned',
  'blocked',
  'adjusted',
  'suggested',
  'kept',
  'reverted',
  'dropped',
  'window',
  'capacity',
  'stopped',
  'approval-asked',
  'approval-expired',
  'permit',
  'calendar',
  'compensated',
  // Entries that could not be kept until the store came back.
  'gap',
] as const;

export type AuditKind = (typeof AUDIT_KINDS)[number];

/** Whoever acts when no person does. */
export const PROGRAM = 'psmg';

/** Plain JSON: text, a number, a list, an object. `null` where there is nothing to say. */
export type AuditValue =
  string | number | boolean | null | readonly AuditValue[] | { readonly [field: string]: AuditValue };

/** One thing to record, before it has a place in the chain. */
export interface NewAuditEntry {
  /** Idempotency key: an entry of a key that is recorded already is not recorded again. */
  key: string;
  /** When it happened. ISO 8601, UTC. */
  at: string;
  kind: AuditKind;
  /** `psmg` for the program, otherwise the person of the message. */
  who: string;
  why: string;
  /** What it is about: a setting's address, a stage, a window, a message, a deployment. */
  subject: string;
  from: AuditValue;
  to: AuditValue;
  planHash: string | null;
  result: AuditValue;
  workflowId: string;
  runId: string;
}

/** One link of a region's chain. */
export interface AuditRecord extends NewAuditEntry {
  version: typeof RECORD_VERSION;
  region: string;
  /** From 1, without gaps, in each region. */
  seq: number;
  /** Hash of the record before it; 64 zeros for the first. */
  previous: string;
  /** SHA-256, lower-case hex, over the canonical JSON of everything else. */
  hash: string;
}

/** Raised when what is hashed changes, so that old records go on verifying by the rule that they were made by. */
export const RECORD_VERSION = 1;

/** End of a chain: what makes a tail that was cut off visible to whoever kept it. */
export interface AuditHead {
  seq: number;
  hash: string;
}

export const EMPTY_HEAD: AuditHead = { seq: 0, hash: '0'.repeat(64) };

/** Fields of a record besides `hash`, in the order of canonical JSON. */
const HASHED_FIELDS = [
  'at',
  'from',
  'key',
  'kind',
  'planHash',
  'previous',
  'region',
  'result',
  'runId',
  'seq',
  'subject',
  'to',
  'version',
  'who',
  'why',
  'workflowId',
] as const satisfies readonly (keyof AuditRecord)[];

const PREFIXES = HASHED_FIELDS.map((field, i) => `${i === 0 ? '{' : ','}${JSON.stringify(field)}:`);

/**
 * What is hashed of a record: `canonicalJson` of all its fields but `hash`, written out field by field, because that
 * is what a million records are verified by. Throws a TypeError for what JSON cannot carry.
 */
export function recordBody(record: Omit<AuditRecord, 'hash'>): string {
  let body = '';
  for (const [i, field] of HASHED_FIELDS.entries()) {
    const value = record[field];
    body += `${PREFIXES[i]}${typeof value === 'string' ? JSON.stringify(value) : canonicalJson(value)}`;
  }
  return `${body}}`;
}

export function recordHash(record: Omit<AuditRecord, 'hash'>): string {
  return sha256(recordBody(record));
}

/** Gives an entry its place at the end of a chain. */
export function chainRecord(region: string, head: AuditHead, entry: NewAuditEntry): AuditRecord {
  const { key, at, kind, who, why, subject, from, to, planHash, result, workflowId, runId } = entry;
  const place = { version: RECORD_VERSION, region, seq: head.seq + 1, previous: head.hash } as const;
  const record = { ...place, key, at, kind, who, why, subject, from, to, planHash, result, workflowId, runId };
  return { ...record, hash: recordHash(record) };
}

/** Whether a record says the same as an entry; its place in the chain aside. */
export function saysTheSame(record: AuditRecord, entry: NewAuditEntry): boolean {
  const { region, seq, previous } = record;
  return recordHash({ version: RECORD_VERSION, region, seq, previous, ...entry }) === record.hash;
}
