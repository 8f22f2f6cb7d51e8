import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { ApprovalRules } from '../../activities/contract.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { eventually } from './environment.js';
import type { Judged, JudgedRegion, JudgedRegions } from './judgedRegion.js';
import { hashOf, startJudgedRegions } from './judgedRegion.js';

jest.setTimeout(240_000);

let regions: JudgedRegions;

beforeAll(async () => {
  regions = await startJudgedRegions();
});

afterAll(async () => {
  await regions.stop();
});

const RULES: ApprovalRules = { autoBelowPercent: 10, approverNotRequester: false, timeoutMs: 3_600_000 };
const operating = (status: RegionStatus): boolean => status.phase === 'operating' && status.tuner.state === 'running';
const waiting = (status: RegionStatus): boolean => status.phase === 'awaiting-approval';
const previewing = (status: RegionStatus): boolean => status.phase === 'previewing';

/** Operates with small plans; the next ones change everything. */
async function operatingWith(rules: Partial<ApprovalRules>, test: (judged: Judged) => Promise<void>): Promise<void> {
  const prepare = (outside: JudgedRegion): void => {
    outside.blastPercent = 1;
  };
  const run = async (judged: Judged): Promise<void> => {
    await judged.until('operating', operating);
    judged.outside.blastPercent = 60;
    await test(judged);
  };
  await regions.withRegion({ approvals: { ...RULES, ...rules } }, run, prepare);
}

describe('approval of the first plan', () => {
  it('is asked for with everything that a person needs, binds to the hash, and is given once', async () => {
    await regions.withRegion(
      { approvals: { ...RULES, approverNotRequester: true, requester: 'Ada' } },
      async (judged) => {
        const { until, update, outside } = judged;
        const status = await until('waiting', waiting);
        expect(status.step).toBe('plan');
        expect(outside.writes).toEqual([]);

        const stale = await update('approve', { planHash: hashOf(9) });
        expect(stale).toMatchObject({ accepted: false });
        expect(stale.detail).toContain(`plan ${hashOf(1).slice(0, 12)} does`);
        expect(await update('approve', { planHash: hashOf(1).slice(0, 11) })).toMatchObject({ accepted: false });
        const own = await update('approve', { who: ' ADA ', planHash: hashOf(1) });
        expect(own).toMatchObject({ accepted: false });
        expect(own.detail).toContain('another person');
        expect(outside.writes).toEqual([]);

        const given = await update('approve', { planHash: ` ${hashOf(1).slice(0, 12)}` });
        expect(given).toMatchObject({ accepted: true });
        await until('operating', operating);
        const again = await update('reject', { planHash: hashOf(1) });
        expect(again.accepted).toBe(false);
        expect(again.detail).toContain('approved by bob');

        await eventually('the audit', async () => outside.noted('approved').length > 0);
        expect(outside.noted('approval-asked')).toMatchObject([
          { subject: `plan ${hashOf(1).slice(0, 12)}`, who: 'psmg' },
        ]);
        expect(outside.noted('approved')).toMatchObject([{ who: 'bob', from: 'wanted', to: 'approved' }]);
        expect(outside.noted('refused')).toHaveLength(3);
        expect(outside.plans).toBe(1);
      },
    );
  });

  it('blocks the region when it is rejected, and is asked for again after retry', async () => {
    await regions.withRegion({ approvals: RULES }, async ({ until, update, outside }) => {
      await until('waiting', waiting);
      expect(await update('reject', { planHash: hashOf(1) })).toMatchObject({ accepted: true });
      await until('blocked', (status) => status.blocked?.reason === 'approval-rejected');
      expect((await update('approve', { planHash: hashOf(1) })).detail).toContain('rejected by bob');
      await update('retry');
      await until('waiting again', waiting);
      await update('approve', { planHash: hashOf(2) });
      await until('operating', operating);
      expect(outside.noted('approval-asked')).toHaveLength(2);
    });
  });

  it('has a time-out that is a stated outcome', async () => {
    await regions.withRegion({ approvals: { ...RULES, timeoutMs: 300 } }, async ({ until, update, outside }) => {
      await until('blocked', (status) => status.blocked?.reason === 'approval-expired');
      expect((await update('approve', { planHash: hashOf(1) })).detail).toContain('expired');
      expect(outside.writes).toEqual([]);
      await eventually('the audit', async () => outside.noted('approval-expired').length === 1);
    });
  });

  it('is not needed below the stated blast radius, which the audit tells', async () => {
    await regions.withRegion(
      { approvals: RULES },
      async ({ until, update, outside }) => {
        await until('operating', operating);
        await eventually('the audit', async () => outside.noted('approved').length === 1);
        expect(outside.noted('approved')).toMatchObject([{ who: 'psmg' }]);
        expect(outside.noted('approved')[0]?.why).toContain('9.9 %');
        expect(await update('approve', { planHash: hashOf(1) })).toMatchObject({
          accepted: false,
          detail: 'no plan waits for approval',
        });
      },
      (outside) => {
        outside.blastPercent = 9.9;
      },
    );
  });

  it('is no affair of a region without rules', async () => {
    await regions.withRegion({}, async ({ until, outside }) => {
      await until('operating', operating);
      await eventually('the audit', async () => outside.noted('phase').length >= 4);
      expect(outside.noted('approval-asked')).toEqual([]);
      expect(outside.noted('approved')).toEqual([]);
    });
  });

  it('may be given in a freeze; what it lets through waits for resume', async () => {
    await regions.withRegion({ approvals: RULES }, async ({ until, update, outside }) => {
      await until('waiting', waiting);
      await update('freeze');
      const given = await update('approve', { planHash: hashOf(1) });
      expect(given.accepted).toBe(true);
      expect(given.detail).toContain('frozen by bob');
      await until('pre-deploying', (status) => status.phase === 'pre-deploying');
      expect(outside.writes).toEqual([]);
      await update('resume');
      await until('operating', operating);
    });
  });
});

