import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pack, unpack } from './pack.js';

describe('packed data', () => {
  const numbers = fc.array(fc.double(), { minLength: 10, maxLength: 40 });
  const plain = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.double(),
      numbers,
      tie('list'),
      tie('record'),
    ),
    list: fc.array(tie('value')),
    record: fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('value'),
    ),
  }));

  it('comes out as it went in, through a clone that moves its buffers', () => {
    fc.assert(
      fc.property(plain.value, (value) => {
        const { data, buffers } = pack(value);
        expect(unpack(structuredClone(data, { transfer: buffers }))).toEqual(value);
      }),
    );
  });

  it('moves long lists of numbers, and leaves the original whole', () => {
    const job = { history: { values: Array.from({ length: 100 }, (_, step) => step / 3) }, seasons: [24, 168] };
    const { data, buffers } = pack(job);
    expect(buffers).toHaveLength(1);
    expect(data).toMatchObject({ history: { values: Float64Array.from(job.history.values) }, seasons: [24, 168] });
    structuredClone(data, { transfer: buffers });
    expect(job.history.values).toHaveLength(100);
  });
});
