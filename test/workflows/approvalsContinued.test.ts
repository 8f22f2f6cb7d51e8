import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { eventually } from './environment.js';
import type { Judged, JudgedRegions } from './judgedRegion.js';
import { hashOf, startJudgedRegions } from './judgedRegion.js';

jest.setTimeout(240_000);

let regions: JudgedRegions;

beforeAll(async () => {
  regions = await startJudgedRegions();
});

afterAll(async () => {
  await regions.stop();
});

const operating = (status: RegionStatus): boolean => status.phase === 'operating' && status.tuner.state === 'running';
const waiting = (status: RegionStatus): boolean => status.phase === 'awaiting-approval';

async function inNewRun({ handle, update }: Judged): Promise<void> {
  const { runId } = await handle.describe();
  await update('continue-as-new');
  await eventually('a new run', async () => (await handle.describe()).runId !== runId);
}

describe('a plan that waits', () => {
  it('is the same in a new run, at a launch', async () => {
    await regions.withRegion({ preview: true }, async (judged) => {
      const { until, update, outside } = judged;
      await until('previewing', (status) => status.phase === 'previewing');
      await inNewRun(judged);
      await until('previewing still', (status) => status.phase === 'previewing');
      expect(outside.plans).toBe(1);
      expect((await update('approve', { planHash: hashOf(1) })).accepted).toBe(true);
      await until('operating', operating);
      expect(outside.plans).toBe(1);
      expect(outside.noted('approval-asked')).toHaveLength(1);
    });
  });

  it('is the same in a new run, in operation, and so is one that is approved and held', async () => {
    const approvals = { autoBelowPercent: 10, approverNotRequester: true, timeoutMs: 3_600_000 };
    const run = async (judged: Judged): Promise<void> => {
      const { until, update, outside } = judged;
      await until('operating', operating);
      outside.blastPercent = 60;
      await update('replan', { who: 'ada' });
      await until('waiting', waiting);
      await inNewRun(judged);
      await until('waiting still', waiting);
      expect((await update('approve', { who: 'ada', planHash: hashOf(2) })).accepted).toBe(false);
      await update('freeze');
      expect((await update('approve', { planHash: hashOf(2) })).accepted).toBe(true);
      await inNewRun(judged);
      expect((await until('held', (status) => status.phase === 'operating')).planHash).toBe(hashOf(1));
      await update('resume');
      const status = await until('in force', (now) => now.replan?.state === 'done' && operating(now));
      expect(status.planHash).toBe(hashOf(2));
      expect(outside.plans).toBe(2);
    };
    await regions.withRegion({ approvals }, run, (outside) => {
      outside.blastPercent = 1;
    });
  });
});

describe('a freeze of a person', () => {
  it('stays when that of the calendar ends, in which it came', async () => {
    await regions.withRegion(
      { hasCalendar: true },
      async ({ until, update, outside }) => {
        await until('frozen', (status) => status.freeze?.who === 'calendar');
        await update('freeze');
        await new Promise((resolve) => setTimeout(resolve, 4500));
        expect((await until('frozen still', () => true)).freeze?.who).toBe('bob');
        expect(outside.writes).toEqual([]);
        await update('resume');
        await until('operating', operating);
      },
      (outside) => {
        const atMs = Date.now();
        const freezes = [{ fromMs: atMs - 1000, toMs: atMs + 5000, why: 'sale' }];
        outside.calendar = { freezes, untilMs: atMs + 604_800_000 };
      },
    );
  });
});
