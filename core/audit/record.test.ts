import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, sha256 } from '../spec/hash.js';
import { chainOf, entry } from './fixtures.js';
import { checkRecord, parseRecord } from './parseRecord.js';
import type { AuditValue } from './record.js';
import { EMPTY_HEAD, chainRecord, recordBody, recordHash, saysTheSame } from './record.js';

describe('a record', () => {
  it('is hashed over the canonical JSON of everything but its hash', () => {
    const json = fc.jsonValue().map((value) => value as AuditValue);
    fc.assert(
      fc.property(json, json, fc.string(), (from, to, why) => {
        const { hash, ...rest } = chainRecord('eu', EMPTY_HEAD, entry(1, { from, to, why }));
        expect(recordBody(rest)).toBe(canonicalJson(rest));
        expect(hash).toBe(sha256(canonicalJson(rest)));
      }),
    );
  });

  it('follows the one before it, and the first follows nothing', () => {
    const [first, second] = chainOf([entry(1), entry(2)]);
    expect(first).toMatchObject({ seq: 1, previous: '0'.repeat(64), region: 'eu', version: 1 });
    expect(second).toMatchObject({ seq: 2, previous: first?.hash });
  });

  it('keeps its hash for good: one made by an earlier program verifies', () => {
    // The hash as first published; what is hashed may only change with `version`.
    expect(chainRecord('eu', EMPTY_HEAD, entry(1)).hash).toBe(
      '17a6a52df347e94183f4d532f6c5a1fbcc44ed188536940518cfa0b2a9b9b5ea',
    );
  });

  it('says the same as the entry that it was made of, and as no other', () => {
    const record = chainRecord('eu', { seq: 7, hash: 'a'.repeat(64) }, entry(8));
    expect(saysTheSame(record, entry(8))).toBe(true);
    expect(saysTheSame(record, entry(8, { who: 'eve' }))).toBe(false);
  });

  it('refuses what JSON cannot carry', () => {
    expect(() => chainRecord('eu', EMPTY_HEAD, entry(1, { to: Number.NaN }))).toThrow(TypeError);
  });
});

describe('parseRecord', () => {
  it('takes what was written, and only that', () => {
    const [record] = chainOf([entry(1)]);
    expect(parseRecord(JSON.stringify(record))).toEqual(record);
  });

  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['a list', '[]', 'is not a JSON object'],
    ['nothing', 'null', 'is not a JSON object'],
  ])('names %s', (_, line, detail) => expect(parseRecord(line)).toBe(detail));

  it.each([
    ['a text that is missing', { who: undefined }, 'has no text "who"'],
    ['a value that is missing', { to: undefined }, 'has no "to"'],
    ['a number that is none', { seq: 0 }, 'has no sequence number "seq"'],
    ['a version of tomorrow', { version: 2 }, 'has version 2; this program knows 1'],
    ['a field that would be outside of the hash', { approved: true }, 'has a field "approved" that no record has'],
  ])('names %s', (_, change, detail) => {
    expect(checkRecord({ ...chainOf([entry(1)])[0], ...change })).toBe(detail);
  });

  it('takes anything without throwing', () => {
    fc.assert(fc.property(fc.anything(), (value) => typeof checkRecord(value) === 'string'));
    fc.assert(fc.property(fc.string(), (line) => typeof parseRecord(line) === 'string'));
  });

  it('takes a kind that this program does not know', () => {
    const [record] = chainOf([entry(1, { kind: 'signed' as never })]);
    if (record === undefined) throw new Error('no record');
    expect(parseRecord(JSON.stringify(record))).toEqual(record);
    expect(recordHash(record)).toBe(record.hash);
  });
});
