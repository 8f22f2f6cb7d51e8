import { describe, expect, it } from '@jest/globals';

import { PLAN_ENTRY_NAMES, runPlanFuzzCase } from '../../bench/campaigns/fuzzPlanCases.js';

/** A sample of `npm run campaign:fuzz-plan`; its number says how to run one input again. */
const SEED = 20260417;
const COUNT = 450;

describe('malformed region files and demand', () => {
  const told = Array.from({ length: COUNT }, (_, index) => ({ index, ...runPlanFuzzCase(SEED, index) }));

  it('end in a plan that is rendered and clean, or in a refusal that says why', () => {
    const failures = told.flatMap(({ index, entry, outcome }) =>
      outcome.kind === 'failed' ? [`seed ${SEED}, input ${index}, ${entry}: ${outcome.why}`] : [],
    );
    expect(failures).toEqual([]);
  });

  it.each(PLAN_ENTRY_NAMES)('are not all refused, nor all taken: %s', (name) => {
    const kinds = new Set(told.filter(({ entry }) => entry === name).map(({ outcome }) => outcome.kind));
    expect([...kinds].sort()).toEqual(['answered', 'refused']);
  });

  it('are the same for a seed, and give the same outcome', () => {
    for (const index of [0, 1, 2, 30, 31]) expect(runPlanFuzzCase(SEED, index).outcome).toEqual(told[index]?.outcome);
  });
});
