import { describe, expect, it } from '@jest/globals';

import { MOST_BYTES, readState, writeState } from './artifact.js';
import { contextOf, featuresOf } from './context.js';
import { Generator } from './generator.js';
import { learn } from './posterior.js';
import { afterChange, freshState, warmStarted } from './state.js';
import type { TunerState } from './state.js';

function learned(trials: number): TunerState {
  const random = new Generator(1);
  const state = freshState(7, 'a'.repeat(64));
  const posteriors = { ...state.posteriors };
  for (let n = 0; n < trials; n++) {
    const context = contextOf({
      ...{ offeredRps: 100 * random.uniform(), forecastRps: 50, secondsToEvent: 1e4 * random.uniform() },
      ...{ utilisation: random.uniform(), p99Ms: 300 * random.uniform(), sloP99Ms: 200, errorRate: random.uniform() },
      ...{ sloErrorRate: 0.01, refusedShare: random.uniform(), trust: 'fair' },
    })!;
    for (const family of ['limitMargin', 'concurrency', 'spill'] as const) {
      const features = featuresOf(context, 1, { family, direction: 1 });
      posteriors[family] = learn(posteriors[family], features, random.normal() / 7, 0.01);
    }
  }
  const rungs = Object.fromEntries(
    Array.from({ length: 64 }, (_, i) => [
      `${'service'.repeat(8)}-${i}`,
      { limitMargin: -1, concurrency: 1, spill: 0 },
    ]),
  );
  return { ...state, posteriors, generator: random.state, rungs };
}

function written(state: TunerState): string {
  const text = writeState(state);
  if (!text.ok) throw new Error(JSON.stringify(text.problems));
  return text.value;
}

describe('the tuner state as an artifact', () => {
  it('comes back exactly, is small at its fullest, and has the same bytes each time', () => {
    const state = learned(50);
    const text = written(state);
    expect(Buffer.byteLength(text)).toBeLessThan(MOST_BYTES);
    const back = readState(text);
    expect(back.ok && back.value).toEqual(state);
    expect(back.ok && written(back.value)).toBe(text);
  });

  it.each([
    ['an unknown version', { version: 2 }, /version 2, and this program reads version 1/],
    ['no version', { rungs: {} }, /no version/],
  ])('refuses %s in words', (_, document, words) => {
    const read = readState(JSON.stringify(document));
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.problems[0]!.message).toMatch(words);
  });

  it('refuses what is not of its schema, and says where', () => {
    const state = freshState(1);
    const wrong = { ...state, generator: 0.5, rungs: { shop: { limitMargin: 99, concurrency: 0, spill: 0 } } };
    const read = readState(JSON.stringify(wrong));
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.problems.map(({ field }) => field)).toEqual(['generator', 'rungs.shop.limitMargin']);
    expect(readState('{').ok).toBe(false);
    expect(readState(' '.repeat(MOST_BYTES + 1)).ok).toBe(false);
    const many = Object.fromEntries(
      Array.from({ length: 65 }, (_, i) => [`s${i}`, { limitMargin: 1, concurrency: 0, spill: 0 }]),
    );
    expect(writeState({ ...state, rungs: many }).ok).toBe(false);
  });

  it('a warm start takes what was learned, and nothing of where it stood; a deployment ends both', () => {
    const old = learned(20);
    const warm = warmStarted(old, 3, 'b');
    expect(warm.posteriors).toEqual(old.posteriors);
    expect(warm).toMatchObject({ rungs: {}, ledger: { incumbent: 0, difference: 0 }, planHash: 'b', generator: 3 });
    const changed = afterChange(old, 'c');
    expect(changed.rungs).toEqual({});
    expect(changed.posteriors.spill.precision[0]!).toBeLessThan(old.posteriors.spill.precision[0]!);
  });
});
