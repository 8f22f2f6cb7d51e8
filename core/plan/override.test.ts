import { describe, expect, it } from '@jest/globals';

import { shopRegion } from '../../test/fixtures/regionSpec.js';
import type { SettingValue } from '../spec/settings.js';
import { checkWeights, validateOverride } from './override.js';

const region = shopRegion();
const override = (address: string, value: SettingValue) => ({ address, value, who: 'ada', why: 'the sale' });
const check = (address: string, value: SettingValue) => validateOverride(region, override(address, value));

describe('validateOverride', () => {
  it('accepts every kind of setting in range', () => {
    for (const [address, value] of [
      ['front.rateLimit.rps', 12.5],
      ['front.lb.policy', 'ROUND_ROBIN'],
      ['front.weight.south', 0],
      ['stock.retry.maxPerRequest', 0],
      ['stock.lb.policy', 'RANDOM'],
      ['stock.lb.slowStartMs', 30_000],
      ['stock.inbound.maxRequests', 8],
      ['stock.inbound.retryRps', 0.5],
    ] as const) {
      expect([address, check(address, value)]).toEqual([address, []]);
    }
  });

  it.each([
    ['fornt.rateLimit.rps', 'did you mean front.rateLimit.rps?'],
    ['front.rateLimt.rps', 'did you mean front.rateLimit.rps?'],
    ['front.weight.suoth', 'did you mean front.weight.south?'],
    ['front', 'write <service>.<setting> or <service>.weight.<region>, e.g. front.rateLimit.rps'],
    ['', 'write <service>.<setting> or <service>.weight.<region>, e.g. front.rateLimit.rps'],
  ])('refuses the unknown address %p with a suggestion', (address, fix) => {
    expect(check(address, 1)).toMatchObject([{ code: 'override-address', field: 'address', fix }]);
  });

  it.each<[string, SettingValue, string]>([
    ['front.rateLimit.rps', 0, 'below 1'],
    ['front.rateLimit.rps', 1e9, 'above 1000000'],
    ['front.rateLimit.rps', '100', 'no number'],
    ['front.rateLimit.rps', Number.NaN, 'no number'],
    ['front.breaker.maxRequests', 1.5, 'not whole'],
    ['front.lb.policy', 'BEST', '"BEST"'],
    ['front.lb.policy', 'RING_HASH', 'front states no affinity'],
    ['front.lb.policy', 'MAGLEV', 'front states no affinity'],
    ['front.lb.slowStartMs', -1, 'below 0'],
    ['front.inbound.maxRequests', 0, 'below 1'],
    ['front.lb.policy', 1, '1'],
    ['front.weight.south', 101, 'above 100'],
    ['front.weight.south', 12.5, 'not whole'],
  ])('refuses %s = %p', (address, value, message) => {
    const [problem, ...more] = check(address, value);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ code: 'override-value', message: expect.stringContaining(message) });
    expect(problem?.expected).toBeDefined();
  });
});

it('accepts a hash where there is something to hash', () => {
  const services = region.services.map((one) => ({ ...one, affinity: { header: 'x-user' } }));
  expect(validateOverride({ ...region, services }, override('front.lb.policy', 'RING_HASH'))).toEqual([]);
});

describe('checkWeights', () => {
  it('accepts what can be brought to 100, and nothing else', () => {
    const weights = (...pairs: [string, number][]) =>
      checkWeights(
        region,
        pairs.map(([name, value]) => override(name, value)),
      );
    expect(weights(['front.weight.south', 40])).toEqual([]);
    expect(weights(['front.weight.south', 40], ['front.weight.north', 60])).toEqual([]);
    expect(weights(['front.weight.south', 100], ['cart.weight.south', 100])).toEqual([]);
    expect(weights(['front.weight.south', 40], ['front.weight.north', 50])).toMatchObject([
      { code: 'override-weights', field: 'front.weight' },
    ]);
    expect(weights(['cart.weight.south', 90], ['cart.weight.north', 20])).toMatchObject([
      { message: expect.stringContaining('110') },
    ]);
  });
});
