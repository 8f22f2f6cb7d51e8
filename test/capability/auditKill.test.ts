import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Database from 'libsql';
import { ACTS } from '../../activities/audit.js';
import { verifyLog } from '../../adapters/audit/contract.js';
import type { AuditLog } from '../../adapters/audit/port.js';
import { createSqliteAuditLog } from '../../adapters/audit/sqlite.js';
import type { AuditHead, AuditRecord } from '../../core/audit/record.js';
import { waitFor } from '../../testbed/http.js';
import type { RunningProcess } from '../../testbed/processes.js';
import type { MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { AuditStatus } from '../../workflows/shared/audit.js';
import { adjustmentWorkflowId } from '../../workflows/shared/names.js';
import type { Place } from './world.js';
import { startPlace } from './world.js';

const ADDRESS = 'storefront.rateLimit.rps';

/** As a machine that is switched off: nothing of the worker gets to say goodbye. */
async function kill(worker: RunningProcess): Promise<void> {
  process.kill(worker.pid, 'SIGKILL');
  expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' });
}

describe('the audit of a region whose worker is killed, again and again', () => {
  let place: Place;
  let worker: RunningProcess;
  let log: AuditLog;
  beforeAll(async () => {
    place = await startPlace({ judgeSeconds: 3 });
    worker = await place.startWorker();
  }, 90_000);
  afterAll(async () => {
    await log?.close();
    await place?.stop();
  }, 60_000);

  const said = (who: string): Record<string, string> => ({ key: `key-${who}`, who, why: `why ${who}` });

  async function update(name: string, who: string, fields: Record<string, unknown> = {}): Promise<void> {
    const outcome = await place.region.executeUpdate<MessageOutcome, [unknown]>(name, {
      args: [{ ...said(who), ...fields }],
    });
    expect(outcome).toMatchObject({ accepted: true });
  }

  /** The later of the two ends that the region's workflows know, once both have recorded all they noted. */
  async function knownHead(): Promise<AuditHead | undefined> {
    const tuner = place.client.workflow.getHandle(adjustmentWorkflowId(place.world.spec.name));
    const statuses = [await place.status(), await tuner.query<{ audit?: AuditStatus }>('status')];
    const heads = statuses.flatMap(({ audit }): AuditHead[] => {
      if (audit === undefined || audit.seq === null || audit.hash === null) return [];
      expect(audit).toMatchObject({ lost: 0 });
      return [{ seq: audit.seq, hash: audit.hash }];
    });
    if (statuses.some(({ audit }) => (audit?.pending ?? 0) > 0)) return undefined;
    return heads.sort((a, b) => b.seq - a.seq)[0];
  }

  async function records(): Promise<readonly AuditRecord[]> {
    const reads = await log.read(place.world.spec.name);
    return reads.map((read) => {
      if (!read.ok) throw new Error(`record ${read.place} ${read.detail}`);
      return read.record;
    });
  }

  it('lives: killed in a playbook, after a message, without a worker for another, and after an answer', async () => {
    await place.launch();
    await waitFor('a playbook in its middle', 90_000, async () => {
      const folder = place.runFolder('apply');
      const events = folder === undefined ? '' : path.join(folder, 'events.jsonl');
      return existsSync(events) && readFileSync(events, 'utf8').split('\n').length > 2 ? folder : undefined;
    });
    await kill(worker);
    worker = await place.startWorker();
    await place.until('the mesh is ready', 120_000, ({ preDeployment }) => preDeployment !== null);

    await place.region.signal('freeze', said('ada'));
    await kill(worker);
    // The same message again, as a person sends it who saw no answer; and one that no worker takes at first.
    await place.region.signal('freeze', said('ada'));
    await place.region.signal('resume', said('bob'));
    worker = await place.startWorker();
    await place.until('operating', 120_000, ({ phase, tuner }) => phase === 'operating' && tuner.state === 'running');

    await update('override', 'cleo', { address: ADDRESS, value: 60 });
    await kill(worker);
    worker = await place.startWorker();
    // Nothing is decided any more, so that the chain comes to an end that can be compared.
    await update('freeze', 'dan');
  }, 400_000);

  it('has a whole chain, whose end is the one that its status tells', async () => {
    const region = place.world.spec.name;
    log = createSqliteAuditLog(path.join(place.stateDirectory, 'audit.db'), { readOnly: true });
    const head = await waitFor('an end that all agree on', 60_000, async () => {
      const known = await knownHead();
      return known !== undefined && known.seq === (await log.head(region))?.seq ? known : undefined;
    });
    expect(await log.head(region)).toEqual(head);
    expect(await verifyLog(log, region)).toMatchObject({ breakCount: 0, records: head.seq, head });
  }, 90_000);

  it('has every message once, with who and why', async () => {
    const people = (await records()).filter(({ who }) => who !== 'psmg');
    expect(people.map(({ kind, who, why }) => [kind, who, why])).toEqual([
      ['frozen', 'ada', 'why ada'],
      ['resumed', 'bob', 'why bob'],
      ['overridden', 'cleo', 'why cleo'],
      ['frozen', 'dan', 'why dan'],
    ]);
    expect(people[2]).toMatchObject({ subject: ADDRESS, from: null, to: 60 });
  });

  it('has all notes of both workflows, each once and in their order, and phases that follow each other', async () => {
    const all = await records();
    expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
    const numbers = new Map<string, number[]>();
    for (const { key, workflowId } of all) {
      const number = /\/(\d+)$/.exec(key)?.[1];
      if (number !== undefined) numbers.set(workflowId, [...(numbers.get(workflowId) ?? []), Number(number)]);
    }
    expect(numbers.get(place.region.workflowId)?.length).toBeGreaterThan(4);
    for (const noted of numbers.values()) expect(noted).toEqual(noted.map((_, i) => i + 1));
    const phases = all.filter(({ kind }) => kind === 'phase');
    expect(phases.at(-1)?.to).toBe('operating');
    expect(phases.slice(1).map(({ from }) => from)).toEqual(phases.slice(0, -1).map(({ to }) => to));
    expect(all.filter(({ kind }) => kind === 'gap')).toEqual([]);
  });

  it('has every act that Temporal knows to be done, once', async () => {
    const { runId } = await place.region.describe();
    const { events } = await place.region.fetchHistory();
    const done = new Set(
      (events ?? []).map((event) => String(event.activityTaskCompletedEventAttributes?.scheduledEventId)),
    );
    const expected = (events ?? []).flatMap(({ eventId, activityTaskScheduledEventAttributes: scheduled }) => {
      const type = scheduled?.activityType?.name ?? '';
      // Without a hook nobody is asked for instances, and nothing is recorded.
      const acts = (ACTS as readonly string[]).includes(type) && type !== 'exportTargets';
      return acts && done.has(String(eventId)) ? [`${runId}/activity ${scheduled?.activityId}`] : [];
    });
    expect(expected.length).toBeGreaterThan(8);
    const keys = (await records()).map(({ key }) => key);
    for (const key of expected) expect(keys.filter((one) => one === key)).toHaveLength(1);
  });

  it('verifies by hand, and a tail that was cut off is found by asking the region', async () => {
    const region = place.world.spec.name;
    const ask = ['audit', 'verify', '--region', region, '--ask', '--format', 'json'];
    const whole = await place.psmg(...ask);
    expect([whole.code, JSON.parse(whole.stdout)]).toMatchObject([0, { ok: true }]);

    const copy = path.join(place.stateDirectory, 'copy');
    mkdirSync(copy);
    for (const end of ['', '-wal']) {
      const file = path.join(place.stateDirectory, `audit.db${end}`);
      if (existsSync(file)) copyFileSync(file, path.join(copy, `audit.db${end}`));
    }
    const db = new Database(path.join(copy, 'audit.db'));
    db.exec('DROP TRIGGER records_last; DELETE FROM records WHERE seq = (SELECT max(seq) FROM records)');
    db.close();
    const cut = ['--state', copy];
    expect((await place.psmg('audit', 'verify', '--region', region, ...cut)).code).toBe(0);
    const asked = await place.psmg(...ask, ...cut);
    expect(asked.code).toBe(1);
    expect(JSON.parse(asked.stdout)).toMatchObject({ ok: false, regions: [{ breaks: [{ kind: 'cut-tail' }] }] });
  }, 60_000);
});
