import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { Generator } from '../bandit/generator.js';
import { halvesOf } from './halves.js';
import { NEW_TRIAL, SPLIT_RULES, judgeSplit, shareOf } from './judgeSplit.js';
import type { HalfCounts, SplitRules, SplitVerdict } from './judgeSplit.js';
import { EMPTY_SEQUENCE, added, intervalOf } from './sequence.js';
import { afterTick, newPair, runsCandidate } from './switchback.js';

const RULES: SplitRules = { ...SPLIT_RULES, mostTicks: 60 };

/** Both halves share what load does to them; each has noise of its own beside that of counting. */
function half(offered: number, share: number, random: Generator): HalfCounts {
  const own = Math.min(1, Math.max(0, share + 0.02 * random.normal()));
  const good = offered * own + Math.sqrt(offered * own * (1 - own)) * random.normal();
  return { offered, good: Math.max(0, Math.min(offered, Math.round(good))) };
}

function trial(seed: number, effect: number, rules: SplitRules): SplitVerdict {
  const random = new Generator(seed);
  let state = NEW_TRIAL;
  for (;;) {
    const base = 0.9 - 0.2 * random.uniform();
    const tick = { candidate: half(400, base + effect, random), incumbent: half(500, base, random) };
    const verdict = judgeSplit(state, tick, rules);
    if (verdict.action !== 'wait') return verdict;
    state = verdict.trial;
  }
}

function share(verdict: SplitVerdict['verdict'], effect: number, rules: SplitRules, runs = 400): number {
  let count = 0;
  for (let seed = 0; seed < runs; seed++) if (trial(seed * 7919, effect, rules).verdict === verdict) count++;
  return count / runs;
}

describe('the confidence sequence', () => {
  it('misses the true mean at any time in at most alpha of all runs, for normal and heavy-tailed differences alike', () => {
    const draws = {
      normal: (random: Generator) => 0.01 * random.normal(),
      // Two exponentials: what two halves alike differ by where each is skewed.
      tailed: (random: Generator) => 0.01 * (Math.log(1 - random.uniform()) - Math.log(1 - random.uniform())),
      rare: (random: Generator) => (random.uniform() < 0.5 ? 0.2 : 1.8) * 0.01 * random.normal(),
    };
    for (const draw of Object.values(draws)) {
      let misses = 0;
      for (let run = 0; run < 500; run++) {
        const random = new Generator(run * 104_729);
        let sequence = EMPTY_SEQUENCE;
        for (let n = 0; n < 100; n++) {
          sequence = added(sequence, 0.3 + draw(random));
          const interval = intervalOf(sequence, 0.1);
          if (interval === null || (interval.lower <= 0.3 && interval.upper >= 0.3)) continue;
          misses++;
          break;
        }
      }
      // 0.1 and three deviations of 500 runs.
      expect(misses / 500).toBeLessThan(0.14);
    }
  });

  it('closes in on the mean, and has no bound at first', () => {
    let sequence = EMPTY_SEQUENCE;
    const random = new Generator(1);
    const widths: (number | null)[] = [];
    for (let n = 0; n < 400; n++) {
      const interval = intervalOf(sequence, 0.05);
      widths.push(interval === null ? null : interval.upper - interval.lower);
      sequence = added(sequence, random.normal());
    }
    expect(widths.slice(0, 4)).toEqual([null, null, null, null]);
    expect(widths[399]!).toBeLessThan(0.45 * widths[50]!);
  });
});

describe('judging by split', () => {
  it('A/A: over the whole sequence hardly more than alpha is judged, and harm is seldom seen where there is none', () => {
    // alpha, three deviations of 400 runs, and harm that was none.
    expect(share('inconclusive', 0, RULES)).toBeGreaterThan(0.91);
  });

  it('has power: a gain of 3 % is adopted, a loss of 3 % is not', () => {
    expect(share('successful', 0.03, RULES, 100)).toBeGreaterThan(0.8);
    expect(share('failed', -0.03, RULES, 100)).toBeGreaterThan(0.8);
    expect(share('successful', -0.03, RULES, 100)).toBe(0);
  });

  it('takes back what harms within two ticks', () => {
    for (let seed = 0; seed < 50; seed++) {
      const verdict = trial(seed * 31, -0.3, RULES);
      expect(verdict).toMatchObject({ verdict: 'failed', action: 'revert' });
      expect(verdict.trial.ticks).toBeLessThanOrEqual(2);
    }
  });

  it('a half that refuses less but keeps users waiting brings no more', () => {
    const patient = { offered: 500, good: 500, timeUsed: 250 };
    const brisk = { offered: 500, good: 475, timeUsed: 100 };
    expect(shareOf(patient)).toBeCloseTo(0.75, 9);
    expect(shareOf(brisk)).toBeCloseTo(0.85, 9);
  });

  it('goes back when a trial shows nothing, and says so; too few requests are no ground', () => {
    const same = { candidate: { offered: 100, good: 99 }, incumbent: { offered: 100, good: 99 } };
    const few = { candidate: { offered: 49, good: 0 }, incumbent: { offered: 500, good: 500 } };
    for (const tick of [same, few]) {
      let state = NEW_TRIAL;
      for (let n = 1; n < 40; n++) {
        const verdict = judgeSplit(state, tick, SPLIT_RULES);
        expect(verdict).toMatchObject({ verdict: 'inconclusive', action: 'wait' });
        state = verdict.trial;
      }
      const last = judgeSplit(state, tick, SPLIT_RULES);
      expect(last).toMatchObject({ verdict: 'inconclusive', action: 'revert' });
      expect(last.reason).toMatch(/40 ticks without a verdict/);
    }
  });
});

describe('halves', () => {
  it('are disjoint, cover all, differ by at most one, and each member is in either as often', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1000), { minLength: 2 }), fc.integer(), (members, seed) => {
        const { candidate, incumbent } = halvesOf(members, new Generator(seed))!;
        expect([...candidate, ...incumbent].sort((a, b) => a - b)).toEqual([...members].sort((a, b) => a - b));
        expect(incumbent.length - candidate.length).toBe(members.length % 2);
      }),
      { numRuns: 50 },
    );
    let first = 0;
    for (let seed = 0; seed < 400; seed++) {
      if (halvesOf([0, 1, 2, 3], new Generator(seed * 7919))!.candidate.includes(0)) first++;
    }
    expect(Math.abs(first - 200)).toBeLessThan(40);
    expect(halvesOf([4], new Generator(1))).toBeNull();
  });
});

describe('turns in time, where a split would spill over', () => {
  it('compares settled ticks of both, in random order', () => {
    const random = new Generator(2);
    let candidateFirst = 0;
    for (let n = 0; n < 100; n++) {
      let pair = newPair(random);
      if (runsCandidate(pair)) candidateFirst++;
      let difference: number | null = null;
      for (let tick = 0; tick < 4; tick++) {
        expect(difference).toBeNull();
        // The first tick of a block is spoilt.
        const settled = tick % 2 === 1;
        ({ pair, difference } = afterTick(pair, settled ? (runsCandidate(pair) ? 0.9 : 0.8) : 0));
      }
      expect(difference).toBeCloseTo(0.1, 9);
    }
    expect(Math.abs(candidateFirst - 50)).toBeLessThan(20);
  });
});
