import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { canonicalJson, hashFiles, releaseHash, sha256 } from './hash.js';

describe('canonicalJson', () => {
  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
      }),
    );
  });

  it('is JSON that reads back as what JSON would have made of the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('leaves out undefined members and refuses what JSON cannot carry', () => {
    expect(canonicalJson({ b: 1, a: undefined, c: [undefined] })).toBe('{"b":1,"c":[null]}');
    for (const bad of [Number.NaN, Infinity, () => 1, 1n]) expect(() => canonicalJson({ bad })).toThrow(TypeError);
  });
});

describe('hashes', () => {
  it('are SHA-256 of the canonical form', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(hashFiles({ b: '2', a: '1' })).toBe(sha256('{"a":"1","b":"2"}'));
    expect(releaseHash({ h: { a: '1' } })).not.toBe(releaseHash({ g: { a: '1' } }));
    expect(hashFiles({ a: '12' })).not.toBe(hashFiles({ a: '1', '2': '' }));
  });
});
