import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSqliteAuditLog } from '../../adapters/audit/sqlite.js';
import { chainOf, entry } from '../../core/audit/fixtures.js';
import type { AuditRecord } from '../../core/audit/record.js';
import { chainRecord } from '../../core/audit/record.js';
import type { ChainReport } from '../../core/audit/verify.js';
import { psmg } from './psmg.js';

const entries = Array.from({ length: 6 }, (_, i) => entry(i + 1));
const whole = chainOf(entries);
const [first, second, third, fourth, fifth, sixth] = whole as [
  ...[AuditRecord, AuditRecord, AuditRecord, AuditRecord, AuditRecord, AuditRecord],
];
const HEAD = `6:${sixth.hash}`;
const inserted = chainRecord('eu', { seq: third.seq, hash: third.hash }, entry(99));

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-audit-cli-'));
  const log = createSqliteAuditLog(path.join(folder, 'audit.db'));
  await log.append('eu', entries);
  await log.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function verified(
  records: readonly AuditRecord[],
  ...args: string[]
): Promise<{ code: number | null; ok: boolean; report: ChainReport | undefined }> {
  const file = path.join(folder, 'export.jsonl');
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const { code, stdout } = await psmg('audit', 'verify', file, '--format', 'json', ...args);
  const { ok, regions } = JSON.parse(stdout) as { ok: boolean; regions: ChainReport[] };
  return { code, ok, report: regions[0] };
}

describe('psmg audit verify', () => {
  it('ends with 0 for a whole chain: in the state folder, exported, and in part', async () => {
    const stored = await psmg('audit', 'verify', '--state', folder, '--region', 'eu', '--head', HEAD);
    expect(stored).toMatchObject({ code: 0, stdout: `eu: 6 records, whole · ends at ${HEAD}\n` });
    const exported = await psmg('audit', 'export', '--state', folder, '--region', 'eu', '--from', '3');
    const lines = exported.stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(whole.slice(2));
    const after = `2:${second.hash}`;
    expect(exported.stderr).toContain(`--head ${HEAD} --after ${after}`);
    const part = await verified(whole.slice(2), '--head', HEAD, '--after', after);
    expect(part).toMatchObject({ code: 0, ok: true, report: { records: 4, breakCount: 0 } });
  }, 30_000);

  it.each([
    ['changed', [first, second, { ...third, who: 'eve' }, fourth, fifth, sixth], 3],
    ['missing', [first, second, fourth, fifth, sixth], 3],
    ['reordered', [first, third, second, fourth, fifth, sixth], 2],
    ['inserted', [first, second, third, inserted, fourth, fifth, sixth], 4],
    ['cut-tail', [first, second, third, fourth, fifth], 6],
  ] as const)('ends with 1 and names what is %s', async (kind, records, seq) => {
    const { code, ok, report } = await verified(records, '--head', HEAD);
    expect({ code, ok }).toEqual({ code: 1, ok: false });
    expect(report?.breaks).toContainEqual(expect.objectContaining({ kind, seq }));
  });

  it('ends with 1 where there is nothing, and with 2 where the question is none', async () => {
    expect(await verified([])).toMatchObject({ code: 1, ok: false });
    const bad = await psmg('audit', 'verify', '--state', folder, '--head', '6', '--ask', '--format', 'json');
    expect(bad.code).toBe(2);
    const { problems } = JSON.parse(bad.stdout) as { problems: { field: string }[] };
    expect(problems.map(({ field }) => field)).toEqual(['--head', '--ask']);
  }, 15_000);
});
