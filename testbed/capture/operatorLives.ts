import { acceptFleet } from '../../activities/acceptFleet.js';
import type { AdjustDecision, CalendarOutcome, TickInput, TickOutcome } from '../../activities/contract.js';
import type { ActivityRun, Ports } from '../../activities/ports.js';
import { proposalId } from '../../core/spec/autonomy.js';
import { NOTIFICATION_KINDS } from '../../core/spec/region.js';
import { seen } from '../../core/tuning/fixtures.js';
import { JudgedRegion } from '../../test/workflows/judgedRegion.js';
import type { ScriptedLife } from './life.js';
import { blockedBy, failure, inPhase } from './life.js';
import { isOperating } from './person.js';

const DAY_MS = 86_400_000;
const FLEET = 'permitted-fleet';

/** What people and region files lay down about what the program may do by itself. */
const LIVES: readonly ScriptedLife[] = [
  {
    name: 'taken-over',
    region:
      'changes wait for a word: taken over and handed back, approved in a freeze, rejected; autonomy set three times',
    adjustment:
      'suggests while a person has the region, makes what was approved, and goes by the levels that it is told',
    prepare: (outside) => {
      outside.accepted = { autonomy: 'approve' };
      outside.tickOutcome = proposing;
    },
    live: async ({ until, untilTuner, update }) => {
      const first = await until('a proposal', ({ proposals }) => proposals?.[0]?.state === 'waits');
      const planHash = first.proposals?.[0]?.id ?? '';
      await update('take-over');
      await update('take-over', { who: 'bob' }, false);
      await update('approve', { planHash }, false);
      await untilTuner('taken over', ({ takenOver }) => takenOver === true);
      await update('hand-back');
      await update('freeze');
      await update('approve', { planHash });
      await update('resume');
      const next = await until('made', ({ proposals, tuner }) => {
        return tuner.report?.adjustmentsMade === 1 && proposals?.[0]?.state === 'waits' && proposals[0].from === 105;
      });
      await update('reject', { planHash: next.proposals?.[0]?.id });
      await until('rejected', ({ proposals }) => proposals?.[0]?.state === 'rejected');
      await update('set-autonomy', { level: 'observe', service: 'shop' });
      await update('set-autonomy', { level: 'suggest', class: 'rateLimit' });
      await update('set-autonomy', { level: 'act', service: 'shop', class: 'breaker' });
      await untilTuner('told', ({ autonomyRules }) => autonomyRules?.length === 3);
    },
  },
  {
    name: 'calendar',
    region: 'a calendar freezes the launch, and operation until its end and until a resume; an expiry waits for it',
    adjustment: "keeps still in the calendar's freezes",
    outside: () => new JudgedRegion(),
    prepare: (outside) => {
      outside.accepted = { hasCalendar: true };
      outside.calendar = known([-1000, 20_000]);
    },
    live: async ({ until, untilTuner, update }, outside) => {
      await until('frozen', ({ freeze }) => freeze?.who === 'calendar');
      await until('operating', (now) => isOperating(now) && now.freeze === null);
      outside.calendar = known([8000, 16_000], [24_000, DAY_MS]);
      await update('replan');
      const soon = new Date(Date.now() + 11_000).toISOString();
      await update('override', { address: 'shop.rateLimit.rps', value: 44, until: soon });
      await until('frozen in operation', ({ freeze }) => freeze?.who === 'calendar');
      await update('replan', {}, false);
      await until('expired after it', ({ freeze, overrides }) => freeze === null && overrides.length === 0);
      await until('frozen again', ({ freeze }) => freeze?.who === 'calendar');
      await update('resume');
      await until('ended by a person', (now) => isOperating(now) && now.freeze === null);
      await untilTuner('not frozen', (now) => !now.frozen);
    },
  },
  {
    name: 'notified',
    region: 'tells of blocks, of their end and of its own; the receiver is away at first, and has it told again',
    adjustment: 'reverses a change, which is told',
    prepare: (outside) => {
      outside.accepted = { notifies: NOTIFICATION_KINDS };
      outside.faults.planRegion = [failure('no capacity in eu', 'plan-refused')];
      outside.faults.notify = [failure('nobody answers', 'hook-failed')];
      outside.tickOutcome = reversing();
    },
    live: async ({ region, until, update }, outside) => {
      await until('blocked', blockedBy('plan-refused'));
      await update('retry');
      await until('operating', isOperating);
      await until('a reversal', ({ tuner }) => (tuner.report?.adjustmentsReverted ?? 0) > 0);
      const told = (): boolean => outside.told.some(({ kind }) => kind === 'reverted');
      await until('told', ({ notifications }) => told() && notifications?.pending === 0);
      await update('release');
      await region.result();
    },
  },
  {
    name: 'fewer',
    region: 'fewer instances came than were planned: told, and planned anew once it operates',
    adjustment: 'goes over to the plan for fewer instances',
    besides: (outside) => {
      const { awaitStack } = outside.activities();
      return {
        awaitStack: async (input: Parameters<typeof awaitStack>[0]) => ({
          ...(await awaitStack(input)),
          planned: { shop: 3 },
        }),
      };
    },
    live: async ({ until, untilTuner }) => {
      await until('planned anew', (now) => now.replan?.state === 'done' && isOperating(now));
      await untilTuner('under the second plan', ({ planHash }) => planHash === 'p2');
    },
  },
  {
    name: 'permitted',
    region:
      'a launch waits for a fleet that does not run yet; permits for launch and plan; one given up in a freeze of all',
    adjustment: 'of a region that changes as its fleet permits',
    others: [
      {
        workflowId: FLEET,
        name: 'permitted-fleet',
        reason: 'permits a launch and a plan, holds one back while all are frozen, and goes on after a resume of all',
        runs: 1,
      },
    ],
    besides: () => {
      const read = acceptFleet({} as Ports);
      return { acceptFleet: (text: unknown) => read(text, {} as ActivityRun) };
    },
    prepare: (outside) => {
      outside.accepted = { fleet: { id: FLEET, permitMs: 60_000 } };
    },
    live: async ({ until, update }, _outside, client) => {
      await until('nobody permits', ({ permit }) => permit?.detail?.includes('not running') === true);
      const file = JSON.stringify({ apiVersion: 'psmg/v1', name: FLEET, maxConcurrentChanges: 1 });
      const start = { workflowId: FLEET, taskQueue: 'permitted', args: [file] };
      const fleet = await client.workflow.start('fleetCoordinator', start);
      await until('operating', isOperating);
      const tell = async (name: string): Promise<unknown> =>
        fleet.executeUpdate(name, { args: [{ key: name, who: 'bob', why: 'to have it in a history' }] });
      await tell('freeze-all');
      await until('frozen by the fleet', ({ freeze }) => freeze !== null);
      await update('resume');
      await update('replan');
      await until('waits', inPhase('awaiting-permit'));
      await update('freeze');
      await until('given up', ({ replan }) => replan?.state === 'failed');
      await update('resume');
      await tell('resume-all');
      await update('replan');
      await until('planned anew', (now) => now.replan?.state === 'done' && isOperating(now));
    },
  },
];

