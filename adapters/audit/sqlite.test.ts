import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Database from 'libsql';
import { entry } from '../../core/audit/fixtures.js';
import { auditLogContract, verifyLog } from './contract.js';
import { AuditUnavailableError } from './port.js';
import { createSqliteAuditLog } from './sqlite.js';

jest.setTimeout(60_000);

auditLogContract('SQLite', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'psmg-audit-'));
  return Promise.resolve({
    open: async () => Promise.resolve(createSqliteAuditLog(path.join(folder, 'new', 'audit.db'), { waitMs: 20_000 })),
    destroy: async () => Promise.resolve(rmSync(folder, { recursive: true })),
  });
});

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-audit-'));
  file = path.join(folder, 'audit.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the file', () => {
  it('refuses to be changed, shortened or written out of order', async () => {
    const log = createSqliteAuditLog(file);
    await log.append('eu', [entry(1), entry(2)]);
    const db = new Database(file);
    for (const statement of [
      `UPDATE records SET body = '{}'`,
      'DELETE FROM records',
      `INSERT OR REPLACE INTO records VALUES ('eu', 1, 'x', '{}')`,
      `INSERT INTO records VALUES ('eu', 4, 'x', '{}')`,
    ]) {
      expect(() => db.exec(statement)).toThrow('audit records are');
    }
    db.close();
    expect(await verifyLog(log, 'eu')).toMatchObject({ records: 2, breakCount: 0 });
    await log.close();
  });

  it('shows what somebody did who took the triggers away', async () => {
    const log = createSqliteAuditLog(file);
    await log.append(
      'eu',
      [1, 2, 3, 4, 5, 6].map((number) => entry(number)),
    );
    const db = new Database(file);
    db.exec('DROP TRIGGER records_stay; DROP TRIGGER records_last;');
    db.exec(`UPDATE records SET body = replace(body, '"ada"', '"eve"') WHERE seq = 2`);
    db.exec(`UPDATE records SET body = 'no JSON' WHERE seq = 3`.replace('no JSON', '{}'));
    db.exec('DELETE FROM records WHERE seq = 5');
    db.close();
    const { breaks } = await verifyLog(log, 'eu');
    expect(breaks.map(({ kind, place }) => [kind, place])).toEqual([
      ['changed', 2],
      ['unreadable', 3],
      ['missing', 6],
    ]);
    await log.close();
  });

  it('is refused when a newer program wrote it', async () => {
    await createSqliteAuditLog(file).close();
    const db = new Database(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => createSqliteAuditLog(file)).toThrow('has schema 99');
    expect(() => createSqliteAuditLog(file, { readOnly: true })).toThrow('has schema 99');
  });

  it('is not made by somebody who only reads, and takes nothing from them', async () => {
    expect(() => createSqliteAuditLog(file, { readOnly: true })).toThrow('there is no audit');
    const log = createSqliteAuditLog(file);
    await log.append('eu', [entry(1)]);
    const reader = createSqliteAuditLog(file, { readOnly: true });
    await expect(reader.append('eu', [entry(2)])).rejects.toThrow(AuditUnavailableError);
    await log.append('eu', [entry(2)]);
    expect((await reader.head('eu'))?.seq).toBe(2);
    await Promise.all([reader.close(), log.close()]);
  });

  it('gives up on a lock that stays, and takes the same entries afterwards', async () => {
    const log = createSqliteAuditLog(file, { waitMs: 50 });
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    await expect(log.append('eu', [entry(1)])).rejects.toThrow(AuditUnavailableError);
    other.exec('ROLLBACK');
    other.close();
    expect((await log.append('eu', [entry(1)])).head.seq).toBe(1);
    await log.close();
  });
});

describe('several processes', () => {
  const program = fileURLToPath(new URL('appender.fixture.ts', import.meta.url));
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  function append(name: string, batches: number): { child: ChildProcess; confirmed: () => number } {
    const args = ['--import', 'tsx', program, file, name, String(batches)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    running.push(child);
    let told = '';
    child.stdout?.on('data', (text: Buffer) => (told += text.toString('utf8')));
    return { child, confirmed: () => told.split('\n').length - 1 };
  }

  it('append at once without a gap, and without losing a record', async () => {
    createSqliteAuditLog(file);
    const appenders = ['one', 'two', 'three'].map((name) => append(name, 15));
    const codes = await Promise.all(appenders.map(({ child }) => once(child, 'close')));
    expect(codes.map(([code]) => code as number)).toEqual([0, 0, 0]);
    const log = createSqliteAuditLog(file);
    expect(await verifyLog(log, 'eu')).toMatchObject({ records: 135, head: { seq: 135 }, breakCount: 0 });
    await log.close();
  });

  it('may be killed while they append: what was confirmed is there, whole batches only, and it goes on', async () => {
    const log = createSqliteAuditLog(file);
    const killed = append('killed', 100_000);
    while (killed.confirmed() < 10) await new Promise((resolve) => setTimeout(resolve, 5));
    killed.child.kill('SIGKILL');
    await once(killed.child, 'close');
    const { records, breakCount } = await verifyLog(log, 'eu');
    expect(breakCount).toBe(0);
    expect(records % 3).toBe(0);
    expect(records).toBeGreaterThanOrEqual(killed.confirmed() * 3);
    // The same process begins anew: what is there already is not there twice.
    const again = append('killed', records / 3 + 2);
    await once(again.child, 'close');
    expect(await verifyLog(log, 'eu')).toMatchObject({ records: records + 6, breakCount: 0 });
    await log.close();
  });
});
