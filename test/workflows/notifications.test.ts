import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { AdjustDecision, NotifyInput, NotifyOutcome } from '../../activities/contract.js';
import type { Trust } from '../../core/spec/forecast.js';
import { NOTIFICATION_KINDS } from '../../core/spec/region.js';
import { seen } from '../../core/tuning/fixtures.js';
import { regionWorkflowId } from '../../workflows/shared/names.js';
import type { TestTemporal } from './environment.js';
import { eventually, startTestTemporal } from './environment.js';
import { operating, withOperated } from './operated.js';

jest.setTimeout(240_000);

let temporal: TestTemporal;

beforeAll(async () => {
  temporal = await startTestTemporal(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=70']);
});

afterAll(async () => {
  await temporal.stop();
});

const noCapacity = (): ApplicationFailure => ApplicationFailure.nonRetryable('no capacity in eu', 'plan-refused');

describe('notifications', () => {
  it('tell of a block once, of its end, and of the end of the region', async () => {
    await withOperated(
      temporal,
      (outside) => {
        outside.accepted = { notifies: NOTIFICATION_KINDS };
        outside.faults.planRegion = [noCapacity(), noCapacity()];
        outside.faults.awaitStack = [ApplicationFailure.nonRetryable('1 of 2 ready', 'stack-not-ready')];
      },
      async ({ until, update, outside, region, status }) => {
        const blocked = await until('blocked', (s) => s.blocked !== null);
        await update('retry');
        await until('blocked again', (s) => s.blocked !== null && s.blocked.since !== blocked.blocked?.since);
        await update('retry');
        await until('blocked elsewhere', (s) => s.blocked?.reason === 'stack-not-ready');
        await update('abort');
        await region.result();
        const name = (await status()).region;
        expect(outside.told.map(({ kind, title, detail }) => [kind, title, detail])).toEqual([
          ['blocked', `${name} is blocked at plan: plan-refused`, 'no capacity in eu'],
          ['unblocked', `${name} goes on with pre-deploy`, `over: ${name} is blocked at plan: plan-refused`],
          ['blocked', `${name} is blocked at await-stack: stack-not-ready`, '1 of 2 ready'],
          [
            'ended',
            `${name} has ended: aborted`,
            expect.stringMatching(/^users do not enter here; release h\d+ runs on/),
          ],
        ]);
        expect(new Set(outside.told.map(({ id }) => id)).size).toBe(4);
        const planHashes = outside.told.map(({ planHash }) => planHash);
        expect(planHashes).toEqual([null, 'p1', 'p1', 'p1']);
        expect(outside.told[0]).toMatchObject({ workflowId: regionWorkflowId(name), delivered: [] });
        expect((await status()).notifications).toEqual({ noted: 4, pending: 0, lost: 0, problem: null });
      },
    );
  });

  it('are not there in a region whose file names nobody, and only of the kinds that somebody wants', async () => {
    for (const notifies of [undefined, ['ended'] as const]) {
      await withOperated(
        temporal,
        (outside) => {
          outside.accepted = notifies === undefined ? {} : { notifies };
          outside.faults.planRegion = [noCapacity()];
        },
        async ({ until, update, outside, region, status }) => {
          await until('blocked', (s) => s.blocked !== null);
          await update('abort');
          await region.result();
          expect(outside.told.map(({ kind }) => kind)).toEqual(notifies ?? []);
          if (notifies === undefined) expect(await status()).not.toHaveProperty('notifications');
        },
      );
    }
  });

  it('are tried again under the same id, across runs, at those alone that did not take them', async () => {
    const tries: NotifyInput[] = [];
    let isBack = false;
    await withOperated(
      temporal,
      (outside) => {
        outside.accepted = { notifies: ['blocked'] };
        outside.faults.planRegion = [noCapacity()];
        return {
          notify: async (input): Promise<NotifyOutcome> => {
            tries.push(input);
            if (tries.length === 1) throw new Error('the store is away');
            if (isBack) return { delivered: [0], problems: [] };
            const first = input.delivered.length === 0;
            return {
              ...{ delivered: first ? [1] : [], problems: ['webhook 1 (a): answered 503'] },
              ...(first ? { givenUp: [{ index: 2, reason: 'webhook 3 (c): answered 410' }] } : {}),
            };
          },
        };
      },
      async ({ until, update, region, newRun }) => {
        const waits = (s: Awaited<ReturnType<typeof until>>): boolean =>
          s.notifications?.problem?.includes('503') === true;
        await until('blocked', (s) => s.blocked !== null);
        const told = await until('why it waits', waits);
        expect(told.notifications).toMatchObject({ noted: 1, pending: 1, lost: 1 });
        expect(told.notifications?.problem).toMatch(/webhook 3 \(c\): answered 410/);
        // Nobody waits for it: the region goes on, and in new runs.
        await update('retry');
        await until('operating', operating);
        let moved = false;
        const moving = newRun(region).then(() => (moved = true));
        await eventually('messages that fill the history', async () => {
          await update('override', { address: 'shop.rateLimit.rps', value: 50 });
          return moved;
        });
        await moving;
        expect((await until('still waiting', waits)).notifications?.pending).toBe(1);
        isBack = true;
        const over = await until('told', (s) => s.notifications?.pending === 0);
        expect(over.notifications).toEqual({ noted: 1, pending: 0, lost: 1, problem: null });
        expect(new Set(tries.map(({ id }) => id)).size).toBe(1);
        expect(tries.slice(0, 2).map(({ delivered }) => delivered)).toEqual([[], []]);
        for (const { delivered } of tries.slice(2)) expect(delivered).toEqual([1, 2]);
      },
    );
  });

  it('tell of a reversal, of an adjustment that waits, and of trust that is lost, once each', async () => {
    let trust: Trust = 'high';
    let level: AdjustDecision['level'] = 'act';
    await withOperated(
      temporal,
      (outside) => {
        outside.accepted = { notifies: ['reverted', 'approval-wanted', 'trust-lost'] };
        outside.tickOutcome = ({ inFlight, plan }) => {
          if (inFlight !== null) return { decision: { kind: 'revert', reason: 'p99 over the SLO' } };
          if (level === undefined) return {};
          const change = { address: 'shop.rateLimit.rps', from: 100, to: 105, planHash: plan.hash };
          const adjustment = { ...change, reason: 'more', madeAt: '' };
          const decision: AdjustDecision = {
            kind: 'adjust',
            adjustment,
            service: 'shop',
            baseline: seen('shop'),
            level,
          };
          if (level === 'approve') return { decision: { ...decision, id: 'abcdef012345' } };
          level = undefined;
          return { decision };
        };
        const service = { service: 'shop', trustReason: 'history is short', peakRps: 1 };
        return {
          forecastRegion: async () => ({
            ...{ ref: { kind: 'forecast', hash: 'f', bytes: 1 }, trust, notes: [] },
            services: [{ ...service, trust }] as never,
          }),
        };
      },
      async ({ until, update, outside, ticks }) => {
        const toldOf = (count: number): Promise<boolean> =>
          eventually(`${count} told`, async () => outside.told.length === count);
        await until('operating', operating);
        await toldOf(1);
        level = 'approve';
        await toldOf(2);
        await ticks(4);
        level = undefined;
        for (const worse of ['low', 'low', 'none', 'fair'] as const) {
          trust = worse;
          await update('replan');
          await until(`planned anew with ${worse}`, (s) => s.replan !== undefined && s.replan.state !== 'running');
        }
        await toldOf(4);
        const name = (await until('status', () => true)).region;
        expect(outside.told.map(({ kind, title, detail }) => [kind, title, detail])).toEqual([
          ['reverted', `an adjustment of ${name} was reverted`, 'reverted shop.rateLimit.rps: p99 over the SLO'],
          [
            'approval-wanted',
            `${name} wants to adjust shop.rateLimit.rps from 100 to 105: approve abcdef012345`,
            'more',
          ],
          ['trust-lost', `trust in the forecast of ${name} fell from high to low`, 'shop: history is short'],
          ['trust-lost', `trust in the forecast of ${name} fell from low to none`, 'shop: history is short'],
        ]);
      },
    );
  });
});
