import { describe, expect, it } from '@jest/globals';

import { ENTRY_NAMES, runFuzzCase, whyUnsound } from '../../bench/campaigns/fuzzCases.js';

/** A sample of `npm run campaign:fuzz-forecast`; its number says how to run one input again. */
const SEED = 20260329;
const COUNT = 320;

describe('malformed inputs to the forecast', () => {
  const told = Array.from({ length: COUNT }, (_, index) => ({ index, ...runFuzzCase(SEED, index) }));

  it('end in an answer that holds or a refusal that says why', () => {
    const failures = told.flatMap(({ index, entry, outcome }) =>
      outcome.kind === 'failed' ? [`seed ${SEED}, input ${index}, ${entry}: ${outcome.why}`] : [],
    );
    expect(failures).toEqual([]);
  });

  it('are not all refused: every way in also answers', () => {
    const answering = ENTRY_NAMES.filter((name) =>
      told.some(({ entry, outcome }) => entry === name && outcome.kind === 'answered'),
    );
    expect(answering).toEqual([...ENTRY_NAMES]);
  });

  it('are the same for a seed, and give the same outcome', () => {
    for (const index of [0, 6, 8, 10, 17]) expect(runFuzzCase(SEED, index).outcome).toEqual(told[index]?.outcome);
  });

  it.each([
    ['is not a number', [1, Number.NaN, 3, 4, 5]],
    ['falls', [1, 2, 3, 2, 5]],
    ['is negative', [-1, 2, 3, 4, 5]],
    ['is endless', [1, 2, 3, 4, Number.POSITIVE_INFINITY]],
  ])('would be told: a level that %s', (_, [p50 = 0, p80 = 0, p90 = 0, p95 = 0, p99 = 0]) => {
    const quantiles = { p50: [p50], p80: [p80], p90: [p90], p95: [p95], p99: [p99] };
    const times = { timestamps: ['2026-03-29T00:00:00Z'], models: [{ name: 'seasonal-naive', weight: 1, mase: 1 }] };
    expect(whyUnsound({ service: 'shop', ...times, quantiles })).toMatch(
      /^shop at 2026-03-29T00:00:00Z: quantiles are/,
    );
  });
});
