import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { autonomyOf } from '../spec/autonomy.js';
import type { Autonomy, AutonomyRule } from '../spec/region.js';
import { serviceContext, tuningContext } from './fixtures.js';
import { autonomyGuard, effectiveLevel, guard } from './guards.js';
import type { AnsweredChange, AutonomyContext, Change, TuningContext } from './types.js';

const PLAN = tuningContext().planHash;
const raise: Change = { service: 'shop', field: 'rateLimit.rps', from: 100, to: 105 };
const approved: AnsweredChange = {
  ...{ address: 'shop.rateLimit.rps', from: 100, to: 104, planHash: PLAN, answer: 'approved', who: 'ada' },
};

function context(change: Partial<AutonomyContext> = {}): TuningContext {
  const autonomy: AutonomyContext = {
    level: 'approve',
    rules: [],
    takenOver: false,
    answers: [],
    least: 'act',
    ...change,
  };
  return tuningContext({ autonomy });
}

describe('autonomyGuard', () => {
  it('lets everything through where nobody speaks of autonomy', () => {
    expect(autonomyGuard(raise, tuningContext())).toEqual({ ok: true, to: 105 });
  });

  it.each<[Autonomy, boolean, boolean]>([
    ['observe', false, false],
    ['suggest', false, true],
    ['approve', false, true],
    ['act', true, true],
  ])('%s: to be made %s, to be shown %s', (level, made, shown) => {
    expect(autonomyGuard(raise, context({ level })).ok).toBe(made);
    expect(autonomyGuard(raise, context({ level, least: 'suggest' })).ok).toBe(shown);
    expect(autonomyGuard(raise, context({ level, takenOver: true })).ok).toBe(false);
    expect(autonomyGuard(raise, context({ level, takenOver: true, least: 'suggest' })).ok).toBe(shown);
  });

  it('goes as far as a person approved, and no further', () => {
    expect(autonomyGuard(raise, context({ answers: [approved] }))).toEqual({ ok: true, to: 104 });
    expect(autonomyGuard({ ...raise, to: 102 }, context({ answers: [approved] }))).toEqual({ ok: true, to: 102 });
  });

  it.each([
    ['of another setting', { address: 'shop.breaker.maxRequests' }],
    ['of another value', { from: 99 }],
    ['in the other direction', { to: 95 }],
    ['of another plan', { planHash: 'b'.repeat(64) }],
    ['that was taken back', { answer: 'rejected' as const }],
  ])('an approval %s is none', (_, change) => {
    expect(autonomyGuard(raise, context({ answers: [{ ...approved, ...change }] })).ok).toBe(false);
  });

  it('the newest word counts; a rejected change is not shown either', () => {
    const rejected = { ...approved, answer: 'rejected' as const };
    expect(autonomyGuard(raise, context({ answers: [approved, rejected], least: 'suggest' })).ok).toBe(false);
    expect(autonomyGuard(raise, context({ answers: [rejected, approved] })).ok).toBe(true);
  });

  it.each<[string, Partial<AutonomyContext>]>([
    ['suggest', { level: 'suggest' }],
    ['observe', { rules: [{ level: 'observe', class: 'rateLimit' }] }],
    ['taken over', { takenOver: true }],
  ])('an approval counts at level approve alone: %s', (_, change) => {
    expect(autonomyGuard(raise, context({ answers: [approved], ...change })).ok).toBe(false);
  });
});

describe('guard, whatever the rules, answers and changes are', () => {
  const level = fc.constantFrom<Autonomy>('observe', 'suggest', 'approve', 'act');
  const field = fc.constantFrom('rateLimit.rps' as const, 'breaker.maxRequests' as const);
  const rule: fc.Arbitrary<AutonomyRule> = fc.record(
    { level, service: fc.constantFrom('shop', 'cart'), class: fc.constantFrom('rateLimit', 'breaker') },
    { requiredKeys: ['level'] },
  );
  const value = fc.integer({ min: 30, max: 60 });
  const change: fc.Arbitrary<Change> = fc.record({
    service: fc.constantFrom('shop', 'cart'),
    field,
    from: value,
    to: value,
  });
  const answer: fc.Arbitrary<AnsweredChange> = fc.record({
    address: fc.tuple(fc.constantFrom('shop', 'cart'), field).map((parts) => parts.join('.')),
    ...{ from: value, to: value, planHash: fc.constantFrom(PLAN, 'other') },
    ...{ answer: fc.constantFrom('approved' as const, 'rejected' as const), who: fc.constant('ada') },
  });
  const autonomy: fc.Arbitrary<AutonomyContext> = fc.record({
    ...{ level, rules: fc.array(rule, { maxLength: 4 }), takenOver: fc.boolean() },
    ...{ answers: fc.array(answer, { maxLength: 6 }), least: fc.constantFrom('act' as const, 'suggest' as const) },
  });
  const services = [serviceContext('shop'), serviceContext('cart')];

  it('no change is made that is below act and not approved, and none is larger than what was approved', () => {
    let through = 0;
    fc.assert(
      fc.property(autonomy, change, fc.boolean(), (given, wanted, withAnswer) => {
        const own: AnsweredChange = { ...approved, ...wanted, address: `${wanted.service}.${wanted.field}` };
        const answers = withAnswer ? [...given.answers, own] : given.answers;
        const result = guard(wanted, tuningContext({ services, autonomy: { ...given, answers, least: 'act' } }));
        if (!result.ok) return;
        through += 1;
        expect(given.takenOver).toBe(false);
        const ownLevel = autonomyOf(given.level, given.rules, wanted.service, wanted.field);
        if (ownLevel === 'act') return;
        expect(ownLevel).toBe('approve');
        const covered = answers.some(
          (one) =>
            one.answer === 'approved' &&
            one.address === own.address &&
            one.planHash === PLAN &&
            one.from === wanted.from &&
            Math.sign(one.to - one.from) === Math.sign(result.change.to - wanted.from) &&
            Math.abs(one.to - one.from) >= Math.abs(result.change.to - wanted.from),
        );
        expect(covered).toBe(true);
      }),
      { numRuns: 2000, seed: 7 },
    );
    expect(through).toBeGreaterThan(50);
  });

  it('what is shown is at level suggest or above, and never what nobody may see', () => {
    fc.assert(
      fc.property(autonomy, change, (given, wanted) => {
        const result = guard(wanted, tuningContext({ services, autonomy: { ...given, least: 'suggest' } }));
        if (result.ok) expect(effectiveLevel(given, wanted)).not.toBe('observe');
      }),
      { numRuns: 1000, seed: 7 },
    );
  });
});
