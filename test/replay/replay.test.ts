import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { WorkflowBundle } from '@temporalio/worker';
import { bundleWorkflows } from '../../workers/bundle.js';
import type { HistoryJson } from '../../workers/history.js';
import { eventOf, workflowIdOf } from '../../workers/history.js';
import { keepStdoutForResults, readHistories, replayHistories } from '../../workers/replay.js';
import type { Fingerprints } from './fingerprint.js';
import { differences, fingerprintFunctions, fingerprintHistory, hashWorkflows } from './fingerprint.js';

jest.setTimeout(60_000);

const root = fileURLToPath(new URL('../../', import.meta.url));
const HISTORIES = path.join(root, 'test', 'replay', 'histories');
const MAX_BYTES = 100 * 1024;
const MAX_EVENTS = 5000;
const MAX_PAYLOAD_BYTES = 256 * 1024;

const versions = readdirSync(HISTORIES).sort();
const folderOf = (version: string): string => path.join(HISTORIES, version);
const filesOf = (version: string): string[] => readdirSync(folderOf(version)).filter((file) => file.endsWith('.gz'));

function historyOf(version: string, file: string): HistoryJson {
  return JSON.parse(gunzipSync(readFileSync(path.join(folderOf(version), file))).toString('utf8')) as HistoryJson;
}

/** Rows of the table in a version's README: file, events, reason. */
function tableOf(version: string): { file: string; events: number; reason: string }[] {
  const lines = readFileSync(path.join(folderOf(version), 'README.md'), 'utf8').split('\n');
  const rows = lines.filter((line) => line.startsWith('|')).slice(2);
  return rows.map((row) => {
    const [, file = '', events = '', reason = ''] = row.split('|').map((cell) => cell.trim());
    return { file, events: Number(events), reason };
  });
}

let folder: string;

