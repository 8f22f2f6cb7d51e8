import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFluxCsv, splitCsv } from './fluxCsv.js';

async function* pieces(bytes: Buffer, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield await Promise.resolve(bytes.subarray(at, at + length));
}

const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const cells = fc.array(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', 'é', '🙂', ' ') }), {
  minLength: 2,
  maxLength: 4,
});

describe('the CSV of Flux', () => {
  it('is read back as it was written, however it is cut', async () => {
    const property = fc.asyncProperty(
      fc.array(cells, { maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      async (rows, length) => {
        const text = ['', 'x', ...rows.map((row) => `,${row.map(cell).join(',')}`)].join('\r\n');
        const found: (readonly string[])[] = [];
        await readFluxCsv(pieces(Buffer.from(`${text}\r\n\r\n`), length), (_, line) => found.push(line));
        expect(found).toEqual(rows.map((row) => ['', ...row]));
      },
    );
    await fc.assert(property);
  });

  it('has new columns after an empty line', async () => {
    const found: unknown[] = [];
    await readFluxCsv(pieces(Buffer.from('a,b\n1,2\n\nc\n3\n4'), 3), (columns, line) => found.push([columns, line]));
    expect(found).toEqual([
      [
        ['a', 'b'],
        ['1', '2'],
      ],
      [['c'], ['3']],
      [['c'], ['4']],
    ]);
  });

  it('says what the server says when it failed half-way', async () => {
    const text = ',result,_value\n,,1\n\n,error,reference\n,"ran out of ""memory""",897\n';
    await expect(readFluxCsv(pieces(Buffer.from(text), 5), () => undefined)).rejects.toThrow('ran out of "memory"');
  });

  it('keeps empty cells', () => {
    expect(splitCsv(',,"",a,')).toEqual(['', '', '', 'a', '']);
  });
});
