import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { projectRoot } from '../run.js';

/** The history of one run of a workflow, and why it is kept. */
export interface CapturedRun {
  /** Names the file. */
  name: string;
  reason: string;
  history: History;
}

export interface WorkflowToCapture {
  workflowId: string;
  /** Names the files of its runs; numbered when there are several. */
  name: string;
  reason: string;
  /** Fewer than this many runs: the list is not complete yet. */
  runs: number;
}

const LISTED_WITHIN_MS = 15_000;
const POLL_MS = 250;

/** Ends what still runs, so that histories are whole, and fetches every run started since `sinceMs`, oldest first. */
export async function captureWorkflow(
  client: Client,
  workflow: WorkflowToCapture,
  sinceMs: number,
): Promise<readonly CapturedRun[]> {
  const { workflowId, name, reason, runs } = workflow;
  await client.workflow
    .getHandle(workflowId)
    .terminate('captured')
    .catch(() => undefined);
  const runIds = await listRuns(client, workflowId, sinceMs, runs);
  const histories = await Promise.all(
    runIds.map((runId) => client.workflow.getHandle(workflowId, runId).fetchHistory()),
  );
  return histories.map((history, i) => ({
    name: histories.length === 1 ? name : `${name}-${i + 1}`,
    reason: histories.length === 1 ? reason : `${reason} (run ${i + 1} of ${histories.length})`,
    history,
  }));
}

/** Lists lag behind what happens, so this waits until as many runs as are expected are listed and closed. */
async function listRuns(client: Client, workflowId: string, sinceMs: number, atLeast: number): Promise<string[]> {
  const deadlineMs = Date.now() + LISTED_WITHIN_MS;
  for (;;) {
    const listed: { runId: string; startMs: number; open: boolean }[] = [];
    for await (const { runId, startTime, status } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      listed.push({ runId, startMs: startTime.getTime(), open: status.name === 'RUNNING' });
    }
    const ours = listed.filter(({ startMs }) => startMs >= sinceMs).sort((a, b) => a.startMs - b.startMs);
    if (ours.length >= atLeast && ours.every(({ open }) => !open)) return ours.map(({ runId }) => runId);
    if (Date.now() > deadlineMs) {
      throw new Error(`${workflowId}: ${ours.length} runs are listed as ended, ${atLeast} were expected`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Writes the histories as `temporal workflow show --output json` has them, and the table that says what they are. */
export function saveRuns(folder: string, runs: readonly CapturedRun[], replace: boolean): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    if (!replace) throw new Error(`${folder} holds histories already: name another version, or --replace them`);
    rmSync(folder, { recursive: true });
  }
  mkdirSync(folder, { recursive: true });
  for (const run of runs) writeFileSync(path.join(folder, `${run.name}.json.gz`), gzipSync(jsonOf(run), { level: 9 }));
  writeFileSync(path.join(folder, 'README.md'), tableOf(path.basename(folder), runs));
}

/**
 * Whoever polls signs as `<process>@<machine>`, and stack traces name the folder of the clone: both are nobody's
 * business. Everything else stays as it was; payloads, in base64, hold neither form.
 */
function jsonOf({ history }: CapturedRun): string {
  const json = historyToJSON(history).replaceAll(`@${hostname()}`, '@worker.example');
  return json.replaceAll(`${projectRoot}/`, '');
}

function tableOf(version: string, runs: readonly CapturedRun[]): string {
  const cells = [
    ['file', 'events', 'why it is here'],
    ...runs.map(({ name, reason, history }) => [`${name}.json.gz`, String(history.events?.length ?? 0), reason]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 1 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join(' | ')} |`;
  const [head = [], ...rows] = cells;
  const rule = widths.map((width, i) => (i === 1 ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [
    `# Histories ${version}`,
    '',
    'Written by `npm run capture:histories` from real runs on a real server. Never edit or delete one: a change to',
    '`workflows/` that does not replay them is guarded by `patched()`, and its new path is captured into a new folder.',
    '',
    line(head),
    line(rule),
    ...rows.map(line),
    '',
  ].join('\n');
}
