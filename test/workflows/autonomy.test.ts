import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { AdjustDecision, TickInput, TickOutcome } from '../../activities/contract.js';
import { proposalId } from '../../core/spec/autonomy.js';
import { seen, tuningContext } from '../../core/tuning/fixtures.js';
import { autonomyGuard, effectiveLevel } from '../../core/tuning/guards.js';
import type { AutonomyContext, Change } from '../../core/tuning/types.js';
import { adjustmentStatusQuery } from '../../workflows/meshAdjustment/messages.js';
import type { TestTemporal } from './environment.js';
import { startTestTemporal } from './environment.js';
import { QUICK, operating, withOperated } from './operated.js';

jest.setTimeout(240_000);

let temporal: TestTemporal;

beforeAll(async () => {
  // New runs come so often that every test sees some, of both workflows.
  temporal = await startTestTemporal(['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=70']);
});

afterAll(async () => {
  await temporal.stop();
});

const ADDRESS = 'shop.rateLimit.rps';

/** A policy that wants 5 rps more than there are, as far as the guard of autonomy lets it. */
class Policy {
  wants = true;
  verdict: 'keep' | 'revert' = 'keep';
  /** What the change in flight is judged by; without it there is no verdict. */
  judges = true;

  tick(input: TickInput): Partial<TickOutcome> {
    if (input.inFlight !== null) {
      const decision = { kind: this.verdict, reason: 'judged' } as const;
      return this.judges ? { decision } : {};
    }
    if (!this.wants || input.frozen) return {};
    const { autonomy: level, autonomyRules: rules = [], answers = [], takenOver, plan } = input;
    const from = input.intent.adjustments.find(({ address }) => address === ADDRESS)?.to ?? 100;
    const change: Change = { service: 'shop', field: 'rateLimit.rps', from, to: from + 5 };
    const autonomy: AutonomyContext = { level, rules, answers, takenOver: takenOver === true, least: 'act' };
    const ask = (least: 'act' | 'suggest'): ReturnType<typeof autonomyGuard> =>
      autonomyGuard(change, tuningContext({ planHash: plan.hash, autonomy: { ...autonomy, least } }));
    const [made, shown] = [ask('act'), ask('suggest')];
    const as = made.ok ? 'act' : effectiveLevel(autonomy, change);
    if (!shown.ok || as === 'observe') return {};
    const adjustment = { address: ADDRESS, from, to: shown.to, reason: 'more', planHash: plan.hash, madeAt: '' };
    const decision: AdjustDecision = { kind: 'adjust', adjustment, service: 'shop', baseline: seen('shop'), level: as };
    return { decision: as === 'approve' ? { ...decision, id: proposalId(adjustment) } : decision };
  }
}

