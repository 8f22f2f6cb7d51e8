import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from '@jest/globals';
import { createAuditBacklog } from '../adapters/audit/backlog.js';
import type { AuditLog } from '../adapters/audit/port.js';
import { AuditUnavailableError } from '../adapters/audit/port.js';
import { AUDIT_KINDS } from '../core/audit/record.js';
import type { NewAuditEntry } from '../core/audit/record.js';
import type { ActInfo } from './audit.js';
import { ACTS, entryOfAct, withAudit } from './audit.js';
import type { ApplyInput, RegionActivities } from './contract.js';

const INFO: ActInfo = { workflowId: 'region/eu', runId: 'run-1', activityId: '7', attempt: 2 };
const ref = (kind: string): { kind: string; hash: string; bytes: number } => ({ kind, hash: `${kind}-hash`, bytes: 1 });
const plan = { ref: ref('plan'), hash: 'p1' };
const specRef = ref('spec');
const HASH = 'abcdef0123456789'.repeat(4);
const AT_MS = Date.UTC(2026, 0, 1);

const applying: ApplyInput = {
  ...{ specRef, plan, epoch: 3, expectedHash: 'h1' },
  intent: {
    stage: { localPercent: 50, enforceLimits: true },
    window: '2026-01-02T00:00:00.000Z',
    overrides: [{ address: 'shop.rateLimit.rps', value: 40, who: 'ada', why: 'incident' }],
    adjustments: [
      { address: 'shop.breaker.maxRequests', from: 8, to: 9, reason: 'r', planHash: 'p1', madeAt: '2026-01-01' },
    ],
  },
};
const WHY = [
  'stage of 50 %, limits enforced',
  'window from 2026-01-02T00:00:00.000Z',
  'override shop.rateLimit.rps = 40 by ada',
  'adjustment shop.breaker.maxRequests = 9',
].join('; ');
const hosts = [{ host: 'edge-1', outcome: 'applied' }];
const recap = { 'edge-1': { ok: 9, changed: 3, failures: 0, unreachable: 0, skipped: 1 } };
const observed = { service: 'shop', requests: 9, errorRate: null, p99Ms: 12, rps: 3 };
const restoring = { specRef, releaseHash: HASH, epoch: 4, expectedHash: 'h2' };

/** Name, input, output, and the entry that comes of it. */
const CASES: readonly (readonly [keyof RegionActivities, unknown, unknown, Partial<NewAuditEntry>])[] = [
  [
    'acceptRegion',
    'name: eu',
    { specRef, autonomy: 'act', services: ['shop'] },
    { kind: 'started', subject: 'region file', to: 'spec-hash', result: { autonomy: 'act', services: ['shop'] } },
  ],
  [
    'forecastRegion',
    { specRef },
    { ref: ref('forecast'), trust: 'low', services: [{ service: 'shop', trustReason: 'short history', peakRps: 12 }] },
    {
      ...{ kind: 'forecast', why: 'shop: short history', subject: 'forecast', to: 'forecast-hash' },
      result: { trust: 'low', peakRps: { shop: 12 } },
    },
  ],
  [
    'planRegion',
    { specRef, forecastRef: ref('forecast') },
    { plan, services: [{ service: 'shop', instances: 3 }], warnings: ['w'] },
    {
      ...{ kind: 'planned', why: 'from forecast forecast-has', subject: 'plan', to: 'p1', planHash: 'p1' },
      result: { instances: { shop: 3 }, warnings: 1 },
    },
  ],
  [
    'deployRelease',
    { ...applying, deploymentId: 'd1' },
    { deploymentId: 'd1', releaseHash: 'h2', reattached: true, recap },
    {
      ...{ kind: 'applied', why: WHY, subject: 'deployment d1', from: 'h1', to: 'h2', planHash: 'p1' },
      result: { reattached: true, hosts: { 'edge-1': { changed: 3, failures: 0 } } },
    },
  ],
  [
    'applyIntent',
    applying,
    { releaseHash: 'h2', hosts },
    {
      ...{ kind: 'applied', why: WHY, subject: 'release of epoch 3', from: 'h1', to: 'h2', planHash: 'p1' },
      result: { 'edge-1': 'applied' },
    },
  ],
  [
    'restoreDeployment',
    restoring,
    { releaseHash: HASH, hosts },
    {
      ...{ kind: 'restored', why: 'under epoch 4', subject: 'release abcdef012345', from: 'h2', to: HASH },
      ...{ planHash: null, result: { 'edge-1': 'applied' } },
    },
  ],
  [
    'moveEntry',
    { specRef, phase: 'activate' },
    { called: true },
    {
      ...{ kind: 'entry-moved', why: 'users enter here', subject: 'entry: activate', to: 'activate' },
      result: 'its owner was told',
    },
  ],
  [
    'moveEntry',
    { specRef, phase: 'drain' },
    { called: false },
    { why: 'users go back', subject: 'entry: drain', to: 'drain', result: 'no hook is declared' },
  ],
  [
    'exportTargets',
    { specRef, plan, window: 'w2' },
    { called: true },
    { kind: 'targets-exported', subject: 'instances of w2', planHash: 'p1', result: 'their owner was told' },
  ],
  [
    'judgeStage',
    { specRef, plan, localPercent: 50 },
    { verdict: 'failed', reason: 'errors rose', services: [observed] },
    {
      ...{ kind: 'judged', why: 'errors rose', subject: 'stage of 50 %', planHash: 'p1', from: null, to: null },
      result: { verdict: 'failed', services: [{ service: 'shop', requests: 9, errorRate: null, p99Ms: 12 }] },
    },
  ],
];

