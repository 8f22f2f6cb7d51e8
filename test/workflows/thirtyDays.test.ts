import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import * as check from './thirtyDaysChecks.js';
import type { Lived } from './thirtyDaysStage.js';
import { live } from './thirtyDaysStage.js';

jest.setTimeout(240_000);

let lived: Lived;

/** Three days of what `thirtyDays.parts.test.ts` goes through in thirty. */
beforeAll(async () => {
  lived = await live((life) =>
    life
      .override([0, 10], 101, [0, 16])
      .override([0, 20], 102, [1, 1], [1, 9])
      .build([1, 12.5], 2)
      .override([1, 12.6], 103, [1, 14], [1, 15])
      .freeze([1, 13], [1, 15])
      .takeOver([1, 16], [1, 21])
      .build([2, 3.5], 3)
      .unanswered([2, 6])
      .approved([2, 17])
      .write(
        [3, 0],
        [
          [1, 10],
          [1, 11],
        ],
        [
          [
            [0, 22],
            [1, 9],
          ],
        ],
      ),
  );
});

describe('three days of a region, with the clock skipped', () => {
  it('have their ticks, and those in a freeze know of it', () => check.checkTicks(lived));

  it('follow every planned window that nobody holds, and those that are held as soon as they may', () => {
    expect(check.checkWindows(lived)).toEqual({ followed: 11, late: 2, passedOver: 1 });
  });

  it('plan anew by the day; one plan is not approved in time, one is', () => {
    check.checkPlans(lived, 1);
    expect(lived.outside.noted('approval-expired')).toHaveLength(1);
    expect(lived.outside.noted('approved').filter(({ who }) => who === 'ada')).toHaveLength(1);
  });

  it('end overrides when their time is over, and after a freeze in which it passed', () => check.checkExpiries(lived));

  it('are written by one writer after the other', () => check.checkWrites(lived));

  it('keep the limits of runs, and no workflow task fails while three builds take over from each other', () => {
    const { region, adjustment, outside } = lived;
    check.checkRuns([...region, ...adjustment]);
    expect(check.sharedRuns([...region, ...adjustment]).join()).toMatch(/build-1 → .*build-2.*build-3/);
    expect(adjustment.some(({ patches }) => patches.includes('half-as-many-reports'))).toBe(true);
    expect(region.some(({ patches }) => patches.includes('targets-before-a-plan'))).toBe(true);
    expect(outside.timesOf('readTargets').length).toBeGreaterThan(0);
  });
});