beforeAll(() => {
  keepStdoutForResults();
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-replay-'));
  // So that a changed copy of the workflows finds the packages.
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(versions)('histories %s', (version) => {
  it('are listed in the README of their folder with a reason and their number of events', () => {
    const table = tableOf(version);
    expect(table.map(({ file }) => file).sort()).toEqual(filesOf(version).sort());
    for (const { file, events, reason } of table) {
      expect({ file, events }).toEqual({ file, events: historyOf(version, file).events.length });
      expect(reason.length).toBeGreaterThan(10);
      expect(statSync(path.join(folderOf(version), file)).size).toBeLessThan(MAX_BYTES);
    }
  });
});

it('together they hold every workflow, every message, a failed start and a run that goes on as new', () => {
  const all = versions.flatMap((version) => filesOf(version).map((file) => historyOf(version, file)));
  const events = all.flatMap((history) => history.events);
  const types = new Set(events.map(({ eventType }) => eventType.replace('EVENT_TYPE_WORKFLOW_EXECUTION_', '')));
  expect([...types]).toEqual(expect.arrayContaining(['FAILED', 'COMPLETED', 'CANCELED', 'CONTINUED_AS_NEW']));
  const started = new Set(all.map(({ events: [first] }) => nameIn(first, 'workflowExecutionStarted', 'workflowType')));
  expect([...started].sort()).toEqual(['fleetCoordinator', 'meshAdjustment', 'regionLifecycle']);
  const continued = new Set(
    all
      .filter(({ events: of }) => of.at(-1)?.eventType.endsWith('CONTINUED_AS_NEW'))
      .map(({ events: [first] }) => nameIn(first, 'workflowExecutionStarted', 'workflowType')),
  );
  expect([...continued].sort()).toEqual(['meshAdjustment', 'regionLifecycle']);
  const messages = new Set(events.map(messageOf).filter((name) => name !== null));
  const operators = ['approve', 'reject', 'drain', 'release', 'retire', 'set-autonomy', 'take-over', 'hand-back'];
  const wanted = ['override', 'clear-override', 'freeze', 'resume', 'rollback', 'retry', 'skip', 'abort', 'replan'];
  wanted.push(...operators, 'continue-as-new', 'repair', 'freeze-all', 'resume-all', 'permit-request');
  expect([...messages]).toEqual(expect.arrayContaining([...wanted, 'hold', 'run', 'copy', 'adjustment-held']));
});

it('no run has more events, and no payload more bytes, than the limits of docs/upgrading.md', () => {
  for (const version of versions) {
    for (const file of filesOf(version)) {
      const { events } = historyOf(version, file);
      const largest = Math.max(...payloadBytes(events));
      expect({ file, held: events.length <= MAX_EVENTS && largest <= MAX_PAYLOAD_BYTES, largest }).toMatchObject({
        held: true,
      });
    }
  }
});

/** Size of the data of every payload anywhere below `value`. */
function payloadBytes(value: unknown): number[] {
  if (typeof value !== 'object' || value === null) return [];
  const { metadata, data } = value as { metadata?: unknown; data?: unknown };
  if (metadata !== undefined && typeof data === 'string') return [Buffer.from(data, 'base64').length];
  return Object.values(value).flatMap(payloadBytes);
}

/** Name of what a signal or an accepted update asks for. */
function messageOf(event: HistoryJson['events'][number]): string | null {
  const attributes = (key: string): Record<string, unknown> => (event[key] ?? {}) as Record<string, unknown>;
  const signal = attributes('workflowExecutionSignaledEventAttributes')['signalName'];
  if (typeof signal === 'string') return signal;
  const accepted = attributes('workflowExecutionUpdateAcceptedEventAttributes')['acceptedRequest'];
  return (accepted as { input?: { name?: string } } | undefined)?.input?.name ?? null;
}

function nameIn(event: HistoryJson['events'][number] | undefined, attributes: string, field: string): string {
  const found = (event?.[`${attributes}EventAttributes`] ?? {}) as Record<string, { name?: string }>;
  return found[field]?.name ?? '';
}

describe('replay against the bundle that the worker ships', () => {
  it('goes through every history', async () => {
    const results = await replayHistories(await bundleWorkflows(), await readHistories([HISTORIES]));
    expect(results).toHaveLength(versions.flatMap(filesOf).length);
    // A region goes by its own id alone: each is replayed under the one that it had.
    const ids = results.filter(({ workflowType }) => workflowType !== 'fleetCoordinator').map((one) => one.workflowId);
    expect(ids.filter((id) => !id.startsWith('region/'))).toEqual([]);
    expect(results.filter(({ error }) => error !== null)).toEqual([]);
  });
});

/** The workflows with one file changed, bundled as the worker bundles them. */
async function bundleChanged(name: string, file: string, change: (code: string) => string): Promise<WorkflowBundle> {
  const copy = path.join(folder, name);
  cpSync(path.join(root, 'workflows'), copy, { recursive: true });
  const code = readFileSync(path.join(copy, file), 'utf8');
  const changed = change(code);
  // A change that no longer finds its place would prove nothing.
  expect(changed).not.toBe(code);
  writeFileSync(path.join(copy, file), changed);
  return bundleWorkflows({ workflows: copy });
}

describe('the id of a workflow', () => {
  it('is found where a server did not write it into the history', () => {
    for (const [version, file] of versions.flatMap((of) => filesOf(of).map((file): [string, string] => [of, file]))) {
      const history = historyOf(version, file);
      const [first, ...rest] = history.events;
      if (first === undefined) throw new Error(`${file} is empty`);
      const { workflowId, ...attributes } = first['workflowExecutionStartedEventAttributes'] as { workflowId: string };
      const without = { events: [{ ...first, workflowExecutionStartedEventAttributes: attributes }, ...rest] };
      // A fleet's id is nowhere else.
      if (file.endsWith('-fleet.json.gz')) continue;
      // One whose file was refused never said what it is called.
      expect(workflowIdOf(without)).toBe(file.startsWith('refused-file') ? 'unknown' : workflowId);
    }
  });
});

describe('a change that a running region would not survive', () => {
  it('is named when a step comes before another', async () => {
    const bundle = await bundleChanged('order', 'regionLifecycle/state.ts', (code) =>
      code.replace("['forecast', 'plan',", "['plan', 'forecast',").replace("step: 'forecast',", "step: 'plan',"),
    );
    const histories = await readHistories([path.join(folderOf('v1'), 'undisturbed-region.json.gz')]);
    const [result] = await replayHistories(bundle, histories);
    expect(result?.name).toContain('undisturbed-region');
    expect(result?.workflowType).toBe('regionLifecycle');
    expect(result?.error).toMatch(/DeterminismViolationError/);
    expect(result?.event?.what).toBe('ActivityTaskScheduled forecastRegion');
  });

  it('is named when a tick waits a little longer before it, with the event', async () => {
    const bundle = await bundleChanged('sleep', 'meshAdjustment/workflow.ts', (code) =>
      code
        .replace('  setHandler,\n', '  setHandler,\n  sleep,\n')
        .replace('if (!this.state.held) await this.tick();', 'await sleep(10);\n$&'),
    );
    const histories = await readHistories([
      path.join(folderOf('v1'), 'undisturbed-adjustment.json.gz'),
      path.join(folderOf('v1'), 'refused-file-region.json.gz'),
    ]);
    const results = await replayHistories(bundle, histories);
    const [adjustment, refused] = ['undisturbed-adjustment', 'refused-file'].map((name) =>
      results.find((result) => result.name.includes(name)),
    );
    expect(adjustment?.error).toMatch(/DeterminismViolationError/);
    expect(adjustment?.event).toMatchObject({ id: expect.any(Number), what: 'ActivityTaskScheduled tick' });
    expect(refused?.error).toBeNull();
  });

  it('is named by its event where the core does not: an activity in the place of another', async () => {
    const bundle = await bundleChanged('swapped', 'regionLifecycle/steps.ts', (code) =>
      code.replace('await exportTargets({', 'await readBack({ intent: intentOf(state),'),
    );
    const [result] = await replayHistories(
      bundle,
      await readHistories([path.join(folderOf('v3'), 'decided-region.json.gz')]),
    );
    expect(result?.error).toContain("'exportTargets' does not match");
    const wanted = historyOf('v3', 'decided-region.json.gz').events.find((event) =>
      eventOf(event).endsWith('exportTargets'),
    );
    expect(result?.event).toEqual({ id: Number(wanted?.eventId), what: 'ActivityTaskScheduled exportTargets' });
  });
});

describe('the fingerprints', () => {
  const FILE = path.join(root, 'test', 'replay', 'fingerprints.json');

  const present = (): Fingerprints => {
    const functions = fingerprintFunctions(path.join(root, 'workflows'));
    const files = versions.flatMap((version) => filesOf(version).map((file) => ({ version, file })));
    const histories = files.map(({ version, file }) => [
      `${version}/${file}`,
      fingerprintHistory(historyOf(version, file)),
    ]);
    const workflows = hashWorkflows(functions);
    return { workflows, functions, histories: Object.fromEntries(histories) as Record<string, string> };
  };

  it('of what the workflows ask for and of the histories are those that are committed', () => {
    const is = present();
    // After a change that is meant: the file shows a reviewer what it is.
    if (process.env['UPDATE_FINGERPRINTS'] === '1') writeFileSync(FILE, `${JSON.stringify(is, null, 2)}\n`);
    const was = JSON.parse(readFileSync(FILE, 'utf8')) as Fingerprints;
    expect(differences(was, is)).toEqual([]);
    expect(is.workflows).toEqual(was.workflows);
  });

  it('show a call that is gone, by the function that it is gone from', () => {
    const copy = path.join(folder, 'fewer');
    cpSync(path.join(root, 'workflows'), copy, { recursive: true });
    const file = path.join(copy, 'regionLifecycle', 'steps.ts');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/await readBack\(\{[^)]*\)\s*\}\)/, '{ mismatches: [] }'));
    const was = present();
    const functions = fingerprintFunctions(copy);
    const changed = differences(was, { ...was, functions });
    expect(changed).toHaveLength(1);
    expect(changed[0]).toMatch(/^function regionLifecycle\/steps\.ts#preDeploy: was .*activity readBack/);
  });
});

