import { describe, expect, it } from '@jest/globals';
import { observation, seen, serviceContext } from './fixtures.js';
import { judgeAdjustment } from './judgeAdjustment.js';

const operate = { tickSeconds: 10, maxStepFraction: 0.1, maxInconclusiveTicks: 3, minRequestsPerTick: 50 };
const services = [serviceContext('shop', { callees: ['pay'] }), serviceContext('pay')];
const overSlo = { p99Ms: 400, active: 14 };

function verdict(
  direction: 'raise' | 'lower',
  after: Parameters<typeof seen>[1],
  options: {
    before?: Parameters<typeof seen>[1];
    pay?: Parameters<typeof seen>[1];
    ticks?: number;
    completeness?: number;
  } = {},
): ReturnType<typeof judgeAdjustment> {
  const to = direction === 'raise' ? 42 : 38;
  const adjustment = { address: 'shop.breaker.maxRequests', from: 40, to, reason: '', planHash: '', madeAt: '' };
  return judgeAdjustment({
    inFlight: {
      adjustment,
      service: 'shop',
      baseline: seen('shop', options.before),
      inconclusiveTicks: options.ticks ?? 0,
    },
    observation: observation([seen('shop', after), seen('pay', options.pay)], options.completeness ?? 1),
    services,
    operate,
  });
}

describe('judgeAdjustment', () => {
  it('keeps a raise that stays inside the SLO and reverts one that leaves it', () => {
    expect(verdict('raise', {})).toMatchObject({ verdict: 'successful', action: 'keep' });
    expect(verdict('raise', overSlo)).toMatchObject({ verdict: 'failed', action: 'revert' });
    expect(verdict('raise', {}, { pay: overSlo })).toMatchObject({ verdict: 'failed', action: 'revert' });
    expect(verdict('raise', { errorRate: 0.1 })).toMatchObject({ verdict: 'failed', action: 'revert' });
  });

  it('keeps a lowering that helps', () => {
    expect(verdict('lower', {}, { before: overSlo })).toMatchObject({ verdict: 'successful', action: 'keep' });
    expect(verdict('lower', { p99Ms: 300 }, { before: overSlo })).toMatchObject({ action: 'keep' });
  });

  it('reverts a lowering that refuses more and helps nobody', () => {
    const errors = { upstream5xx: 0, breaker: 30, rateLimited: 0, timeout: 0, connect: 0 };
    expect(verdict('lower', { ...overSlo, errors }, { before: overSlo })).toMatchObject({ action: 'revert' });
    expect(verdict('lower', { p99Ms: 500 }, { before: overSlo })).toMatchObject({ verdict: 'failed' });
  });

  it('waits when it cannot tell, and goes back when that lasts', () => {
    expect(verdict('lower', overSlo, { before: overSlo })).toMatchObject({ verdict: 'inconclusive', action: 'wait' });
    expect(verdict('raise', { requests: 10 })).toMatchObject({ verdict: 'inconclusive', action: 'wait' });
    expect(verdict('raise', {}, { completeness: 0.5, ticks: 1 })).toMatchObject({ action: 'wait' });
    expect(verdict('raise', {}, { completeness: 0.5, ticks: 2 })).toMatchObject({
      verdict: 'inconclusive',
      action: 'revert',
    });
  });

  it('gives no verdict on a window that began before the change, and does not go back for that alone', () => {
    const adjustment = { address: 'shop.breaker.maxRequests', from: 40, to: 42, reason: '', planHash: '' };
    const judged = (madeAt: string, inconclusiveTicks: number): ReturnType<typeof judgeAdjustment> =>
      judgeAdjustment({
        inFlight: { adjustment: { ...adjustment, madeAt }, service: 'shop', baseline: seen('shop'), inconclusiveTicks },
        // Of ten seconds, and at its end 00:00:10.
        observation: observation([seen('shop'), seen('pay')]),
        services,
        operate: { ...operate, maxInconclusiveTicks: 1 },
      });
    expect(judged('2026-01-01T00:00:00.100Z', 0)).toMatchObject({ verdict: 'inconclusive', action: 'wait' });
    expect(judged('2026-01-01T00:00:00.100Z', 1)).toMatchObject({ verdict: 'inconclusive', action: 'revert' });
    expect(judged('2026-01-01T00:00:00.000Z', 0)).toMatchObject({ verdict: 'successful', action: 'keep' });
  });
});
