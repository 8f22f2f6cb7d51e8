import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { StateFormat } from './upcast.js';
import { readState } from './upcast.js';

const FORMAT: StateFormat = {
  workflow: 'regionLifecycle',
  schema: 3,
  upcasters: {
    1: ({ name, ...rest }) => ({ ...rest, names: [name] }),
    2: (state) => ({ ...state, frozen: false }),
  },
};

function refusalOf(raw: unknown): ApplicationFailure {
  try {
    readState(raw, FORMAT);
  } catch (error) {
    if (error instanceof ApplicationFailure) return error;
  }
  throw new Error('it was read');
}

describe('readState', () => {
  it('takes what this build wrote as it is', () => {
    const state = { schema: 3, names: ['eu'], frozen: true };
    expect(readState(state, FORMAT)).toEqual(state);
  });

  it('brings an older state up step by step, and leaves what it was given', () => {
    const old = Object.freeze({ schema: 1, name: 'eu', epoch: 4 });
    expect(readState(old, FORMAT)).toEqual({ schema: 3, names: ['eu'], frozen: false, epoch: 4 });
  });

  it.each([
    ['a newer one', { schema: 4 }, /schema 4; this build reads 1, 2, 3: a newer build wrote it/],
    ['one that is too old', { schema: 0 }, /schema 0; this build reads 1, 2, 3: take the builds between/],
    ['one without a schema', { epoch: 1 }, /names no schema/],
    ['a schema that is no number', { schema: '3' }, /names no schema/],
    ['no state at all', 'state', /was handed on no state: "state"/],
    ['null', null, /was handed on no state: null/],
  ])('refuses %s for good, and says what to do', (_what, raw, words) => {
    const failure = refusalOf(raw);
    expect(failure.nonRetryable).toBe(true);
    expect(failure.type).toBe('unknown-state');
    expect(failure.message).toMatch(words);
  });
});
