import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { actionName, choose } from './choose.js';
import { PLANNED, neighbours } from './coefficients.js';
import type { Move } from './coefficients.js';
import { affordable, EMPTY_LEDGER, heldTick, triedTick } from './conservative.js';
import { contextOf, featuresOf } from './context.js';
import type { Context } from './context.js';
import { Generator } from './generator.js';
import { beliefs, forget, learn, prior } from './posterior.js';
import { freshState } from './state.js';

function context(change: Partial<Context> = {}): Context {
  const calm = contextOf({
    ...{ offeredRps: 100, forecastRps: 100, secondsToEvent: Infinity, utilisation: 0.7, p99Ms: 100, sloP99Ms: 200 },
    ...{ errorRate: 0, sloErrorRate: 0.01, refusedShare: 0, trust: 'high' },
  })!;
  return { ...calm, ...change };
}

const UP: Move = { family: 'limitMargin', direction: 1 };
const DOWN: Move = { family: 'limitMargin', direction: -1 };
const MOVES = neighbours(PLANNED, 'normal');

describe('the posterior', () => {
  it('learns what a move brings, and one service teaches another', () => {
    const random = new Generator(5);
    let posterior = prior();
    // Where requests are refused more margin helps, and less hurts; elsewhere neither matters.
    for (let n = 0; n < 200; n++) {
      const move = random.uniform() < 0.5 ? UP : DOWN;
      const seen = context({ refused: random.uniform(), utilisation: random.uniform() * 2 - 1 });
      const effect = move.direction * 0.05 * seen.refused + 0.01 * random.normal();
      posterior = learn(posterior, featuresOf(seen, 0, move), effect, 0.01);
    }
    const unseen = context({ refused: 0.8, utilisation: 0.3 });
    const [up, down] = beliefs(posterior, [featuresOf(unseen, 0, UP), featuresOf(unseen, 0, DOWN)]);
    expect(up!.mean).toBeCloseTo(0.04, 2);
    expect(down!.mean).toBeCloseTo(-0.04, 2);
    expect(up!.deviation).toBeLessThan(0.01);
    const [idle] = beliefs(posterior, [featuresOf(context(), 0, UP)]);
    expect(Math.abs(idle!.mean)).toBeLessThan(0.01);
  });

  it('follows a change as old trials fade, and forgets most after a deployment', () => {
    const features = featuresOf(context(), 0, UP);
    let posterior = prior();
    for (let n = 0; n < 300; n++) posterior = learn(posterior, features, 0.05, 0.01);
    for (let n = 0; n < 300; n++) posterior = learn(posterior, features, -0.05, 0.01);
    const [now] = beliefs(posterior, [features]);
    expect(now!.mean).toBeLessThan(-0.04);
    const [after] = beliefs(forget(posterior), [features]);
    expect(after!.deviation).toBeGreaterThan(2 * now!.deviation);
    expect(posterior.trials).toBe(600);
  });

  it('believes at first that a move costs a little and may do anything', () => {
    const [first] = beliefs(prior(), [featuresOf(context(), 0, UP)]);
    expect(first!.mean).toBeCloseTo(-0.002, 9);
    expect(first!.deviation).toBeGreaterThan(0.02);
  });
});