describe('psmg replay', () => {
  const psmg = async (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(
        process.execPath,
        [path.join(root, 'bin', 'psmg.js'), 'replay', ...args],
        { cwd: root },
        (error, out, err) => {
          resolve({ code: error === null ? 0 : Number(error.code), out, err });
        },
      );
    });

  it('exits 0 when every checked-in history replays', async () => {
    const { code, out } = await psmg();
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toHaveLength(versions.flatMap(filesOf).length);
    expect(out).toMatch(/undisturbed-region\.json\.gz: replays/);
  });

  it('exits 1 and names what does not replay, and what is no history at all', async () => {
    const broken = historyOf('v1', 'refused-file-region.json.gz');
    const kept = broken.events.filter(({ eventType }) => eventType !== 'EVENT_TYPE_MARKER_RECORDED');
    const file = path.join(folder, 'broken.json.gz');
    writeFileSync(file, gzipSync(JSON.stringify({ events: kept })));
    const changed = await psmg('--format', 'json', file);
    expect(changed.code).toBe(1);
    const { results } = JSON.parse(changed.out) as { results: { name: string; error: string | null }[] };
    expect(results).toEqual([
      expect.objectContaining({ name: file, workflowId: 'region/five-mistakes', error: expect.stringMatching(/\S/) }),
    ]);
    const garbage = path.join(folder, 'garbage.json');
    writeFileSync(garbage, 'not a history');
    const none = path.join(folder, 'none.json');
    writeFileSync(none, '{"events": []}');
    expect((await psmg(none)).out).toContain('none.json: does NOT replay');
    const refused = await psmg(garbage);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('garbage.json');
    expect((await psmg(path.join(folder, 'nothing-here'))).code).toBe(1);
  });
});
