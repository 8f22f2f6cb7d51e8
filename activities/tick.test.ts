import { describe, expect, it } from '@jest/globals';
import { decide } from './tick.js';
import type { TickDecision } from './contract.js';
import { proposalId } from '../core/spec/autonomy.js';
import type { Autonomy } from '../core/spec/region.js';
import type { Observation } from '../core/spec/observation.js';
import { observation, seen, serviceContext, tuningContext } from '../core/tuning/fixtures.js';
import type { AutonomyContext, InFlightAdjustment, TuningContext } from '../core/tuning/types.js';

/** Both services have a limit that refuses while they are inside their SLO; the shop's refuses more. */
const BINDING: Observation = observation([refusing('shop', 50), refusing('cart', 20)]);

function refusing(service: string, rateLimited: number): ReturnType<typeof seen> {
  const errors = { upstream5xx: 0, breaker: 0, rateLimited, timeout: 0, connect: 0 };
  return seen(service, { errors });
}

function contextOf(autonomy: Partial<AutonomyContext>, change: Partial<TuningContext> = {}): TuningContext {
  const all: AutonomyContext = { level: 'act', rules: [], takenOver: false, answers: [], least: 'act', ...autonomy };
  const services = [serviceContext('shop'), serviceContext('cart')];
  return tuningContext({ observation: BINDING, services, autonomy: all, ...change });
}

function decided(autonomy: Partial<AutonomyContext>, change: Partial<TuningContext> = {}): TickDecision {
  return decide(contextOf(autonomy, change), BINDING).decision;
}

const SHOP = { address: 'shop.rateLimit.rps', from: 100, to: 105, planHash: 'a'.repeat(64) };
const CART = { ...SHOP, address: 'cart.rateLimit.rps' };

describe('a tick', () => {
  it.each<[Autonomy, object]>([
    ['act', { kind: 'adjust', adjustment: SHOP, level: 'act' }],
    ['approve', { kind: 'adjust', adjustment: SHOP, level: 'approve', id: proposalId(SHOP) }],
    ['suggest', { kind: 'adjust', adjustment: SHOP, level: 'suggest' }],
    ['observe', { kind: 'none', reason: expect.stringContaining('autonomy of shop.rateLimit.rps is observe') }],
  ])('at level %s', (level, expected) => {
    expect(decided({ level })).toMatchObject(expected);
  });

  it('makes what it may before it shows what it may not, by service and class', () => {
    const rules = [{ level: 'approve' as const, service: 'shop' }];
    expect(decided({ rules })).toMatchObject({ adjustment: CART, level: 'act' });
    const both = [...rules, { level: 'observe' as const, service: 'cart', class: 'rateLimit' }];
    expect(decided({ rules: both })).toMatchObject({ adjustment: SHOP, level: 'approve' });
    expect(decided({ level: 'observe', rules: [{ level: 'act', service: 'cart' }] })).toMatchObject({
      adjustment: CART,
      level: 'act',
    });
  });

  it('only suggests while a person has the region', () => {
    expect(decided({ takenOver: true })).toMatchObject({ adjustment: SHOP, level: 'suggest' });
    expect(decided({ takenOver: true, level: 'observe' }).kind).toBe('none');
  });

  it('makes what was approved, asks no more for what was rejected, and neither in a freeze', () => {
    const approved = { ...SHOP, answer: 'approved' as const, who: 'ada' };
    expect(decided({ level: 'approve', answers: [approved] })).toMatchObject({ adjustment: SHOP, level: 'act' });
    const rejected = { ...approved, answer: 'rejected' as const };
    expect(decided({ level: 'approve', answers: [rejected] })).toMatchObject({ adjustment: CART, level: 'approve' });
    expect(decided({ level: 'approve', answers: [approved] }, { frozen: true })).toEqual({
      kind: 'none',
      reason: expect.stringContaining('the region is frozen'),
    });
  });

  it.each<[Autonomy, boolean]>([
    ['observe', false],
    ['suggest', false],
    ['approve', false],
    ['act', true],
  ])('reverts a change in flight that failed, at level %s and taken over: %s', (level, takenOver) => {
    const flight: InFlightAdjustment = {
      adjustment: { ...SHOP, reason: 'test', madeAt: '2025-12-31T00:00:00.000Z' },
      ...{ service: 'shop', baseline: seen('shop'), inconclusiveTicks: 0 },
    };
    const slow = observation([seen('shop', { p99Ms: 500 })]);
    const context = contextOf({ level, takenOver }, { observation: slow, inFlight: flight, frozen: true });
    expect(decide(context, slow).decision.kind).toBe('revert');
  });
});