describe('preview', () => {
  it('applies nothing, whatever the rules let through, until a person approves', async () => {
    await regions.withRegion(
      { preview: true, approvals: { ...RULES, autoBelowPercent: 100, timeoutMs: 1 } },
      async ({ until, update, outside }) => {
        await until('previewing', previewing);
        expect(outside.calls).toEqual(['acceptRegion', 'forecastRegion', 'planRegion']);
        await update('approve', { planHash: hashOf(1) });
        await until('operating', operating);
        // In operation the rules are those of every plan.
        await update('replan');
        await until('planned anew', (status) => status.replan?.state === 'done');
      },
      (outside) => {
        outside.blastPercent = 50;
      },
    );
  });

  it('plans anew when asked, and takes no approval of the plan before', async () => {
    await regions.withRegion({ preview: true }, async ({ until, update, outside }) => {
      await until('previewing', previewing);
      expect((await update('replan')).detail).toContain('is replaced');
      await until('the second plan', (status) => status.planHash === hashOf(2) && previewing(status));
      expect((await update('approve', { planHash: hashOf(1) })).accepted).toBe(false);
      expect(outside.writes).toEqual([]);
      expect((await update('approve', { planHash: hashOf(2) })).accepted).toBe(true);
      await until('operating', operating);
      expect(outside.noted('approval-asked')).toMatchObject([{ from: null }, { from: hashOf(1) }]);
    });
  });

  it('keeps a plan that was approved while another was being made, and one that no other could replace', async () => {
    await regions.withRegion({ preview: true }, async ({ until, update, outside }) => {
      await until('previewing', previewing);
      outside.faults.forecastRegion = [ApplicationFailure.nonRetryable('no history', 'forecast-failed')];
      await update('replan');
      const failed = await until('failed', (status) => status.replan?.state === 'failed');
      expect(failed.replan?.detail).toContain('goes on waiting');
      let goOn = (): void => undefined;
      outside.during = (name) =>
        name === 'planRegion' ? new Promise((resolve) => (goOn = resolve)) : Promise.resolve();
      await update('replan');
      await eventually('planning', async () => outside.calls.filter((call) => call === 'planRegion').length === 2);
      expect((await update('approve', { planHash: hashOf(1) })).accepted).toBe(true);
      goOn();
      const status = await until('operating', operating);
      expect(status.planHash).toBe(hashOf(1));
    });
  });

  it('ends with abort, and blocks when it is rejected', async () => {
    await regions.withRegion({ preview: true }, async ({ until, update, handle, outside }) => {
      await until('previewing', previewing);
      expect((await update('abort')).accepted).toBe(true);
      expect(await handle.result()).toMatchObject({ phase: 'aborted' });
      expect(outside.writes).toEqual([]);
    });
    await regions.withRegion({ preview: true }, async ({ until, update }) => {
      await until('previewing', previewing);
      await update('reject', { planHash: hashOf(1) });
      await until('blocked', (status) => status.blocked?.reason === 'approval-rejected');
    });
  });
});

