import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import * as check from './thirtyDaysChecks.js';
import type { Lived } from './thirtyDaysStage.js';
import { live } from './thirtyDaysStage.js';

jest.setTimeout(900_000);

let lived: Lived;

beforeAll(async () => {
  lived = await live((life) =>
    life
      .override([1, 10], 101, [1, 16])
      .override([2, 20], 102, [3, 1], [3, 9])
      .freeze([4, 13], [5, 6])
      .takeOver([6, 10], [7, 10])
      .build([10, 12.5], 2)
      .act([11, 10], ({ person }) => person.update('set-autonomy', { level: 'suggest', class: 'rateLimit' }))
      .act([11, 15], ({ person }) => person.update('set-autonomy', { level: 'act', class: 'rateLimit' }))
      .unanswered([13, 1])
      .approved([13, 20])
      .build([20, 12.5], 3)
      .act([21, 10], ({ person }) => person.update('continue-as-new'))
      .override([25, 12.5], 103, [25, 14], [25, 15])
      .freeze([25, 13], [25, 15])
      .write(
        [30, 0],
        [
          [12, 17],
          [12, 19],
        ],
        [2, 9, 16, 23].map((day) => [
          [day, 22],
          [day + 1, 9],
        ]),
      ),
  );
});

describe('thirty days of a region, with the clock skipped', () => {
  it('have their ticks, and those in a freeze know of it', () => check.checkTicks(lived));

  it('follow every planned window that nobody holds, and those that are held as soon as they may', () => {
    expect(check.checkWindows(lived)).toEqual({ followed: 108, late: 6, passedOver: 8 });
  });

  it('plan anew by the day; one plan is not approved in time, one is', () => {
    const plans = check.checkPlans(lived, 1);
    expect(plans).toBeGreaterThanOrEqual(29);
    expect(plans).toBeLessThanOrEqual(33);
    expect(lived.outside.noted('approval-expired')).toHaveLength(1);
    expect(lived.outside.noted('approved').filter(({ who }) => who === 'ada')).toHaveLength(1);
  });

  it('end overrides when their time is over, and after a freeze in which it passed', () => check.checkExpiries(lived));

  it('are written by one writer after the other', () => check.checkWrites(lived));

  it('keep the limits of runs, and no workflow task fails while three builds take over from each other', () => {
    const { region, adjustment, outside } = lived;
    check.checkRuns([...region, ...adjustment]);
    expect(region.length).toBeGreaterThan(1);
    expect(adjustment.length).toBeGreaterThan(15);
    const shared = check.sharedRuns([...region, ...adjustment]).join();
    expect(shared).toMatch(/build-1 → .*build-2/);
    expect(shared).toMatch(/build-2 → .*build-3/);
    expect(adjustment.some(({ patches }) => patches.includes('half-as-many-reports'))).toBe(true);
    expect(region.some(({ patches }) => patches.includes('targets-before-a-plan'))).toBe(true);
    expect(outside.timesOf('readTargets').length).toBeGreaterThan(5);
  });
});
