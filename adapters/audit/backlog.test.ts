import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'libsql';
import { entry } from '../../core/audit/fixtures.js';
import type { AuditBacklog } from './backlog.js';
import { createAuditBacklog } from './backlog.js';
import { verifyLog } from './contract.js';
import type { AuditLog } from './port.js';
import { createSqliteAuditLog } from './sqlite.js';
import { recordsOfFile } from './stream.js';

let folder: string;
let log: AuditLog;
let backlog: AuditBacklog;
let other: Database.Database;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-audit-'));
  const file = path.join(folder, 'audit.db');
  log = createSqliteAuditLog(file, { waitMs: 10 });
  backlog = createAuditBacklog(log, { maxEntries: 3, retryMs: 20 });
  other = new Database(file);
});

afterEach(async () => {
  other.close();
  await backlog.close();
  await log.close();
  rmSync(folder, { recursive: true });
});

describe('the backlog', () => {
  it('appends at once while the audit takes it', async () => {
    await backlog.append('eu', entry(1));
    expect(await log.head('eu')).toMatchObject({ seq: 1 });
    expect(backlog.state()).toEqual({ pending: 0, dropped: 0, problem: null });
  });

  it('keeps entries in order while it does not, and says so', async () => {
    other.exec('BEGIN IMMEDIATE');
    for (const number of [1, 2, 3, 4]) await backlog.append('eu', entry(number));
    expect(backlog.state()).toMatchObject({ pending: 3, dropped: 1, problem: expect.stringMatching(/locked/) });
    other.exec('ROLLBACK');
    while (backlog.state().pending > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const keys = (await log.read('eu')).map((read) => read.ok && read.record.key);
    expect(keys).toEqual([1, 2, 3].map((number) => entry(number).key));
    expect(backlog.state()).toEqual({ pending: 0, dropped: 1, problem: null });
    expect(await verifyLog(log, 'eu')).toMatchObject({ breakCount: 0 });
  });

  it('lets the first record of an act stand that was done again', async () => {
    await backlog.append('eu', entry(1));
    await backlog.append('eu', entry(1, { result: 'already' }));
    expect(await log.read('eu')).toMatchObject([{ record: entry(1) }]);
    expect(backlog.state().problem).toBeNull();
  });
});

describe('the lines of a file', () => {
  it('are read across chunks, and what is no record keeps its place', async () => {
    await log.append('eu', [entry(1), entry(2, { why: 'ö'.repeat(2_000_000) })]);
    const records = (await log.read('eu')).flatMap((read) => (read.ok ? [read.record] : []));
    const file = path.join(folder, 'export.jsonl');
    const [first, second] = records.map((record) => JSON.stringify(record));
    writeFileSync(file, `${first}\n\nno JSON\n${second}`);
    const found = [];
    for await (const page of recordsOfFile(file)) found.push(...page);
    expect(found).toEqual([
      { ok: true, place: 1, record: records[0] },
      { ok: false, place: 3, detail: 'is not JSON' },
      { ok: true, place: 4, record: records[1] },
    ]);
  });
});
