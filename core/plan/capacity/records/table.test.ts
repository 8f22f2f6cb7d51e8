import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readDeploymentRecords } from './readRecords.js';

const HEADER = 'time,service,instances,cpu,memoryMiB,startupSeconds,throughputRps,p99Ms,region';

describe('readDeploymentRecords', () => {
  it('reads CSV with empty cells', () => {
    const text = `${HEADER}\n2026-03-01T08:00:00Z,front,4,2,512,12.5,380,95,eu-west\n2026-03-01T09:00:00Z,front,4,,,,120,,\n`;
    expect(readDeploymentRecords(text, 'd.csv')).toMatchObject({
      ok: true,
      value: [
        {
          at: Date.UTC(2026, 2, 1, 8),
          service: 'front',
          instances: 4,
          cpu: 2,
          memoryMiB: 512,
          startupSeconds: 12.5,
          throughputRps: 380,
          p99Ms: 95,
          region: 'eu-west',
        },
        { at: Date.UTC(2026, 2, 1, 9), service: 'front', instances: 4, throughputRps: 120 },
      ],
    });
  });

  it('reads the same as JSON, as a list and line by line', () => {
    const record = { time: '2026-03-01T08:00:00Z', service: 'front', instances: 4, throughputRps: 380, p99Ms: 95 };
    const other = { ...record, time: '2026-03-01T09:00:00Z' };
    const list = readDeploymentRecords(JSON.stringify([record, other]), 'd.json');
    const lines = readDeploymentRecords(`${JSON.stringify(record)}\n${JSON.stringify(other)}\n`, 'd.json');
    expect(list.ok && list.value).toHaveLength(2);
    expect(lines).toEqual(list);
  });

  it('tells every problem with its line', () => {
    const rows = ['yesterday,front,4,2,512,12,380,95,', '2026-03-01T08:00:00Z,,0,2,512,-1,lots,95,', 'short'];
    const found = readDeploymentRecords(`${HEADER}\n${rows.join('\n')}\n`, 'd.csv');
    expect(found.ok ? [] : found.problems.map(({ line, field }) => `${line} ${field}`)).toEqual([
      '2 time',
      '3 service',
      '3 instances',
      '3 throughputRps',
      '3 startupSeconds',
      '4 (row)',
    ]);
  });

  it('tells every problem of JSON with its line', () => {
    const text =
      '[\n{"time": "2026-03-01T08:00:00Z",\n"service": 3, "instances": 1.5,\n"throughputRps": 2, "rps": 1}\n]';
    const found = readDeploymentRecords(text, 'd.json');
    expect(found.ok ? [] : found.problems.map(({ line, field }) => `${line} ${field}`)).toEqual([
      '4 [0].rps',
      '3 [0].service',
      '3 [0].instances',
    ]);
  });

  it.each(['', HEADER, '[]', '[1, null]', '{', 'a,b\n1,2'])('refuses %j', (text) => {
    expect(readDeploymentRecords(text, 'd').ok).toBe(false);
  });

  it('never throws', () => {
    const pieces = fc.constantFrom(
      HEADER,
      '\n',
      ',',
      '"',
      '[',
      ']',
      '{',
      '}',
      ':',
      '2026-03-01T08:00:00Z',
      '-1',
      '1e999',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const found = readDeploymentRecords(parts.join(''), 'd');
        if (!found.ok) expect(found.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 300, seed: 3 },
    );
  });
});
