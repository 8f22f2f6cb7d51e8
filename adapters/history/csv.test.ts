import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createCsvHistory } from './csv.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'psmg-history-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(text: string): ReturnType<ReturnType<typeof createCsvHistory>['read']> {
  await writeFile(path.join(folder, 'history.csv'), text);
  return createCsvHistory(folder).read({ kind: 'csv', file: 'history.csv', stepSeconds: 3600 });
}

describe('a demand history from CSV', () => {
  it('reads rows with zones, quotes, a byte order mark and CRLF, columns in any order', async () => {
    const text =
      '\uFEFFservice,rps,timestamp\r\n"shop","1.5",2026-01-05T01:00:00+01:00\r\n\r\nshop,2e1,2026-01-05T01:00:00Z\r\n';
    expect(await read(text)).toEqual({
      rows: [
        { at: Date.UTC(2026, 0, 5), service: 'shop', rps: 1.5 },
        { at: Date.UTC(2026, 0, 5, 1), service: 'shop', rps: 20 },
      ],
      problems: [],
    });
  });

  it('tells every bad row with its line, and still gives the good ones', async () => {
    const text = [
      'timestamp,service,rps',
      '2026-01-05T00:00:00Z,shop,1',
      '2026-01-05T01:00:00,shop,1',
      '2026-02-30T01:00:00Z,shop,1',
      '2026-01-05T02:00:00Z,,1',
      '2026-01-05T03:00:00Z,shop,-2',
      '2026-01-05T04:00:00Z,shop,many',
      '2026-01-05T05:00:00Z,shop,',
      '2026-01-05T06:00:00Z,shop',
      '2026-01-05T07:00:00Z,shop,Infinity',
    ].join('\n');
    const { rows, problems } = await read(text);
    expect(rows).toHaveLength(1);
    expect(problems.map((p) => `${p.line} ${p.field}`)).toEqual([
      '3 timestamp',
      '4 timestamp',
      '5 service',
      '6 rps',
      '7 rps',
      '8 rps',
      '9 (row)',
      '10 rps',
    ]);
    expect(problems.every((p) => p.file === 'history.csv')).toBe(true);
  });

  it('checks the names of the header', async () => {
    const { problems } = await read('timestamp,servce,rps\n2026-01-05T00:00:00Z,shop,1\n');
    expect(problems.map((p) => `${p.code} ${p.field}`)).toEqual(['unknown-column servce', 'missing-column service']);
    expect(problems[0]?.fix).toBe('did you mean "service"?');
  });

  it('counts what is beyond the first hundred problems', async () => {
    const { problems } = await read(`timestamp,service,rps\n${'x,shop,1\n'.repeat(250)}`);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toMatchObject({ code: 'more', message: 'and 150 more problems after line 101' });
  });

  it.each([
    ['an empty file', '', 'empty'],
    ['a quote that is never closed', 'timestamp,service,rps\n"2026,shop,1\n', 'csv-syntax'],
  ])('refuses %s', async (_, text, code) => {
    expect((await read(text)).problems[0]?.code).toBe(code);
  });

  it('tells a file that is not there', async () => {
    const { problems } = await createCsvHistory(folder).read({ kind: 'csv', file: 'none.csv', stepSeconds: 60 });
    expect(problems).toMatchObject([{ code: 'unreadable', file: 'none.csv' }]);
  });

  it('throws only when it is told to stop', async () => {
    await writeFile(path.join(folder, 'history.csv'), 'timestamp,service,rps\n');
    const stopped = createCsvHistory(folder).read(
      { kind: 'csv', file: 'history.csv', stepSeconds: 60 },
      AbortSignal.abort(),
    );
    await expect(stopped).rejects.toThrow();
  });
});
