import type { AuditRecord, NewAuditEntry } from './record.js';
import { EMPTY_HEAD, chainRecord } from './record.js';
import type { ChainReport, VerifyOptions } from './verify.js';
import { ChainVerifier } from './verify.js';

/** An entry as somebody might note it; tests change what they are about. */
export function entry(number: number, change: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return {
    key: `run-1/${number}`,
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, number)).toISOString(),
    kind: 'overridden',
    who: 'ada',
    why: `reason ${number}`,
    subject: 'shop.rateLimit.rps',
    from: number,
    to: { value: number + 1, until: null },
    planHash: 'p1',
    result: 'in force on every proxy',
    workflowId: 'region/eu',
    runId: 'run-1',
    ...change,
  };
}

export function chainOf(entries: readonly NewAuditEntry[], region = 'eu'): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const one of entries) records.push(chainRecord(region, records.at(-1) ?? EMPTY_HEAD, one));
  return records;
}

export function verifyRecords(records: readonly AuditRecord[], options: VerifyOptions = {}): ChainReport {
  const verifier = new ChainVerifier(options);
  for (const [i, record] of records.entries()) verifier.take(i + 1, record);
  return verifier.finish();
}
