import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { WorkflowBundle } from '@temporalio/worker';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import { bundleWorkflows } from '../../workers/bundle.js';
import { keepStdoutForResults, readHistories, replayHistories } from '../../workers/replay.js';

jest.setTimeout(60_000);

const root = fileURLToPath(new URL('../../', import.meta.url));
const HISTORIES = path.join(root, 'test', 'replay', 'histories');
const MAX_BYTES = 100 * 1024;

const versions = readdirSync(HISTORIES).sort();
const folderOf = (version: string): string => path.join(HISTORIES, version);
const filesOf = (version: string): string[] => readdirSync(folderOf(version)).filter((file) => file.endsWith('.gz'));

interface HistoryJson {
  events: { eventType: string; [attributes: string]: unknown }[];
}

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

it('together they hold both workflows, every message, a failed start and a run that goes on as new', () => {
  const all = versions.flatMap((version) => filesOf(version).map((file) => historyOf(version, file)));
  const events = all.flatMap((history) => history.events);
  const types = new Set(events.map(({ eventType }) => eventType.replace('EVENT_TYPE_WORKFLOW_EXECUTION_', '')));
  expect([...types]).toEqual(expect.arrayContaining(['FAILED', 'COMPLETED', 'CANCELED', 'CONTINUED_AS_NEW']));
  const started = new Set(all.map(({ events: [first] }) => nameIn(first, 'workflowExecutionStarted', 'workflowType')));
  expect([...started].sort()).toEqual(['meshAdjustment', 'regionLifecycle']);
  const continued = new Set(
    all
      .filter(({ events: of }) => of.at(-1)?.eventType.endsWith('CONTINUED_AS_NEW'))
      .map(({ events: [first] }) => nameIn(first, 'workflowExecutionStarted', 'workflowType')),
  );
  expect([...continued].sort()).toEqual(['meshAdjustment', 'regionLifecycle']);
  const messages = new Set(events.map(messageOf).filter((name) => name !== null));
  const wanted = ['override', 'clear-override', 'freeze', 'resume', 'rollback', 'retry', 'skip', 'abort', 'replan'];
  expect([...messages]).toEqual(expect.arrayContaining([...wanted, 'hold', 'run', 'copy', 'adjustment-held']));
});

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
  return bundleWorkflowCode({
    workflowsPath: path.join(copy, 'index.ts'),
    payloadConverterPath: path.join(copy, 'shared', 'payloadConverter.ts'),
    logger: new DefaultLogger('ERROR'),
  });
}

describe('a change that a running region would not survive', () => {
  it('is named when a step comes before another', async () => {
    const bundle = await bundleChanged('order', 'regionLifecycle/state.ts', (code) =>
      code.replace("['forecast', 'plan',", "['plan', 'forecast',").replace("step: 'forecast',", "step: 'plan',"),
    );
    const histories = await readHistories([path.join(folderOf('v1'), 'undisturbed-region.json.gz')]);
    const [result] = await replayHistories(bundle, histories);
    expect(result?.name).toContain('undisturbed-region');
    expect(result?.error).toMatch(/DeterminismViolationError|[Nn]ondeterminism/);
  });

  it('is named when a tick waits a little longer before it', async () => {
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
    expect(adjustment?.error).toMatch(/DeterminismViolationError|[Nn]ondeterminism/);
    expect(refused?.error).toBeNull();
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
    expect(results).toEqual([{ name: file, error: expect.stringMatching(/\S/) }]);
    const garbage = path.join(folder, 'garbage.json');
    writeFileSync(garbage, 'not a history');
    const refused = await psmg(garbage);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('garbage.json');
    expect((await psmg(path.join(folder, 'nothing-here'))).code).toBe(1);
  });
});
