import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidMetricRowError } from '../errors.js';
import type { MetricRow } from '../port.js';
import { encodeRow, valuesOfLine } from './lineProtocol.js';

/** Reads a line as the server does: a backslash counts only before what it escapes. */
function decodeRow(line: string): MetricRow {
  const [series = '', fields = '', at = ''] = splitAt(line, ' ');
  const [measurement = '', ...tags] = splitAt(series, ',');
  const pairs = (parts: readonly string[]): [string, string][] =>
    parts.map((part) => splitAt(part, '=').map((text) => text.replace(/\\([,= ])/g, '$1')) as [string, string]);
  return {
    measurement: measurement.replace(/\\([, ])/g, '$1'),
    tags: Object.fromEntries(pairs(tags)),
    at: Number(at),
    fields: Object.fromEntries(pairs(splitAt(fields, ',')).map(([name, value]) => [name, Number(value)])),
  };
}

function splitAt(text: string, separator: string): readonly string[] {
  const parts = [''];
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === separator && text[i - 1] !== '\\') parts.push('');
    else parts[parts.length - 1] += text[i] ?? '';
  }
  return parts;
}

const name = fc
  .oneof(
    fc.string({ minLength: 1, unit: 'binary' }),
    fc.string({ minLength: 1, unit: fc.constantFrom('a', ' ', ',', '=', '"', '\\', '#', 'é', '🙂') }),
  )
  .filter(
    (text) =>
      !/[\p{Cc}\p{Surrogate}]|\\(?:[,= "]|$)/u.test(text) &&
      text !== 'time' &&
      !['_measurement', '_field', '__proto__'].includes(text),
  );
const rows: fc.Arbitrary<MetricRow> = fc.record({
  measurement: name.filter((text) => !text.startsWith('#') && !text.includes('=')),
  tags: fc.dictionary(name, name, { maxKeys: 4 }),
  at: fc.integer({ min: -8_000_000_000_000, max: 8_000_000_000_000 }),
  fields: fc.dictionary(
    name,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    { minKeys: 1, maxKeys: 5 },
  ),
});

describe('line protocol', () => {
  it('is read back as the row that was written', () => {
    fc.assert(fc.property(rows, (row) => expect(decodeRow(encodeRow(row))).toEqual(row)));
  });

  it('is one line, of as many values as the row has', () => {
    fc.assert(
      fc.property(rows, (row) => {
        expect(encodeRow(row)).not.toMatch(/[\n\r]/);
        expect(valuesOfLine(encodeRow(row))).toBe(Object.keys(row.fields).length);
      }),
    );
  });

  it('is the same whatever the order of the tags', () => {
    const row = { measurement: 'm', at: 1, fields: { a: 1 } };
    const line = encodeRow({ ...row, tags: { x: '1', b: '2' } });
    expect(line).toBe('m,b=2,x=1 a=1 1');
    expect(encodeRow({ ...row, tags: { b: '2', x: '1' } })).toBe(line);
  });

  it.each<[string, Partial<MetricRow>]>([
    ['a line break in a tag', { tags: { service: 'a\nb a=1 1' } }],
    ['a backslash at the end of a tag', { tags: { service: 'a\\' } }],
    ['a backslash before what is escaped', { tags: { service: 'a\\=' } }],
    ['an empty tag', { tags: { service: '' } }],
    ['half a surrogate pair', { tags: { service: '\ud83d' } }],
    ['a reserved tag', { tags: { _field: 'x' } }],
    ['a reserved field', { fields: { time: 1 } }],
    ['a measurement that reads as a comment', { measurement: '#m' }],
    ['no measurement', { measurement: '' }],
    ['no fields', { fields: {} }],
    ['no number', { fields: { a: Number.NaN } }],
    ['an infinite number', { fields: { a: -Infinity } }],
    ['a fraction of a millisecond', { at: 0.5 }],
    ['a time that no server knows', { at: 2 ** 52 }],
  ])('refuses %s', (_, wrong) => {
    const row = { measurement: 'm', tags: {}, at: 1, fields: { a: 1 }, ...wrong };
    expect(() => encodeRow(row)).toThrow(InvalidMetricRowError);
  });
});
