import { describe, expect, it } from '@jest/globals';
import { isUndecodable, payloadConverter } from './payloadConverter.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const payload = (encoding: string, data: string): { metadata: Record<string, Uint8Array>; data: Uint8Array } => ({
  metadata: { encoding: bytes(encoding) },
  data: bytes(data),
});

describe('payloadConverter', () => {
  it('carries values and bytes as the default one does', () => {
    for (const value of [{ a: [1, 'x', null] }, 'text', 7, undefined, null]) {
      expect(payloadConverter.fromPayload(payloadConverter.toPayload(value))).toEqual(value);
    }
    expect(payloadConverter.fromPayload(payload('binary/plain', 'name: eu'))).toEqual(bytes('name: eu'));
  });

  it.each([
    ['an unknown encoding', payload('bogus/thing', '1')],
    ['broken JSON', payload('json/plain', '{')],
    ['no metadata', { data: bytes('1') }],
    ['an empty payload', {}],
  ])('never throws: %s', (_, broken) => {
    const value = payloadConverter.fromPayload<unknown>(broken);
    expect(isUndecodable(value)).toBe(true);
  });
});