describe('choose', () => {
  it('logs propensities of all that is allowed, which sum to 1', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: -1, max: 1, noNaN: true }), (seed, load) => {
        const { posteriors } = freshState(0);
        const random = new Generator(seed);
        const choice = choose({ posteriors, context: context({ load }), moves: MOVES, rungs: PLANNED, random });
        const shares = Object.values(choice.propensities);
        expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
        expect(Object.keys(choice.propensities).sort()).toEqual(['hold', ...MOVES.map(actionName)].sort());
        expect(choice.propensities[choice.action]).toBeGreaterThan(0);
      }),
      { numRuns: 20 },
    );
  });

  it('draws actions as often as it says', () => {
    const { posteriors } = freshState(0);
    const random = new Generator(11);
    const [counts, promised] = [new Map<string, number>(), new Map<string, number>()];
    const N = 1000;
    for (let n = 0; n < N; n++) {
      const choice = choose({ posteriors, context: context(), moves: MOVES, rungs: PLANNED, random });
      counts.set(choice.action, (counts.get(choice.action) ?? 0) + 1);
      for (const [name, share] of Object.entries(choice.propensities)) {
        promised.set(name, (promised.get(name) ?? 0) + share);
      }
    }
    for (const [name, expected] of promised) {
      const error = Math.abs((counts.get(name) ?? 0) - expected);
      expect(error).toBeLessThan(4.5 * Math.sqrt(expected * (1 - expected / N)));
    }
  });

  it('prefers what was seen to help, and holds where nothing may move', () => {
    const base = freshState(0);
    let margin = base.posteriors.limitMargin;
    for (let n = 0; n < 50; n++) {
      margin = learn(margin, featuresOf(context({ refused: 1 }), 0, UP), 0.05, 0.005);
      margin = learn(margin, featuresOf(context({ refused: 1 }), 0, DOWN), -0.05, 0.005);
    }
    const posteriors = { ...base.posteriors, limitMargin: margin };
    const input = { posteriors, context: context({ refused: 1 }), rungs: PLANNED, random: new Generator(1) };
    const choice = choose({ ...input, moves: [UP, DOWN] });
    expect(choice.propensities['limitMargin+']).toBeGreaterThan(0.9);
    expect(choice.expected['limitMargin+']!.mean).toBeGreaterThan(0.03);
    expect(choose({ ...input, moves: [] })).toMatchObject({ action: 'hold', move: null, propensities: { hold: 1 } });
    expect(choose({ ...input, moves: [UP], may: () => false }).propensities).toEqual({ hold: 1 });
  });

  it('goes on after a restart with what it would have drawn', () => {
    const { posteriors } = freshState(0);
    const one = new Generator(3);
    choose({ posteriors, context: context(), moves: MOVES, rungs: PLANNED, random: one });
    const two = new Generator(one.state);
    const [a, b] = [one, two].map((random) =>
      choose({ posteriors, context: context(), moves: MOVES, rungs: PLANNED, random }),
    );
    expect(b).toEqual(a);
  });
});

describe('the conservative constraint', () => {
  const stake = { ticks: 10, exposure: 0.5, alpha: 0.02 };

  it('lets nothing be tried before the incumbent has earned what it may cost', () => {
    const risky = { mean: 0, deviation: 0.02 };
    expect(affordable(EMPTY_LEDGER, risky, stake)).toBe(false);
    let ledger = EMPTY_LEDGER;
    for (let n = 0; n < 10; n++) ledger = heldTick(ledger, 1);
    expect(affordable(ledger, risky, stake)).toBe(true);
    expect(affordable(ledger, { mean: 0, deviation: 0.5 }, stake)).toBe(false);
  });

  it('keeps the reward above 1 − α of the incumbent whatever is tried, where beliefs hold', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 }), (draws) => {
        let ledger = EMPTY_LEDGER;
        for (const draw of draws) {
          ledger = heldTick(ledger, 1);
          const [mean, deviation] = [-0.01, 0.05 * draw];
          if (!affordable(ledger, { mean, deviation }, { ...stake, ticks: 1 })) continue;
          // The worst that was believed possible.
          ledger = triedTick(ledger, mean - 2 * deviation, stake.exposure);
          expect(ledger.difference).toBeGreaterThanOrEqual(-0.02 * ledger.incumbent - 1e-9);
        }
      }),
    );
  });

  it('what is sure to help may always be tried', () => {
    expect(affordable(EMPTY_LEDGER, { mean: 0.05, deviation: 0.01 }, stake)).toBe(true);
  });
});
