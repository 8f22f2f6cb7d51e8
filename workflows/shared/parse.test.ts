import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SETTING_FIELDS } from '../../core/spec/settings.js';
import { MESSAGE_NAMES } from '../regionLifecycle/messages.js';
import type { MessageRules } from './parse.js';
import { parseMessage, splitAddress } from './parse.js';

const RULES: MessageRules = {
  services: ['checkout', 'shop'],
  regions: ['eu-west', 'eu-central'],
  settingRules: SETTING_FIELDS,
};
const BASE = { key: 'k', who: 'ada', why: 'test' };

describe('parseMessage', () => {
  it.each([
    ['a rate', { address: 'checkout.rateLimit.rps', value: 60.5 }],
    ['a weight', { address: 'shop.weight.eu-central', value: 0 }],
    ['a name', { address: 'shop.lb.policy', value: 'ROUND_ROBIN' }],
    ['an expiry with a zone', { address: 'shop.timeout.requestMs', value: 900, until: '2030-01-01T00:00:00+02:00' }],
  ])('accepts %s', (_, fields) => {
    expect(parseMessage('override', { ...BASE, ...fields }, RULES).ok).toBe(true);
  });

  it.each([
    ['a service of another region', { address: 'cart.rateLimit.rps', value: 1 }, 'names no service'],
    ['a misspelt setting', { address: 'shop.rateLimit.rsp', value: 1 }, 'names no setting'],
    ['an inherited property', { address: 'shop.constructor', value: 1 }, 'names no setting'],
    ['a region that is no neighbour', { address: 'shop.weight.us-east', value: 1 }, 'names no setting'],
    ['a value out of range', { address: 'shop.weight.eu-west', value: 101 }, 'at most 100 percent'],
    ['a fraction of a request', { address: 'shop.breaker.maxRequests', value: 1.5 }, 'whole number'],
    ['text for a number', { address: 'shop.rateLimit.rps', value: '60' }, 'must be a number'],
    ['an unknown policy', { address: 'shop.lb.policy', value: 'BEST' }, 'one of LEAST_REQUEST, ROUND_ROBIN'],
    [
      'a misspelt field',
      { address: 'shop.rateLimit.rps', value: 1, utnil: '2030-01-01T00:00:00Z' },
      'no field "utnil"',
    ],
    ['an expiry without a zone', { address: 'shop.rateLimit.rps', value: 1, until: '2030-01-01T00:00:00' }, 'zone'],
  ])('refuses %s and says why', (_, fields, reason) => {
    const parsed = parseMessage('override', { ...BASE, ...fields }, RULES);
    expect(parsed).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  });

  it('names every problem of a message at once', () => {
    const parsed = parseMessage('override', { key: '', who: 1, address: 'x.y', value: null }, RULES);
    if (parsed.ok) throw new Error('accepted');
    for (const part of ['key', 'who', 'why', 'names no service', 'names no setting'])
      expect(parsed.reason).toContain(part);
  });

  it('takes anything for a message without throwing, and accepts none that lacks who and why', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MESSAGE_NAMES), fc.anything(), (name, raw) => {
        const parsed = parseMessage(name, raw, RULES);
        if (!parsed.ok) return parsed.reason.length > 0;
        const { who, why } = raw as { who?: unknown; why?: unknown };
        return typeof who === 'string' && typeof why === 'string';
      }),
      { numRuns: 500 },
    );
  });

  it('splits an address at its first dot', () => {
    expect(splitAddress('checkout.rateLimit.rps')).toEqual({ service: 'checkout', field: 'rateLimit.rps' });
  });
});