describe('take-over and hand-back', () => {
  it('stop adjusting, windows and the schedule, but neither people nor the reversal of a change in flight', async () => {
    const policy = new Policy();
    policy.judges = false;
    let secondMs = 0;
    await withOperated(
      temporal,
      (outside) => {
        outside.tickOutcome = (input) => policy.tick(input);
        outside.windows = () => {
          const nowMs = Date.now();
          secondMs = nowMs + 4000;
          return [
            { from: 'w1', wallFromMs: nowMs - 1000 },
            { from: 'w2', wallFromMs: secondMs },
          ];
        };
      },
      async ({ until, update, adjustment, adjuster, ticks, newRun, outside, status, region }) => {
        await until('operating', operating);
        await until('a change in flight', (s) => s.tuner.report?.adjustmentsMade === 1);
        expect(await update('take-over')).toMatchObject({
          accepted: true,
          detail: expect.stringMatching(/ada has the region until hand-back.*the adjustment goes by it/),
        });
        expect(await update('take-over', { who: 'bob' })).toEqual({
          accepted: false,
          detail: expect.stringMatching(/^ada has the region since .*: test; hand-back gives it up$/),
        });
        policy.verdict = 'revert';
        policy.judges = true;
        await until('the reversal', (s) => s.tuner.report?.adjustmentsReverted === 1);
        expect(outside.writes.at(-1)?.hash).toBe((await status()).currentHash);

        expect(await update('override', { address: ADDRESS, value: 77 })).toMatchObject({ accepted: true });
        expect(outside.writes.at(-1)?.overrides).toEqual([`${ADDRESS}=77`]);
        await newRun(adjuster);
        while (Date.now() < secondMs + 500) await ticks(1);
        const taken = await status();
        expect(taken).toMatchObject({ takenOver: { who: 'ada', why: 'test' }, window: 'w1' });
        expect(taken.tuner.report?.suggestions).toBe(1);
        expect(await adjustment()).toMatchObject({ takenOver: true, adjustmentsMade: 1, window: 'w1' });
        expect((await region.describe()).memo?.['status']).toMatch(/taken over by ada: test/);

        policy.verdict = 'keep';
        expect(await update('hand-back', { who: 'bob' })).toMatchObject({
          accepted: true,
          detail: expect.stringMatching(/acts again.*ada had it since/),
        });
        expect(await update('hand-back')).toMatchObject({ accepted: false });
        await until('the window that was due', (s) => s.window === 'w2');
        await until('adjusting again', (s) => (s.tuner.report?.adjustmentsMade ?? 0) >= 2);
        expect((await adjuster.query(adjustmentStatusQuery)).takenOver).toBeUndefined();
        expect((await status()).takenOver).toBeUndefined();
      },
    );
  });

  it('leave planning anew to people', async () => {
    await withOperated(
      temporal,
      (outside) => {
        outside.accepted = { tunables: { ...QUICK, replanMs: 1500 } };
      },
      async ({ until, update, ticks, outside }) => {
        await until('operating', operating);
        expect(await update('take-over')).toMatchObject({ accepted: true });
        const overdueMs = Date.now() + 1700;
        while (Date.now() < overdueMs) await ticks(1);
        expect(outside.plans).toBe(1);
        expect(await update('replan')).toMatchObject({ accepted: true });
        await until('planned for ada', (s) => s.replan?.state === 'done' && s.replan.by === 'ada');
        expect(outside.plans).toBe(2);
        expect(await update('hand-back')).toMatchObject({ accepted: true });
        await until('planned by the schedule', (s) => s.replan?.by === 'the schedule' && s.replan.state === 'done');
      },
    );
  });
});

describe('set-autonomy', () => {
  it('holds for its class alone, across runs, and a promotion names what it rests on', async () => {
    const policy = new Policy();
    await withOperated(
      temporal,
      (outside) => {
        outside.tickOutcome = (input) => policy.tick(input);
        outside.accepted = { autonomyRules: [{ level: 'act', service: 'shop' }] };
      },
      async ({ until, update, adjustment, adjuster, ticks, newRun }) => {
        await until('adjusting', (s) => (s.tuner.report?.adjustmentsMade ?? 0) >= 1);
        const rule = { level: 'observe', class: 'rateLimit' };
        const observed = await update('set-autonomy', rule);
        expect(observed).toMatchObject({ accepted: true });
        expect(observed.detail).toMatch(/^rateLimit of every service: observe; the adjustment goes by it$/);
        await ticks(1);
        const { adjustmentsMade } = await adjustment();
        await newRun(adjuster);
        await ticks(3);
        const now = await adjustment();
        expect(now).toMatchObject({ adjustmentsMade, suggestions: [], autonomyRules: [{ service: 'shop' }, rule] });

        await update('set-autonomy', { level: 'observe', class: 'breaker' });
        const promoted = await update('set-autonomy', { level: 'act' });
        expect(promoted.detail).toMatch(/evidence: \d+ adjustments made in \d+ ticks, 0 of them reverted, 0 suggested/);
        expect(promoted.detail).toMatch(/without effect: rateLimit of every service: observe, breaker of every/);
        await until('adjusting again', (s) => (s.tuner.report?.adjustmentsMade ?? 0) > adjustmentsMade);
        await update('set-autonomy', rule);
        const { autonomyRules } = await until('the rules', (s) => s.autonomyRules?.length === 4);
        // The same scope again goes to the end, where it counts.
        expect(autonomyRules).toEqual([
          { level: 'act', service: 'shop' },
          { level: 'observe', class: 'breaker' },
          { level: 'act' },
          rule,
        ]);
      },
    );
  });

  it('moves windows and limits with the level of the whole region', async () => {
    await withOperated(
      temporal,
      (outside) => {
        outside.tickOutcome = () => ({ readyInstances: { shop: 1 } });
        outside.accepted = { autonomy: 'suggest', autonomyRules: [{ level: 'act', service: 'shop' }] };
      },
      async ({ until, update, ticks, adjustment }) => {
        await until('operating', operating);
        await ticks(4);
        expect((await adjustment()).readyInstances).toEqual({ shop: 2 });
        await update('set-autonomy', { level: 'act' });
        await until('limits follow', (s) => s.tuner.report?.readyInstances?.['shop'] === 1);
      },
    );
  });
});

