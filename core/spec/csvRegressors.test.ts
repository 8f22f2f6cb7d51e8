import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { parseRegressorsCsv } from './csvRegressors.js';

const T0 = Date.parse('2026-03-01T00:00:00Z');
const T1 = Date.parse('2026-03-01T01:00:00Z');

function told(...lines: string[]): string[] {
  return parseRegressorsCsv(lines.join('\n'), 'a.csv').problems.map(({ line, field }) => `${line ?? '-'} ${field}`);
}

describe('a regressors file', () => {
  it('gives a sample for each cell that is known', () => {
    const text = 'timestamp,temperature,wind\n2026-03-01T00:00:00Z,-1.5,\n2026-03-01T02:00:00+01:00,2e0,7\n';
    expect(parseRegressorsCsv(text)).toEqual({
      samples: [
        { at: T0, name: 'temperature', value: -1.5 },
        { at: T1, name: 'temperature', value: 2 },
        { at: T1, name: 'wind', value: 7 },
      ],
      problems: [],
    });
  });

  it('makes a column of words one column of 0 and 1 a word', () => {
    const text = 'timestamp,service,weather\n2026-03-01T00:00:00Z,shop,rain\n2026-03-01T01:00:00Z,shop,clear\n';
    expect(parseRegressorsCsv(text).samples).toEqual([
      { at: T0, service: 'shop', name: 'weather=clear', value: 0 },
      { at: T1, service: 'shop', name: 'weather=clear', value: 1 },
      { at: T0, service: 'shop', name: 'weather=rain', value: 1 },
      { at: T1, service: 'shop', name: 'weather=rain', value: 0 },
    ]);
  });

  it('keeps services apart, and those of all from those of one', () => {
    const text =
      'timestamp,service,a\n2026-03-01T00:00:00Z,shop,1\n2026-03-01T00:00:00Z,pay,2\n2026-03-01T00:00:00Z,,3\n';
    expect(parseRegressorsCsv(text).samples.map(({ service, value }) => [service, value])).toEqual([
      ['shop', 1],
      ['pay', 2],
      [undefined, 3],
    ]);
  });

  it('tells everything that is wrong, by line', () => {
    expect(
      told(
        'timestamp,a',
        '2026-03-01T00:00:00Z,1',
        '2026-03-01T01:00:00,2',
        '2026-03-01T02:00:00Z,x',
        '2026-03-01T00:00:00Z,4',
        '2026-03-01T05:00:00Z,1e999',
        '2026-03-01T06:00:00Z',
      ),
    ).toEqual(['3 timestamp', '4 a', '5 timestamp', '6 a', '7 (row)']);
  });

  it('refuses a header without time or regressor, one column twice, names that cannot be told apart', () => {
    expect(told('time,a', '1,2')).toEqual(['1 timestamp']);
    expect(told('timestamp,a')).toEqual(['1 (file)']);
    expect(told('timestamp,service', '2026-03-01T00:00:00Z,shop')).toEqual(['1 (header)']);
    expect(told('timestamp,a,a', '2026-03-01T00:00:00Z,1,2')).toEqual(['1 a']);
    expect(told('timestamp,a=b', '2026-03-01T00:00:00Z,1')).toEqual(['1 a=b']);
    expect(told('timestamp,a', '2026-03-01T00:00:00Z,')).toEqual(['1 a']);
    expect(told('')).toEqual(['1 (file)']);
  });

  it('refuses free text', () => {
    const rows = Array.from({ length: 21 }, (_, i) => `2026-03-${String(i + 1).padStart(2, '0')}T00:00:00Z,word ${i}`);
    expect(told('timestamp,note', ...rows)).toEqual(['1 note']);
    expect(told('timestamp,note', ...rows.slice(1))).toEqual([]);
  });

  it('never throws', () => {
    const text = fc.string({ unit: fc.constantFrom(...'timesap,0123\n"Z-:T ='.split('')), maxLength: 80 });
    fc.assert(
      fc.property(text, fc.boolean(), (rest, headed) => {
        const { samples, problems } = parseRegressorsCsv(headed ? `timestamp,a\n${rest}` : rest);
        return samples.every(({ value }) => Number.isFinite(value)) && (problems.length === 0 || samples.length === 0);
      }),
    );
  });
});
