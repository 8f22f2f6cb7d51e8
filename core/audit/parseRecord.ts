import type { AuditRecord } from './record.js';
import { RECORD_VERSION } from './record.js';

const TEXTS = [
  'region',
  'key',
  'at',
  'kind',
  'who',
  'why',
  'subject',
  'workflowId',
  'runId',
  'previous',
  'hash',
] as const;
const VALUES = ['from', 'to', 'result'] as const;
const FIELDS: ReadonlySet<string> = new Set([...TEXTS, ...VALUES, 'seq', 'version', 'planHash']);

/**
 * One line of an export as a record, or what is wrong with it. A kind that this program does not know is no fault: a
 * newer one may have written it. A field that no record has is: it would be outside of the hash.
 */
export function parseRecord(line: string): AuditRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'is not JSON';
  }
  return checkRecord(value);
}

export function checkRecord(value: unknown): AuditRecord | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not a JSON object';
  const fields = value as Record<string, unknown>;
  for (const field of TEXTS) {
    if (typeof fields[field] !== 'string') return `has no text "${field}"`;
  }
  for (const field of VALUES) {
    if (fields[field] === undefined) return `has no "${field}"`;
  }
  if (!Number.isSafeInteger(fields['seq']) || (fields['seq'] as number) < 1) return 'has no sequence number "seq"';
  const { version, planHash } = fields;
  if (version !== RECORD_VERSION) {
    return `has version ${JSON.stringify(version)}; this program knows ${RECORD_VERSION}`;
  }
  if (planHash !== null && typeof planHash !== 'string') return 'has no "planHash" (text or null)';
  for (const field of Object.keys(fields)) {
    if (!FIELDS.has(field)) return `has a field "${field.slice(0, 100)}" that no record has`;
  }
  return value as AuditRecord;
}