describe('approval in operation', () => {
  it('lets what runs run until a person approves, everything else going on', async () => {
    await operatingWith({ approverNotRequester: true }, async ({ until, update, outside, adjustment }) => {
      const { writes } = outside;
      await update('replan', { who: 'ada' });
      const asked = await until('waiting', waiting);
      expect(asked).toMatchObject({ planHash: hashOf(1), replan: { state: 'running' } });
      const written = writes.length;
      const { ticks } = await adjustment();
      await eventually('ticks go on', async () => (await adjustment()).ticks > ticks);
      expect(writes).toHaveLength(written);
      expect((await update('override', { address: 'shop.rateLimit.rps', value: 44 })).accepted).toBe(true);
      expect((await update('approve', { who: 'Ada', planHash: hashOf(2) })).accepted).toBe(false);
      expect((await update('approve', { planHash: hashOf(1) })).accepted).toBe(false);
      expect((await update('approve', { planHash: hashOf(2) })).accepted).toBe(true);
      const status = await until('done', (now) => now.replan?.state === 'done' && operating(now));
      expect(status.planHash).toBe(hashOf(2));
      expect(status.replan?.detail).toContain('approved by bob');
      expect(writes.at(-1)?.overrides).toEqual(['shop.rateLimit.rps=44']);
    });
  });

  it('drops a plan that is rejected or not approved in time', async () => {
    await operatingWith({ timeoutMs: 1500 }, async ({ until, update, outside }) => {
      await update('replan');
      await until('waiting', waiting);
      await update('reject', { planHash: hashOf(2) });
      const rejected = await until('rejected', (status) => status.replan?.state === 'failed' && operating(status));
      expect(rejected).toMatchObject({ planHash: hashOf(1), blocked: null });
      await update('replan');
      await until('waiting', waiting);
      const expired = await until('expired', operating);
      expect(expired).toMatchObject({ planHash: hashOf(1), blocked: null });
      expect(expired.replan?.detail).toContain('not approved in time');
      await eventually('the audit', async () => outside.noted('approval-expired').length === 1);
    });
  });

  it('replaces the plan that waits when a person asks for another', async () => {
    await operatingWith({}, async ({ until, update, outside }) => {
      await update('replan');
      await until('waiting', waiting);
      await update('replan');
      await eventually('the third plan', async () => outside.noted('approval-asked').length === 2);
      expect((await update('approve', { planHash: hashOf(2) })).accepted).toBe(false);
      outside.blastPercent = 2;
      await update('replan');
      const status = await until('a small one passes', (now) => now.planHash === hashOf(4) && operating(now));
      expect(status.replan?.state).toBe('done');
      expect((await update('approve', { planHash: hashOf(3) })).accepted).toBe(false);
    });
  });

  it('holds an approved plan in a freeze until resume, and makes a new one of one that was held too long', async () => {
    const windows = (lastMs: number) => () => [
      { from: '2026-01-01T00:00:00.000Z', wallFromMs: 0 },
      { from: '2026-01-01T00:00:00.000Z', wallFromMs: lastMs },
    ];
    await operatingWith({}, async ({ until, update, outside }) => {
      outside.windows = windows(Date.now() + 3_600_000);
      await update('replan');
      await until('waiting', waiting);
      await update('freeze');
      const held = await update('approve', { planHash: hashOf(2) });
      expect(held.detail).toContain('frozen by bob');
      expect(await until('frozen', (status) => status.phase === 'operating')).toMatchObject({ planHash: hashOf(1) });
      expect((await update('replan')).accepted).toBe(false);
      await update('resume');
      await until('the second plan', (status) => status.planHash === hashOf(2) && operating(status));

      const lastMs = Date.now() + 8000;
      outside.windows = windows(lastMs);
      await update('replan');
      await until('waiting', waiting);
      await update('freeze');
      expect((await update('approve', { planHash: hashOf(3) })).accepted).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, lastMs - Date.now()));
      await update('resume');
      await until('another asks', (status) => waiting(status));
      const passed = await update('approve', { planHash: hashOf(4) });
      expect(passed.accepted).toBe(false);
      expect(passed.detail).toContain('have passed');
    });
  });
});

describe('fewer instances than planned', () => {
  it('are told, and have the region plan anew once it operates', async () => {
    const activities = (outside: JudgedRegion): void => {
      const scripted = outside.activities.bind(outside);
      outside.activities = () => {
        const all = scripted();
        return { ...all, awaitStack: async (input) => ({ ...(await all.awaitStack(input)), planned: { shop: 3 } }) };
      };
    };
    await regions.withRegion(
      {},
      async ({ until, outside }) => {
        const status = await until('planned anew', (now) => now.replan?.state === 'done' && operating(now));
        expect(status).toMatchObject({ planHash: hashOf(2), stack: { readyInstances: { shop: 2 } } });
        await eventually('the audit', async () => outside.noted('capacity').length === 1);
        expect(outside.noted('capacity')[0]?.result).toEqual(['shop: 2 of 3']);
      },
      activities,
    );
  });
});
