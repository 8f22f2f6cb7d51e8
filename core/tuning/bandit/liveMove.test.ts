import { describe, expect, it } from '@jest/globals';

import { serviceContext, tuningContext } from '../fixtures.js';
import type { TuningContext } from '../types.js';
import { PLANNED } from './coefficients.js';
import type { PlannedService } from './coefficients.js';
import { liveMove } from './liveMove.js';

const planned: PlannedService = {
  criticality: 'normal',
  settings: {
    'rateLimit.rps': 100,
    'rateLimit.burst': 50,
    'inbound.maxRequests': 40,
    'breaker.maxRequests': 40,
    'breaker.maxPendingRequests': 40,
    'breaker.maxConnections': 80,
  },
  bounds: { 'rateLimit.rps': { min: 20, max: 200 }, 'breaker.maxRequests': { min: 4, max: 80 } },
  workersPerInstance: 4,
  behindInbound: false,
};
const UP = { ...PLANNED, limitMargin: 1 };

function move(to = UP, change: Partial<TuningContext> = {}): ReturnType<typeof liveMove> {
  return liveMove('shop', planned, to, tuningContext(change));
}

describe('a move of coefficients in operation', () => {
  it('is the changes of settings that it makes', () => {
    const change = { service: 'shop', field: 'rateLimit.rps', from: 100, to: 110 };
    expect(move()).toEqual({ ok: true, changes: [change], isWhole: true });
    expect(move(PLANNED)).toEqual({ ok: true, changes: [], isWhole: true });
  });

  it('is shortened by the step guard, and then not whole', () => {
    const shorter = move({ ...PLANNED, concurrency: 1 });
    expect(shorter).toMatchObject({ ok: true, isWhole: false, changes: [{ from: 40, to: 44 }] });
  });

  it('is refused by any guard that refuses an adjustment', () => {
    expect(move(UP, { frozen: true })).toMatchObject({ ok: false, guard: 'frozen' });
    const untrusted = { services: [serviceContext('shop', { trust: 'none' })] };
    expect(move(UP, untrusted)).toMatchObject({ ok: false, guard: 'trust' });
    const observing = { level: 'observe', rules: [], takenOver: false, answers: [], least: 'act' } as const;
    expect(move(UP, { autonomy: observing })).toMatchObject({ ok: false, guard: 'autonomy' });
  });
});
