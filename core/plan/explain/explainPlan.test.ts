import { describe, expect, it } from '@jest/globals';

import { SETTING_FIELDS } from '../../spec/settings.js';
import { explainPlan } from './explainPlan.js';
import { planned, plannedService, plannedWindows } from './fixtures.js';

const cart = plannedService('cart', { bounds: { 'rateLimit.rps': { min: 300, max: 500 } } });
const plan = planned(
  plannedWindows([[cart, plannedService('stock')], [plannedService('stock', { instances: 7 })], []]),
);

describe('explainPlan', () => {
  it('gives every setting, weight and count of a service with its reason', () => {
    const explained = explainPlan(plan, { service: 'cart' });
    expect(explained.map((one) => one.address).sort()).toEqual(
      ['instances', 'weight.north', 'weight.south', ...Object.keys(SETTING_FIELDS)].map((key) => `cart.${key}`).sort(),
    );
    expect(explained).toContainEqual({
      window: '2026-01-01T00:00:00.000Z',
      service: 'cart',
      address: 'cart.rateLimit.rps',
      value: 400,
      unit: 'rps',
      reason: 'rateLimit.rps by the rule',
      inputs: {},
      bounds: { min: 300, max: 500 },
    });
    expect(explained).toContainEqual(
      expect.objectContaining({ address: 'cart.instances', value: 4, unit: 'count', inputs: { demandRps: 100 } }),
    );
    expect(explained).toContainEqual(
      expect.objectContaining({ address: 'cart.weight.south', value: 0, unit: 'percent', reason: 'capacity of south' }),
    );
  });

  it.each([
    ['of the first window', { window: '2026-01-01T00:30:00Z' }, ['cart 4', 'stock 4']],
    ['of a later one, with what it inherits', { window: '2026-01-01T01:00:00Z' }, ['cart 4', 'stock 7']],
    ['of one that changes nothing', { window: '2026-01-01T02:59:00Z' }, ['cart 4', 'stock 7']],
    ['of none outside the horizon', { window: '2026-01-01T03:00:00Z' }, []],
    ['of no service that there is not', { service: 'nobody' }, []],
    ['window by window, only what each changes', {}, ['cart 4', 'stock 4', 'stock 7']],
  ])('tells %s', (_, options, counts) => {
    const told = explainPlan(plan, options).filter((one) => one.address.endsWith('.instances'));
    expect(told.map((one) => `${one.service} ${one.value}`)).toEqual(counts);
  });

  it('tells what later versions of the plan add', () => {
    const later = {
      ...cart,
      admission: { value: 0.8, reason: 'too much demand' },
      warmth: { value: 3, reason: 'cold' },
      odd: [1],
    };
    const told = explainPlan(planned(plannedWindows([[later]])));
    expect(told).toContainEqual(expect.objectContaining({ address: 'cart.admission', value: 0.8, unit: 'share' }));
    expect(told).toContainEqual(expect.objectContaining({ address: 'cart.warmth', value: 3, reason: 'cold' }));
  });
});