export function operatorLives(): readonly ScriptedLife[] {
  return LIVES;
}

/** Knows a day; from so many milliseconds after now to so many. */
function known(...freezes: readonly [fromMs: number, toMs: number][]): CalendarOutcome {
  const nowMs = Date.now();
  const at = freezes.map(([fromMs, toMs]) => ({ fromMs: nowMs + fromMs, toMs: nowMs + toMs, why: 'sale' }));
  return { freezes: at, untilMs: nowMs + DAY_MS };
}

/** Wants 5 rps more than there are: asks for each change once, makes what was approved, and keeps it. */
function proposing(input: TickInput): Partial<TickOutcome> {
  if (input.inFlight !== null) return { decision: { kind: 'keep', reason: 'within the SLO' } };
  if (input.frozen || (input.autonomyRules ?? []).some(({ level }) => level === 'observe')) return {};
  const address = 'shop.rateLimit.rps';
  const from = input.intent.adjustments.find((made) => made.address === address)?.to ?? 100;
  if (typeof from !== 'number') return {};
  const adjustment = { address, from, to: from + 5, reason: 'it binds', planHash: input.plan.hash, madeAt: '' };
  const id = proposalId(adjustment);
  const decision: AdjustDecision = { kind: 'adjust', adjustment, service: 'shop', baseline: seen('shop') };
  const isApproved = input.answers?.some(({ to, answer }) => to === adjustment.to && answer === 'approved') === true;
  if (isApproved) return { decision: { ...decision, level: 'act' } };
  if (input.takenOver === true) return { decision: { ...decision, level: 'suggest' } };
  return { decision: { ...decision, level: 'approve', id } };
}

/** Makes one change and has it reversed. */
function reversing(): (input: TickInput) => Partial<TickOutcome> {
  let made = 0;
  return ({ inFlight, plan }) => {
    if (inFlight !== null) return { decision: { kind: 'revert', reason: 'p99 over the SLO' } };
    if (made > 0) return {};
    made += 1;
    const adjustment = { address: 'shop.rateLimit.rps', from: 10, to: 11, reason: 'it binds', planHash: plan.hash };
    const change = { ...adjustment, madeAt: new Date().toISOString() };
    return { decision: { kind: 'adjust', adjustment: change, service: 'shop', baseline: seen('shop') } };
  };
}
