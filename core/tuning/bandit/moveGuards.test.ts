import { describe, expect, it } from '@jest/globals';

import type { TunedSettings } from './coefficients.js';
import { HARM_RULES, brakes, newWatch, watchTick, watched } from './harm.js';
import type { Seen } from './harm.js';
import { MOVE_GUARDS, refusal } from './moveGuards.js';
import type { MoveContext, MoveGuardName } from './moveGuards.js';

const settings: TunedSettings = {
  'rateLimit.rps': 100,
  'rateLimit.burst': 60,
  'inbound.maxRequests': 20,
  'breaker.maxRequests': 40,
  'breaker.maxPendingRequests': 40,
  'breaker.maxConnections': 80,
};
const RAISED = { ...settings, 'rateLimit.rps': 110 };
const LOWERED = { ...settings, 'rateLimit.rps': 93 };

const free: MoveContext = {
  service: 'shop',
  move: { family: 'limitMargin', direction: 1 },
  ...{ current: settings, next: RAISED },
  ...{ isKilled: false, isFrozen: false, isBraked: false, overrides: {}, doubt: null },
  ...{ requests: 500, fewestRequests: 50, trust: 'fair', forecastRps: 150, proxies: 2 },
  ...{ inFlight: [], neighbours: ['cart', 'front'], missedShare: 0.1, refused: 9, failed: 9, utilisation: 0.9 },
};

describe('guards of a move', () => {
  it('let through what nothing speaks against', () => {
    expect(refusal(free)).toBeNull();
    expect(refusal({ ...free, next: LOWERED })).toBeNull();
  });

  const refusals: readonly (readonly [MoveGuardName, Partial<MoveContext>, RegExp])[] = [
    ['killSwitch', { isKilled: true }, /switched off/],
    ['freeze', { isFrozen: true }, /frozen/],
    ['brake', { isBraked: true }, /regress together/],
    ['override', { overrides: { 'rateLimit.rps': 'ada' } }, /ada has set rateLimit.rps by hand/],
    ['evidence', { doubt: 'only 50 % of the proxies answered in time' }, /50 %/],
    ['traffic', { requests: 49 }, /49 requests in the tick, 50 are needed/],
    ['trust', { trust: 'none' }, /no trust/],
    ['trust', { trust: 'low', next: LOWERED }, /nothing is lowered/],
    ['neighbourhood', { inFlight: ['cart'] }, /a change of cart has no verdict yet/],
    ['neighbourhood', { inFlight: ['shop'] }, /a change of shop/],
    ['nothingToWin', { missedShare: 0.001 }, /hardly anything/],
    ['effect', { next: settings }, /no room to move/],
    ['binds', { refused: 0 }, /refused nothing/],
    ['binds', { next: LOWERED, utilisation: 0.3 }, /time to spare/],
    ['binds', { next: LOWERED, failed: 0 }, /nothing was late/],
    ['forecastFloor', { next: LOWERED, forecastRps: 190 }, /95.0 rps at each proxy/],
    ['forecastFloor', { next: LOWERED, forecastRps: null }, /no forecast/],
  ];
  it.each(refusals)('%s refuses: %j', (guard, change, reason) => {
    const answer = refusal({ ...free, ...change });
    expect(answer).toMatchObject({ guard });
    expect(answer!.reason).toMatch(reason);
  });

  it('each has a case above', () => {
    expect([...new Set(refusals.map(([guard]) => guard))]).toEqual(Object.keys(MOVE_GUARDS));
  });

  it('low trust lets raise, an override of another field does not hinder, and others’ changes far away neither', () => {
    expect(refusal({ ...free, trust: 'low' })).toBeNull();
    expect(refusal({ ...free, overrides: { 'inbound.maxRequests': 'ada' } })).toBeNull();
    expect(refusal({ ...free, inFlight: ['mail'] })).toBeNull();
  });
});

describe('what was adopted is watched', () => {
  const calm: Seen[] = [0.97, 0.98, 0.99, 0.98].map((share) => ({ share, offeredRps: 100 }));
  const watch = newWatch(watched(calm));
  const after = (ticks: readonly Seen[]): string[] => {
    let now = watch;
    return ticks.map((seen) => {
      const { watch: next, state } = watchTick(now, seen, HARM_RULES);
      now = next;
      return state;
    });
  };

  it('harm is taken back within two ticks', () => {
    expect(after([0.9, 0.9].map((share) => ({ share, offeredRps: 100 })))).toEqual(['watch', 'harm']);
  });

  it('one bad tick, and a loss under more load, are not the change’s', () => {
    const mixed = [0.9, ...Array.from({ length: 14 }, (_, n) => 0.975 + 0.01 * (n % 2))];
    const states = after(mixed.map((share) => ({ share, offeredRps: 100 })));
    expect(states).toEqual([...Array.from({ length: 14 }, () => 'watch'), 'kept']);
    const surge = [0.5, 0.5, 0.5].map((share) => ({ share, offeredRps: 150 }));
    expect(after(surge)).toEqual(['watch', 'watch', 'watch']);
  });

  it('a little worse for long is given up too', () => {
    const states = after(Array.from({ length: 15 }, (_, n) => ({ share: 0.955 + 0.01 * (n % 2), offeredRps: 100 })));
    expect(states.indexOf('worse')).toBeGreaterThan(2);
    expect(states).not.toContain('kept');
  });

  it('the brake stops all when several lose together', () => {
    expect(brakes([0.06, 0.2], HARM_RULES)).toBe(true);
    expect(brakes([0.2, 0.04, -0.1], HARM_RULES)).toBe(false);
    expect(brakes([], HARM_RULES)).toBe(false);
  });
});
