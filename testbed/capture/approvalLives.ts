import type { ApprovalRules } from '../../activities/contract.js';
import { JudgedRegion, hashOf } from '../../test/workflows/judgedRegion.js';
import type { ScriptedLife } from './life.js';
import { blockedBy, failure, inPhase } from './life.js';
import { isOperating } from './person.js';

const RULES: ApprovalRules = { autoBelowPercent: 10, approverNotRequester: false, timeoutMs: 12_000 };
const waiting = inPhase('awaiting-approval');
const previewing = inPhase('previewing');

/** Plans that wait for a person's word, and what comes of each of its answers. */
const LIVES: readonly ScriptedLife[] = [
  {
    name: 'asked',
    region:
      'plans wait for approval: stale, own, rejected, approved in a freeze; in operation approved, rejected and expired',
    adjustment: 'ticks on under the plan that runs while another waits for a word, and goes over to the approved one',
    outside: () => new JudgedRegion(),
    prepare: (outside) => {
      outside.accepted = { approvals: { ...RULES, approverNotRequester: true, requester: 'ada' } };
      outside.blastPercent = 60;
    },
    live: async ({ until, untilTuner, update }) => {
      const bob = { who: 'bob' };
      await until('asked', waiting);
      await update('approve', { ...bob, planHash: hashOf(9) }, false);
      await update('approve', { planHash: hashOf(1) }, false);
      await update('reject', { ...bob, planHash: hashOf(1) });
      await until('rejected', blockedBy('approval-rejected'));
      await update('retry');
      await until('asked again', waiting);
      await update('freeze');
      await update('approve', { ...bob, planHash: hashOf(2) });
      await until('held back', inPhase('pre-deploying'));
      await update('resume');
      await until('operating', isOperating);
      await untilTuner('a tick', ({ ticks }) => ticks > 0);
      await update('replan');
      await until('asked in operation', waiting);
      await update('override', { address: 'shop.rateLimit.rps', value: 44 });
      await update('approve', { ...bob, planHash: hashOf(3) });
      await until('approved', (now) => now.planHash === hashOf(3) && isOperating(now));
      await update('replan');
      await until('asked for the fourth', waiting);
      await update('reject', { ...bob, planHash: hashOf(4) });
      await until('rejected in operation', (now) => now.replan?.state === 'failed' && isOperating(now));
      await update('replan');
      await until('asked for the fifth', waiting);
      await until('expired', (now) => now.replan?.detail.includes('not approved in time') === true && isOperating(now));
    },
  },
  {
    name: 'unanswered',
    region: 'nobody approves the first plan in time: blocked, tried again, blocked again, and aborted',
    outside: () => new JudgedRegion(),
    prepare: (outside) => {
      outside.accepted = { approvals: { ...RULES, timeoutMs: 700 } };
    },
    live: async ({ region, until, update }) => {
      const first = await until('expired', blockedBy('approval-expired'));
      await update('retry');
      await until(
        'expired again',
        ({ blocked }) => blocked?.reason === 'approval-expired' && blocked.since !== first.blocked?.since,
      );
      await update('abort');
      await region.result();
    },
  },
  {
    name: 'previewed',
    region: 'a preview: planned anew, one that cannot be made, the plan before is stale; approved, then by the rules',
    adjustment: 'started after a preview, and goes over to a plan that needs nobody',
    outside: () => new JudgedRegion(),
    prepare: (outside) => {
      outside.accepted = { preview: true, approvals: { ...RULES, timeoutMs: 1 } };
      outside.blastPercent = 5;
    },
    live: async ({ until, untilTuner, update }, outside) => {
      await until('previewing', previewing);
      await update('replan');
      await until('the second plan', (now) => now.planHash === hashOf(2) && previewing(now));
      await update('approve', { planHash: hashOf(1) }, false);
      outside.faults.forecastRegion = [failure('no history', 'forecast-failed')];
      await update('replan');
      await until('failed', ({ replan }) => replan?.state === 'failed');
      await update('approve', { planHash: hashOf(2) });
      await until('operating', isOperating);
      await update('replan');
      await until('planned anew', (now) => now.replan?.state === 'done' && isOperating(now));
      await untilTuner('under the third plan', ({ planHash }) => planHash === hashOf(3));
    },
  },
];

export function approvalLives(): readonly ScriptedLife[] {
  return LIVES;
}
