import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { parseCsv } from './csv.js';

const cell = fc
  .string({ unit: fc.constantFrom('a', 'b', '"', ',', '\n', ';', '1'), maxLength: 8 })
  .map((text) => text.trim());
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

describe('parseCsv', () => {
  it('reads back what was written by RFC 4180, with the line of each record', () => {
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 6 });
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), (rows, end) => {
        const { records } = parseCsv(rows.map((row) => row.map(quoted).join(',')).join(end));
        expect(records.map((record) => record.cells)).toEqual(rows);
        let line = 1;
        for (const [index, row] of rows.entries()) {
          expect(records[index]?.line).toBe(line);
          line += 1 + row.join('').split('\n').length - 1;
        }
      }),
    );
  });

  it('ends on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'x'), maxLength: 40 }), (text) =>
        Array.isArray(parseCsv(text).records),
      ),
    );
  });
});