describe('an adjustment at level approve', () => {
  it('waits for a word: approved it is made once, rejected it is not asked again, unwanted it ends', async () => {
    const policy = new Policy();
    await withOperated(
      temporal,
      (outside) => {
        outside.tickOutcome = (input) => policy.tick(input);
        outside.accepted = { autonomy: 'approve' };
      },
      async ({ until, update, adjustment, adjuster, ticks, newRun, outside }) => {
        const waiting = await until('a proposal', (s) => s.proposals?.length === 1);
        const first = waiting.proposals?.[0]?.id ?? '';
        expect(first).toMatch(/^[0-9a-f]{12}$/);
        expect(waiting.proposals?.[0]).toMatchObject({ address: ADDRESS, from: 100, to: 105, state: 'waits' });
        const writes = outside.writes.length;
        await newRun(adjuster);
        expect((await adjustment()).proposals).toHaveLength(1);
        expect(outside.writes).toHaveLength(writes);

        const approved = await update('approve', { planHash: first });
        expect(approved.detail).toMatch(/^shop.rateLimit.rps 100 → 105 is made at the next tick/);
        const next = await until('the next proposal', (s) => s.proposals?.[0]?.from === 105);
        expect(next.tuner.report).toMatchObject({ adjustmentsMade: 1 });
        expect((await adjustment()).adjustments).toMatchObject([{ address: ADDRESS, to: 105 }]);
        expect(await update('approve', { planHash: first })).toMatchObject({
          accepted: false,
          detail: expect.stringMatching(/waits no more; ada approved it/),
        });

        const second = next.proposals?.[0]?.id ?? '';
        expect(await update('reject', { planHash: second })).toMatchObject({ accepted: true });
        await until('told', (s) => s.proposals?.[0]?.state === 'rejected');
        await newRun(adjuster);
        await ticks(2);
        const rejected = await adjustment();
        expect(rejected).toMatchObject({
          adjustmentsMade: 1,
          proposals: [{ id: second, state: 'rejected', who: 'ada' }],
        });

        // A person may think again, and a change that the policy wants no more ends.
        policy.wants = false;
        expect(await update('approve', { planHash: second })).toMatchObject({ accepted: true });
        await until('the end', (s) => s.proposals === undefined);
        policy.wants = true;
        const third = await until('asked anew', (s) => s.proposals?.[0]?.state === 'waits');
        // The word of before said nothing of this one, though it is the same.
        expect(third.proposals?.[0]?.id).toBe(second);
        await ticks(2);
        expect(await adjustment()).toMatchObject({ adjustmentsMade: 1 });
        expect(await update('approve', { planHash: 'f'.repeat(12) })).toMatchObject({ accepted: false });
      },
    );
  });

  it('waits for resume in a freeze, and for nobody who has the region', async () => {
    const policy = new Policy();
    await withOperated(
      temporal,
      (outside) => {
        outside.tickOutcome = (input) => policy.tick(input);
        outside.accepted = { autonomyRules: [{ level: 'approve', class: 'rateLimit' }] };
      },
      async ({ until, update, adjustment, ticks }) => {
        const { proposals } = await until('a proposal', (s) => s.proposals?.length === 1);
        const planHash = proposals?.[0]?.id ?? '';
        await update('take-over');
        expect(await update('approve', { planHash })).toEqual({
          accepted: false,
          detail: 'ada has the region, so nothing is adjusted: hand-back first',
        });
        await update('hand-back');
        await update('freeze');
        const approved = await update('approve', { planHash });
        expect(approved).toMatchObject({ accepted: true, detail: expect.stringContaining('after resume') });
        await ticks(3);
        expect(await adjustment()).toMatchObject({ adjustmentsMade: 0, proposals: [{ state: 'approved' }] });
        await update('resume');
        await until('made', (s) => s.tuner.report?.adjustmentsMade === 1);
      },
    );
  });
});
