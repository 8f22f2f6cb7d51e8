import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { reward } from './reward.js';
import type { RewardInput, RouteCounts } from './reward.js';

const route = fc
  .record({
    offered: fc.integer({ min: 1, max: 10_000 }),
    goodShare: fc.double({ min: 0, max: 1, noNaN: true }),
    valuePerRequest: fc.double({ min: 0.01, max: 10, noNaN: true }),
    attempts: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ goodShare, ...one }): RouteCounts => ({
    ...one,
    region: 'here',
    route: 'shop',
    withinDeadline: Math.floor(goodShare * one.offered),
  }));

function input(routes: readonly RouteCounts[], change: Partial<RewardInput> = {}): RewardInput {
  return { seconds: 10, routes, capacity: [], egress: [], changes: { count: 0, costPerChange: 0 }, ...change };
}

const routes = fc.array(route, { minLength: 1, maxLength: 5 });

describe('reward', () => {
  it('is currency per second: value earned less capacity, egress and change', () => {
    const one = reward({
      seconds: 10,
      routes: [
        { region: 'here', route: 'shop', offered: 1000, withinDeadline: 900, valuePerRequest: 0.5 },
        { region: 'there', route: 'shop', offered: 100, withinDeadline: 100, valuePerRequest: 1 },
      ],
      capacity: [{ region: 'here', instanceHours: 20, costPerInstanceHour: 1.5 }],
      egress: [{ gigabytes: 4, costPerGigabyte: 0.5 }],
      changes: { count: 3, costPerChange: 1 },
    });
    expect(one).toEqual({
      perSecond: 51.5,
      earnedPerSecond: 55,
      missedPerSecond: 5,
      capacityPerSecond: 3,
      egressPerSecond: 0.2,
      changePerSecond: 0.3,
      share: 515 / 600,
    });
  });

  it('retries add nothing: neither calls made nor second answers of the same request', () => {
    fc.assert(
      fc.property(routes, fc.integer({ min: 0, max: 100_000 }), (some, more) => {
        const plain = reward(input(some));
        const repeated = some.map((one) => ({ ...one, attempts: (one.attempts ?? 0) + more }));
        expect(reward(input(repeated))).toEqual(plain);
        const all = some.map((one) => ({ ...one, withinDeadline: one.offered }));
        const twice = some.map((one) => ({ ...one, withinDeadline: one.offered + more }));
        expect(reward(input(twice))).toEqual(reward(input(all)));
      }),
    );
  });

  it('one more answered in time is worth its value; one more cost is worth as much less', () => {
    fc.assert(
      fc.property(routes, fc.integer({ min: 1, max: 100 }), (some, more) => {
        const room = some.map((one) => ({ ...one, offered: one.offered + more }));
        const [first, ...rest] = room;
        const better = [{ ...first!, withinDeadline: first!.withinDeadline + more }, ...rest];
        const gained = reward(input(better)).perSecond - reward(input(room)).perSecond;
        expect(gained).toBeCloseTo((more * first!.valuePerRequest) / 10, 6);
        const dear = input(room, { changes: { count: more, costPerChange: 1 } });
        expect(reward(dear).perSecond).toBeCloseTo(reward(input(room)).perSecond - more / 10, 6);
      }),
    );
  });

  it('refused offered load counts against, and demand that is served alike does not', () => {
    fc.assert(
      fc.property(routes, fc.integer({ min: 1, max: 1000 }), (some, refused) => {
        const before = reward(input(some));
        const more = reward(input(some.map((one) => ({ ...one, offered: one.offered + refused }))));
        expect(more.missedPerSecond).toBeGreaterThan(before.missedPerSecond);
        if (before.share! > 0) expect(more.share!).toBeLessThan(before.share!);
        const doubled = some.map((one) => ({
          ...one,
          offered: 2 * one.offered,
          withinDeadline: 2 * one.withinDeadline,
        }));
        expect(reward(input(doubled)).share!).toBeCloseTo(before.share!, 9);
      }),
    );
  });

  it('nothing offered has no share, and an interval has a length', () => {
    expect(reward(input([])).share).toBeNull();
    expect(() => reward({ ...input([]), seconds: 0 })).toThrow(RangeError);
  });
});
