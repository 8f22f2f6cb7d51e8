import { describe, expect, it } from '@jest/globals';
import type { AcceptedRegion } from '../../activities/contract.js';
import { SETTING_FIELDS } from '../../core/spec/settings.js';
import type { ApprovalState } from './approvals.js';
import { explainRegion } from './explain.js';
import type { LifecycleState } from './state.js';
import { initialState } from './state.js';

const AT = Date.parse('2030-01-01T00:00:00Z');
const iso = (afterMs: number): string => new Date(AT + afterMs).toISOString();

function accepted(more: Partial<AcceptedRegion> = {}): AcceptedRegion {
  return {
    name: 'north',
    specRef: { kind: 'region', hash: 'spec', bytes: 1 },
    autonomy: 'act',
    services: ['shop', 'cart'],
    regions: ['north', 'south'],
    hosts: ['edge'],
    settingRules: SETTING_FIELDS,
    activationSteps: [50, 100],
    maxInconclusive: 2,
    tunables: {
      ...{ tickMs: 60_000, judgeMs: 1, stackTimeoutMs: 600_000, deployTimeoutMs: 1, holdTimeoutMs: 1 },
      ...{ ticksPerReport: 1, maxOverrides: 5, maxKeys: 5, keyLifetimeMs: 1, replanMs: 3_600_000 },
    },
    warnings: [],
    ...more,
  };
}

function operating(change: Partial<LifecycleState> = {}, more: Partial<AcceptedRegion> = {}): LifecycleState {
  const windows = [
    { from: iso(-1), wallFromMs: AT - 1 },
    { from: iso(900_000), wallFromMs: AT + 900_000 },
  ];
  const ref = { kind: 'plan', hash: 'artifact', bytes: 1 };
  return {
    ...initialState(accepted(more)),
    phase: 'operating',
    step: 'operate',
    plan: { plan: { ref, hash: 'plan1' }, services: [], warnings: [], windows },
    replan: { wantedBy: null, startedMs: AT, last: null },
    tuner: { state: 'running', report: null },
    ...change,
  };
}

describe('explainRegion', () => {
  it('an operating region waits for nothing, and tells its next changes in order', () => {
    const until = iso(1_800_000);
    const override = { address: 'shop.rateLimit.rps', value: 9, who: 'ada', why: 'test', until };
    const told = explainRegion(operating({ overrides: [override] }), AT);
    expect(told.waits).toEqual([]);
    expect(told.next.map(({ kind, at, heldBy }) => [kind, at, heldBy])).toEqual([
      ['window', iso(900_000), null],
      ['override-expires', until, null],
      ['replan', iso(3_600_000), null],
      ['tick', null, null],
    ]);
    expect(told.services).toEqual([
      { service: 'shop', overrides: [override] },
      { service: 'cart', overrides: [] },
    ]);
  });

  it('a freeze holds every change back, and resume ends it', () => {
    const told = explainRegion(operating({ freeze: { who: 'ada', why: 'test', since: iso(0) } }), AT);
    expect(told.waits.map(({ ways }) => ways.map(({ message }) => message))).toEqual([['resume']]);
    expect(told.next.map(({ heldBy }) => heldBy)).toEqual(told.next.map(() => 'frozen by ada until resume'));
  });

  it('where the region may not act, nothing of the schedule comes', () => {
    const told = explainRegion(operating({}, { autonomy: 'suggest' }), AT);
    for (const { heldBy } of told.next) expect(heldBy).toContain('autonomy of the region is suggest');
  });

  it.each([
    ['pre-deploy', ['retry', 'abort']],
    ['activate', ['retry', 'skip', 'abort']],
  ] as const)('a block at %s offers what it can be left by', (step, messages) => {
    const blocked = { reason: 'drift', step, detail: 'edge runs another\nmore', since: iso(0) } as const;
    const told = explainRegion({ ...initialState(accepted()), phase: 'blocked', step, blocked }, AT);
    expect(told.since).toBe(iso(0));
    expect(told.why).toBe(`blocked at ${step} by drift: edge runs another`);
    expect(told.waits[0]?.ways.map(({ message }) => message)).toEqual(messages);
  });

  it('a plan that waits is approved by its hash, and its time-out is told', () => {
    const planHash = 'f'.repeat(64);
    const approval: ApprovalState = {
      ...{ planHash, for: 'replan' as const, requestedBy: 'bob', blastPercent: 40, services: [], askedAt: iso(0) },
      ...{ expiresMs: AT + 5000, state: 'wanted' as const, by: null },
    };
    const told = explainRegion(operating({ phase: 'awaiting-approval', approval }), AT);
    expect(told.waits[0]?.ways[0]?.line).toContain(`"planHash":"${planHash}"`);
    expect(told.next[0]).toMatchObject({ kind: 'approval-expires', at: iso(5000) });
    const decided: ApprovalState = { ...approval, state: 'approved', by: { who: 'ada', why: 'fine', at: iso(1) } };
    const after = explainRegion(operating({ approval: decided }), AT);
    expect(after.waits).toEqual([]);
    expect(after.decisions[0]).toEqual({ at: iso(1), what: 'plan ffffffffffff approved by ada: fine' });
  });

  it('tells the newest ten decisions, the newest first', () => {
    const keys = Object.fromEntries(
      Array.from({ length: 15 }, (_, i) => [
        `k${i}`,
        { atMs: AT + i, name: 'freeze', outcome: { accepted: true, detail: `number ${i}` } } as const,
      ]),
    );
    const { decisions } = explainRegion(operating({ keys }), AT);
    expect(decisions.map(({ what }) => what)).toEqual(
      Array.from({ length: 10 }, (_, i) => `message freeze: number ${14 - i}`),
    );
  });
});
