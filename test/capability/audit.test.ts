import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import { withAudit } from '../../activities/audit.js';
import type { TickDecision } from '../../activities/contract.js';
import { actInfo } from '../../activities/temporal.js';
import { createAuditBacklog } from '../../adapters/audit/backlog.js';
import { verifyLog } from '../../adapters/audit/contract.js';
import { createSqliteAuditLog } from '../../adapters/audit/sqlite.js';
import type { TestTemporal } from '../workflows/environment.js';
import { eventually, startTestTemporal } from '../workflows/environment.js';
import { ScriptedRegion } from '../workflows/scriptedActivities.js';

jest.setTimeout(120_000);

let temporal: TestTemporal;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-audit-'));
  temporal = await startTestTemporal();
});

afterAll(async () => {
  await temporal.stop();
  rmSync(folder, { recursive: true });
});

it('a life leaves a chain that verifies, with everybody who said something, once', async () => {
  const name = 'audited';
  const outside = new ScriptedRegion();
  const changes: { from: number; to: number }[] = [];
  const verdicts: TickDecision[] = [
    { kind: 'keep', reason: 'requests are served' },
    { kind: 'revert', reason: 'p99 over the SLO' },
  ];
  outside.tickOutcome = ({ inFlight, plan, frozen }) => {
    if (frozen) return {};
    if (inFlight !== null) {
      const decision = verdicts.shift();
      return decision === undefined ? {} : { decision };
    }
    const change = changes.shift();
    if (change === undefined) return {};
    const madeAt = new Date().toISOString();
    const adjustment = { address: 'shop.rateLimit.rps', ...change, reason: 'binds', planHash: plan.hash, madeAt };
    return { decision: { kind: 'adjust', adjustment, service: 'shop', baseline: {} as never } };
  };
  const log = createSqliteAuditLog(path.join(folder, 'audit.db'));
  outside.audit = log;
  const backlog = createAuditBacklog(log);
  const worker = await temporal.worker(
    name,
    withAudit(outside.activities(), backlog, actInfo, () => Date.now()),
  );
  const { client } = temporal.env;
  await worker.runUntil(async () => {
    const region = client.workflow.getHandle(regionWorkflowId(name));
    await client.workflow.start('regionLifecycle', { workflowId: region.workflowId, taskQueue: name, args: [name] });
    const status = (): Promise<RegionStatus> => region.query<RegionStatus>('status');
    const send = (message: string, who: string, fields: Record<string, unknown> = {}): Promise<MessageOutcome> =>
      region.executeUpdate<MessageOutcome, [unknown]>(message, {
        args: [{ key: who, who, why: `why ${who}`, ...fields }],
      });
    await eventually('operating', async () => (await status()).tuner.state === 'running', 40_000);
    changes.push({ from: 50, to: 55 }, { from: 55, to: 60 });
    await eventually('judged', async () => {
      const { adjustmentsMade, adjustmentsReverted, inFlight } = await client.workflow
        .getHandle(adjustmentWorkflowId(name))
        .query<AdjustmentStatus>('status');
      return adjustmentsMade === 2 && adjustmentsReverted === 1 && inFlight === null;
    });
    const rate = { address: 'shop.rateLimit.rps', value: 40 };
    await send('override', 'ada', rate);
    await send('override', 'ada', rate);
    await send('freeze', 'bob');
    await send('replan', 'cleo');
    await region.signal('freez', { key: 'x', who: 'dan', why: 'why dan' });
    await send('rollback', 'eve', { to: 'previous' });
    const { audit } = await eventually('recorded', async () => {
      const now = await status();
      return now.refused.total === 1 && now.audit?.pending === 0 ? now : null;
    });
    await region.terminate();
    await client.workflow
      .getHandle(adjustmentWorkflowId(name))
      .terminate()
      .catch(() => undefined);
    const records = (await log.read(name)).flatMap((read) => (read.ok ? [read.record] : []));
    const said = records
      .filter(({ who }) => who !== 'psmg' && who !== '')
      .map(({ kind, who, why }) => [kind, who, why]);
    for (const [kind, who] of [
      ['overridden', 'ada'],
      ['frozen', 'bob'],
      ['refused', 'cleo'],
      ['refused', 'dan'],
      ['rolled-back', 'eve'],
    ]) {
      expect(said.filter(([k, w, y]) => k === kind && w === who && y === `why ${who ?? ''}`)).toHaveLength(1);
    }
    const kinds = records.map(({ kind }) => kind);
    for (const kind of ['started', 'forecast', 'planned', 'applied', 'judged', 'phase', 'deployed', 'restored']) {
      expect(kinds).toContain(kind);
    }
    const judged = records.filter(
      ({ kind, workflowId }) => workflowId === adjustmentWorkflowId(name) && /^(adjusted|kept|reverted)$/.test(kind),
    );
    expect(judged.map(({ kind, subject, from, to, why }) => [kind, subject, from, to, why])).toEqual([
      ['adjusted', 'shop.rateLimit.rps', 50, 55, 'binds'],
      ['kept', 'shop.rateLimit.rps', 55, 55, 'requests are served'],
      ['adjusted', 'shop.rateLimit.rps', 55, 60, 'binds'],
      ['reverted', 'shop.rateLimit.rps', 60, 55, 'p99 over the SLO'],
    ]);
    for (const { who, planHash, result } of judged) {
      expect([who, planHash]).toEqual(['psmg', 'p1']);
      // What ran then, by its hash: an act of that result is recorded too.
      expect(records.some(({ kind: act, to }) => act === 'applied' && to === result)).toBe(true);
    }
    expect(records.find(({ seq }) => seq === audit?.seq)?.hash).toBe(audit?.hash);
    expect(await verifyLog(log, name)).toMatchObject({ breakCount: 0, records: records.length });
  });
  await backlog.close();
  await log.close();
});