describe('the entry of an act', () => {
  it.each(CASES)('%s: says what was done', (name, input, output, expected) => {
    const made = entryOfAct({ name, input, outcome: { ok: true, output } }, INFO, AT_MS);
    expect(made).toMatchObject({
      region: 'eu',
      entry: {
        ...{ key: 'run-1/activity 7', at: '2026-01-01T00:00:00.000Z', who: 'psmg' },
        ...{ workflowId: 'region/eu', runId: 'run-1', ...expected },
      },
    });
  });

  it('is told of every activity that acts, in kinds that there are', () => {
    expect(new Set(CASES.map(([name]) => name))).toEqual(new Set(ACTS));
    for (const [name, input, output] of CASES) {
      const made = entryOfAct({ name, input, outcome: { ok: true, output } }, INFO, AT_MS);
      expect(AUDIT_KINDS).toContain(made?.entry.kind);
    }
  });

  it.each(CASES)('%s: an attempt that failed has a key and a record of its own', (name, input) => {
    const error = ApplicationFailure.nonRetryable('edge-1 is gone', 'target-unreachable');
    const made = entryOfAct({ name, input, outcome: { ok: false, error } }, INFO, AT_MS);
    expect(made?.entry).toMatchObject({
      ...{ key: 'run-1/activity 7 attempt 2', kind: 'failed', why: `${name} failed`, to: null },
      result: { type: 'target-unreachable', detail: 'edge-1 is gone' },
    });
    expect(made?.entry.subject).not.toBe('');
  });

  it('of a failure without a type is its words, cut to what a record holds', () => {
    const failed = (error: unknown): unknown =>
      entryOfAct({ name: 'applyIntent', input: applying, outcome: { ok: false, error } }, INFO, AT_MS)?.entry.result;
    expect(failed(new Error('x'.repeat(5000)))).toBe('x'.repeat(1000));
    expect(failed('no more')).toBe('no more');
  });

  it('is none where nothing was done, nobody acts, or no region is meant', () => {
    const none = (name: string, output: unknown, info = INFO): unknown =>
      entryOfAct({ name, input: { plan }, outcome: { ok: true, output } }, info, AT_MS);
    expect(none('exportTargets', { called: false })).toBeNull();
    expect(none('tick', {})).toBeNull();
    expect(none('readBack', { mismatches: [] })).toBeNull();
    expect(none('moveEntry', { called: true }, { ...INFO, workflowId: 'fleet' })).toBeNull();
  });

  it('of the adjustment belongs to the chain of its region', () => {
    const info = { ...INFO, workflowId: 'region/eu/adjustment' };
    const act = { name: 'applyIntent', input: applying, outcome: { ok: true, output: { releaseHash: 'h2', hosts } } };
    expect(entryOfAct({ ...act, outcome: { ...act.outcome, ok: true } }, info, AT_MS)).toMatchObject({
      region: 'eu',
      entry: { workflowId: 'region/eu/adjustment' },
    });
  });
});

describe('activities with an audit', () => {
  const failure = ApplicationFailure.nonRetryable('runs h9', 'drift');
  const outcome = { releaseHash: 'h2', hosts };
  const inner = {
    applyIntent: async () => outcome,
    restoreDeployment: async () => {
      throw failure;
    },
    readTargets: async () => [],
  } as unknown as RegionActivities;

  /** An audit that can be taken away. */
  function faulty(): { log: AuditLog; entries: NewAuditEntry[]; away: { now: boolean } } {
    const entries: NewAuditEntry[] = [];
    const away = { now: false };
    const append: AuditLog['append'] = async (_, added) => {
      if (away.now) throw new AuditUnavailableError('disk full');
      entries.push(...added);
      return { head: { seq: entries.length, hash: HASH }, appended: added.length, conflicts: [] };
    };
    return { log: { append } as Partial<AuditLog> as AuditLog, entries, away };
  }

  it('answer as without one, and record before they answer', async () => {
    const { log, entries } = faulty();
    const backlog = createAuditBacklog(log);
    const acting = withAudit(
      inner,
      backlog,
      () => INFO,
      () => AT_MS,
    );
    expect(await acting.applyIntent(applying)).toBe(outcome);
    expect(entries).toMatchObject([{ kind: 'applied', to: 'h2' }]);
    await expect(acting.restoreDeployment(restoring)).rejects.toBe(failure);
    expect(entries.slice(1)).toMatchObject([{ kind: 'failed', result: { type: 'drift', detail: 'runs h9' } }]);
    expect(acting.readTargets).toBe(inner.readTargets);
    await backlog.close();
  });

  it('answer all the same while the audit is away, and what they did is recorded when it is back', async () => {
    const { log, entries, away } = faulty();
    const backlog = createAuditBacklog(log, { retryMs: 60_000 });
    const acting = withAudit(
      inner,
      backlog,
      () => INFO,
      () => AT_MS,
    );
    away.now = true;
    expect(await acting.applyIntent(applying)).toBe(outcome);
    await expect(acting.restoreDeployment(restoring)).rejects.toBe(failure);
    expect(backlog.state()).toEqual({ pending: 2, dropped: 0, problem: 'disk full' });
    away.now = false;
    await backlog.close();
    expect(entries.map(({ kind }) => kind)).toEqual(['applied', 'failed']);
    expect(backlog.state()).toMatchObject({ pending: 0, problem: null });
  });

  it('record nothing outside of an activity', async () => {
    const { log, entries } = faulty();
    const acting = withAudit(
      inner,
      createAuditBacklog(log),
      () => null,
      () => AT_MS,
    );
    expect(await acting.applyIntent(applying)).toBe(outcome);
    expect(entries).toEqual([]);
  });
});
