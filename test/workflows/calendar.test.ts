import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { CalendarOutcome } from '../../activities/contract.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { eventually } from './environment.js';
import type { Judged, JudgedRegion, JudgedRegions } from './judgedRegion.js';
import { startJudgedRegions } from './judgedRegion.js';

jest.setTimeout(240_000);

let regions: JudgedRegions;

beforeAll(async () => {
  regions = await startJudgedRegions();
});

afterAll(async () => {
  await regions.stop();
});

const operating = (status: RegionStatus): boolean => status.phase === 'operating' && status.tuner.state === 'running';
const frozen = (status: RegionStatus): boolean => status.freeze?.who === 'calendar';
const thawed = (status: RegionStatus): boolean => status.freeze === null;

/** From so many milliseconds after now to so many. */
function freeze(fromMs: number, toMs: number, why = 'sale'): CalendarOutcome['freezes'][number] {
  return { fromMs: Date.now() + fromMs, toMs: Date.now() + toMs, why };
}

/** Knows until so long after now. */
function known(untilMs: number, ...freezes: CalendarOutcome['freezes']): CalendarOutcome {
  return { freezes, untilMs: Date.now() + untilMs };
}

const WEEK_MS = 7 * 86_400_000;

/** A region with a calendar, which is nothing until it operates. */
async function operatingWith(
  calendar: () => CalendarOutcome,
  test: (judged: Judged) => Promise<void>,
  prepare: (outside: JudgedRegion) => void = () => undefined,
): Promise<void> {
  await regions.withRegion(
    { hasCalendar: true },
    async (judged) => {
      await judged.until('operating', operating);
      judged.outside.calendar = calendar();
      // A new plan has the calendar read anew.
      await judged.update('replan');
      await test(judged);
    },
    (outside) => {
      outside.calendar = known(WEEK_MS);
      prepare(outside);
    },
  );
}

describe('the calendar', () => {
  it('holds back the first write until its freeze is over', async () => {
    let toMs = 0;
    await regions.withRegion(
      { hasCalendar: true },
      async ({ until, outside, update }) => {
        const status = await until('frozen', frozen);
        expect(status.phase).toBe('pre-deploying');
        expect(status.freeze?.why).toContain('sale (until ');
        // Messages go on, and what a person set is in force with the first write.
        expect((await update('override', { address: 'shop.rateLimit.rps', value: 44 })).accepted).toBe(true);
        expect(outside.writes).toEqual([]);
        await eventually('the first write', async () => outside.writes.length > 0);
        expect(Date.now()).toBeGreaterThanOrEqual(toMs);
        await until('operating', (now) => operating(now) && thawed(now));
        const told = outside.noted('calendar').map((note) => [note.who, note.from, note.to]);
        expect(told).toEqual([
          ['psmg', null, 'frozen by calendar'],
          ['psmg', 'frozen by calendar', null],
        ]);
      },
      (outside) => {
        const one = freeze(-1000, 4000);
        toMs = one.toMs;
        outside.calendar = known(WEEK_MS, one);
      },
    );
  });

  it('is ended by a resume in a launch, and does not come back', async () => {
    await regions.withRegion(
      { hasCalendar: true },
      async ({ until, update, outside }) => {
        await until('frozen', frozen);
        expect((await update('resume')).accepted).toBe(true);
        await until('operating', (status) => operating(status) && thawed(status));
        await eventually('the audit', async () => outside.noted('calendar').length === 2);
        expect(outside.noted('calendar')[1]?.result).toContain("ended by a person's resume");
      },
      (outside) => {
        outside.calendar = known(WEEK_MS, freeze(-1000, 3_600_000));
      },
    );
  });

  it('begins and ends in operation; the adjustment keeps still meanwhile and goes on afterwards', async () => {
    const seen: boolean[] = [];
    await operatingWith(
      () => known(WEEK_MS, freeze(2000, 9000)),
      async ({ until, adjustment }) => {
        await until('frozen', frozen);
        await eventually('a frozen tick', async () => seen.includes(true));
        await until('over', (status) => thawed(status) && operating(status));
        const { ticks } = await adjustment();
        await eventually('ticks go on', async () => (await adjustment()).ticks > ticks + 1);
        expect(seen.at(-1)).toBe(false);
      },
      (outside) => {
        outside.tickOutcome = (input) => {
          seen.push(input.frozen);
          return {};
        };
      },
    );
  });

  it('ends for a person who resumes, holds replans until then, and keeps expiries', async () => {
    await operatingWith(
      () => known(WEEK_MS, freeze(0, 3_600_000)),
      async ({ until, update, outside }) => {
        const soon = new Date(Date.now() + 8000).toISOString();
        await update('override', { address: 'shop.rateLimit.rps', value: 44, until: soon });
        await until('frozen', frozen);
        expect((await update('replan')).detail).toContain('frozen by calendar');
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(soon) - Date.now()) + 200));
        expect((await until('frozen', frozen)).overrides).toHaveLength(1);
        expect((await update('resume')).accepted).toBe(true);
        await until('expired', (status) => status.overrides.length === 0);
        expect((await update('replan')).accepted).toBe(true);
        const status = await until('planned anew', (now) => now.replan?.state === 'done');
        expect(status.freeze).toBeNull();
        await eventually('read anew', async () => outside.calls.filter((call) => call === 'readCalendar').length === 3);
        expect((await until('operating', operating)).freeze).toBeNull();
      },
    );
  });

  it("leaves a person's freeze, and ends with it when both are on", async () => {
    await operatingWith(
      () => known(WEEK_MS, freeze(2000, 3500), freeze(5000, 3_600_000, 'audit')),
      async ({ until, update }) => {
        await update('freeze');
        await new Promise((resolve) => setTimeout(resolve, 4000));
        expect((await until('frozen', () => true)).freeze?.who).toBe('bob');
        await new Promise((resolve) => setTimeout(resolve, 2000));
        expect((await update('resume')).accepted).toBe(true);
        await until('resumed', (status) => operating(status) && thawed(status));
        await new Promise((resolve) => setTimeout(resolve, 500));
        expect((await until('still', operating)).freeze).toBeNull();
      },
    );
  });

  it('goes on with what is known when it cannot be read', async () => {
    await regions.withRegion(
      { hasCalendar: true },
      async ({ until, outside, update }) => {
        await until('operating', (status) => operating(status) && thawed(status));
        expect(outside.calls.filter((call) => call === 'readCalendar')).toHaveLength(1);
        expect((await update('override', { address: 'shop.rateLimit.rps', value: 44 })).accepted).toBe(true);
      },
      (outside) => {
        outside.faults.readCalendar = [ApplicationFailure.nonRetryable('no such artifact', 'unknown')];
      },
    );
  });

  it('is never read where the region file names none', async () => {
    await regions.withRegion({}, async ({ until, outside }) => {
      await until('operating', operating);
      expect(outside.calls).not.toContain('readCalendar');
    });
  });
});
