import { describe, expect, it } from '@jest/globals';

import type { ActionName } from './choose.js';
import { Generator } from './generator.js';
import { EVALUATION_RULES, evaluateOffPolicy } from './offPolicy.js';
import type { LoggedDecision, PolicyShares } from './offPolicy.js';

type Shares = Partial<Record<ActionName, number>>;

const LOGGING: Shares = { hold: 0.6, 'concurrency-': 0.3, 'limitMargin+': 0.1 };
const TRUE_EFFECT: Shares = { hold: 0, 'concurrency-': 0.02, 'limitMargin+': -0.03 };
const GOOD: PolicyShares = () => ({ 'concurrency-': 1 });
const SAME: PolicyShares = ({ propensities }) => propensities;
const WORSE: PolicyShares = () => ({ hold: 0.5, 'limitMargin+': 0.5 });

function logOf(count: number, seed: number, expected: Shares): LoggedDecision[] {
  const random = new Generator(seed);
  return Array.from({ length: count }, () => {
    const u = random.uniform();
    const action: ActionName = u < 0.6 ? 'hold' : u < 0.9 ? 'concurrency-' : 'limitMargin+';
    const noise = action === 'hold' ? 0 : 0.01 * random.normal();
    return { action, propensities: LOGGING, expected, effect: TRUE_EFFECT[action]! + noise };
  });
}

describe('off-policy evaluation', () => {
  it('finds what a version would bring, with wrong expectations and with none', () => {
    for (const expected of [{}, { 'concurrency-': -0.05, 'limitMargin+': 0.05 }, TRUE_EFFECT]) {
      const { value, incumbentValue } = evaluateOffPolicy(logOf(4000, 1, expected), GOOD);
      expect(value).toBeCloseTo(0.02, 2);
      expect(incumbentValue).toBeCloseTo(0.003, 2);
    }
  });

  it('good expectations make it surer', () => {
    const plain = evaluateOffPolicy(logOf(1000, 3, {}), GOOD);
    const expecting = evaluateOffPolicy(logOf(1000, 3, TRUE_EFFECT), GOOD);
    expect(expecting.gainAtLeast).toBeGreaterThan(plain.gainAtLeast);
  });

  it('a better version may act once the log shows it; the same and a worse one may not', () => {
    const log = logOf(4000, 5, TRUE_EFFECT);
    expect(evaluateOffPolicy(log, GOOD)).toMatchObject({ mayAct: true });
    expect(evaluateOffPolicy(log.slice(0, 20), GOOD).mayAct).toBe(false);
    expect(evaluateOffPolicy(log, SAME).mayAct).toBe(false);
    expect(evaluateOffPolicy(log, WORSE).mayAct).toBe(false);
    expect(evaluateOffPolicy([], GOOD)).toMatchObject({ mayAct: false, gainAtLeast: -Infinity });
  });

  it('looked at after every decision, it lets the same version act in at most alpha of all logs', () => {
    let acted = 0;
    // Hold, then: nothing is gained. A narrow range makes the bound as tight as it gets.
    const rules = { ...EVALUATION_RULES, mostWeight: 2, mostEffect: 0.05 };
    const none: PolicyShares = () => ({ hold: 0.5, 'concurrency-': 0.5 });
    for (let seed = 0; seed < 60; seed++) {
      const log = logOf(80, seed * 7919, {}).map((one) => ({
        ...one,
        effect: one.effect - (TRUE_EFFECT[one.action] ?? 0),
      }));
      if (log.some((_, n) => evaluateOffPolicy(log.slice(0, n + 1), none, rules).mayAct)) acted++;
    }
    expect(acted).toBeLessThanOrEqual(8);
  });

  it('a weight beyond the most counts against the version, and a log without propensities proves nothing', () => {
    const rare: LoggedDecision = {
      ...{ action: 'limitMargin+', propensities: { hold: 0.99, 'limitMargin+': 0.01 }, expected: {}, effect: 0.1 },
    };
    const shares: PolicyShares = () => ({ 'limitMargin+': 1 });
    expect(evaluateOffPolicy([rare], shares).value).toBeCloseTo(10 * 0.1, 9);
    expect(() => evaluateOffPolicy([{ ...rare, propensities: { hold: 1 } }], shares)).toThrow(RangeError);
    expect(() => evaluateOffPolicy([rare], () => ({ 'spill+': 1 }))).toThrow(/was not allowed/);
  });
});
