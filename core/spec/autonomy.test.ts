import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { autonomyOf, goesAsFarAs, proposalId } from './autonomy.js';
import type { Autonomy, AutonomyRule } from './region.js';

const level = fc.constantFrom<Autonomy>('observe', 'suggest', 'approve', 'act');
const rule: fc.Arbitrary<AutonomyRule> = fc.record(
  { level, service: fc.constantFrom('shop', 'cart'), class: fc.constantFrom('rateLimit', 'breaker', 'weight') },
  { requiredKeys: ['level'] },
);

describe('autonomyOf', () => {
  const rules: AutonomyRule[] = [
    { level: 'act', service: 'shop' },
    { level: 'approve', class: 'rateLimit' },
    { level: 'observe', service: 'cart', class: 'weight' },
  ];

  it.each([
    ['shop', 'breaker.maxRequests', 'act'],
    ['shop', 'rateLimit.rps', 'approve'],
    ['cart', 'rateLimit.burst', 'approve'],
    ['cart', 'weight.eu-west', 'observe'],
    ['cart', 'breaker.maxRequests', 'suggest'],
    ['cart', 'rateLimitOther.rps', 'suggest'],
  ])('the last rule that fits wins: %s.%s', (service, field, expected) => {
    expect(autonomyOf('suggest', rules, service, field)).toBe(expected);
  });

  it('a rule for everything at the end decides everything; none leaves the level of the region', () => {
    fc.assert(
      fc.property(level, fc.array(rule), level, (base, some, last) => {
        expect(autonomyOf(base, [...some, { level: last }], 'shop', 'rateLimit.rps')).toBe(last);
        expect(autonomyOf(base, [], 'shop', 'rateLimit.rps')).toBe(base);
        const foreign = some.map((one) => ({ ...one, service: 'other' }));
        expect(autonomyOf(base, foreign, 'shop', 'rateLimit.rps')).toBe(base);
      }),
    );
  });
});

it('levels are in order', () => {
  const ordered: Autonomy[] = ['observe', 'suggest', 'approve', 'act'];
  for (const [i, one] of ordered.entries())
    for (const [j, other] of ordered.entries()) expect(goesAsFarAs(one, other)).toBe(i >= j);
});

it('a proposal is named by address, values and plan, and by nothing else', () => {
  const change = { address: 'shop.rateLimit.rps', from: 100, to: 105, planHash: 'p1' };
  const id = proposalId(change);
  expect(id).toMatch(/^[0-9a-f]{12}$/);
  expect(proposalId({ ...change })).toBe(id);
  const others = [{ address: 'cart.rateLimit.rps' }, { from: 99 }, { to: 104 }, { planHash: 'p2' }];
  expect(new Set([id, ...others.map((other) => proposalId({ ...change, ...other }))]).size).toBe(5);
});
