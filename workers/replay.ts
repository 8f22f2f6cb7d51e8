import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { WorkflowBundle } from '@temporalio/worker';
import { DefaultLogger, Runtime, Worker, makeTelemetryFilterString } from '@temporalio/worker';
import type { HistoryJson } from './history.js';
import { eventOf, isHistory, runIdOf, workflowIdOf, workflowTypeOf } from './history.js';
import { firstFailingTask, reasonOf } from './replayFailure.js';

export interface SavedHistory {
  /** Path of the file it was read from, or the workflow's id. */
  name: string;
  history: unknown;
}

export interface ReplayResult {
  name: string;
  workflowId: string;
  workflowType: string;
  runId: string;
  /** Why it does not replay; `null` when it does. */
  error: string | null;
  /** What the history holds where this build does something else; `null` where it replays, or cannot be told. */
  event: { id: number; what: string } | null;
}

/** Reads histories as `temporal workflow show --output json` writes them, from files and folders. */
export async function readHistories(paths: readonly string[]): Promise<readonly SavedHistory[]> {
  const files = (await Promise.all(paths.map(filesBelow))).flat().sort();
  return Promise.all(files.map(async (name) => ({ name, history: await readHistory(name) })));
}

async function readHistory(file: string): Promise<unknown> {
  const bytes = await readFile(file);
  try {
    const text = file.endsWith('.gz') ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8');
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} is not a history as \`temporal workflow show --output json\` writes it: ${why}`, {
      cause: error,
    });
  }
}

async function filesBelow(place: string): Promise<string[]> {
  if ((await stat(place)).isFile()) return [place];
  const entries = await readdir(place, { recursive: true });
  return entries.filter((entry) => /\.json(\.gz)?$/.test(entry)).map((entry) => path.join(place, entry));
}

/** Where the spans of a replay go: they were sent when it happened. */
const NO_SPANS = { exporter: { export: { fn: (): void => undefined } } };

/** Replays each history against a bundle; one that fails does not keep the others from being tried. */
export async function replayHistories(
  workflowBundle: WorkflowBundle,
  histories: readonly SavedHistory[],
): Promise<readonly ReplayResult[]> {
  const errors = await replayAll(
    workflowBundle,
    histories.map(({ history }) => history),
  );
  const results: ReplayResult[] = [];
  for (const [i, { name, history }] of histories.entries()) {
    const error = errors[i] ?? null;
    if (!isHistory(history)) {
      const why = error ?? new Error('no events');
      results.push({ name, workflowId: '', workflowType: '', runId: '', error: why.message, event: null });
      continue;
    }
    const event = error === null ? null : await failedEvent(workflowBundle, history, error);
    results.push({
      name,
      workflowId: workflowIdOf(history),
      workflowType: workflowTypeOf(history),
      runId: runIdOf(history),
      error: error === null ? null : reasonOf(error),
      event,
    });
  }
  return results;
}

async function failedEvent(bundle: WorkflowBundle, history: HistoryJson, error: Error): Promise<ReplayResult['event']> {
  const replays = async (part: HistoryJson): Promise<boolean> => (await replayAll(bundle, [part]))[0] === null;
  const event = await firstFailingTask(history, error, replays);
  return event === null ? null : { id: Number(event.eventId), what: eventOf(event) };
}

/** One worker for all of them: making one takes longer than most replays. What is no history at all ends a worker. */
async function replayAll(workflowBundle: WorkflowBundle, histories: readonly unknown[]): Promise<(Error | null)[]> {
  const errors: (Error | null)[] = [];
  while (errors.length < histories.length) {
    const rest = histories
      .slice(errors.length)
      .map((history) => ({ history: history as never, workflowId: isHistory(history) ? workflowIdOf(history) : '?' }));
    try {
      for await (const { error } of Worker.runReplayHistories({ workflowBundle, sinks: NO_SPANS }, rest)) {
        errors.push(error ?? null);
      }
    } catch (error) {
      errors.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  return errors;
}

/** One line a history, and of one that fails where it does and why. */
export function replayLine({ name, workflowId, runId, error, event }: ReplayResult): string {
  if (error === null) return `${name}: replays`;
  const at = event === null ? '' : ` at event ${event.id} (${event.what})`;
  return `${name}: does NOT replay: ${workflowId || 'no workflow'} run ${runId || '?'}${at}: ${error}`;
}

/** The SDK's native part writes its log to stdout unless it is told to hand it on; results alone belong there. */
export function keepStdoutForResults(): void {
  const logging = { filter: makeTelemetryFilterString({ core: 'ERROR' }), forward: {} };
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } });
}
