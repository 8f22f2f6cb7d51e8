import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { WorkflowBundle } from '@temporalio/worker';
import { DefaultLogger, Runtime, Worker, makeTelemetryFilterString } from '@temporalio/worker';

export interface SavedHistory {
  /** Path of the file it was read from. */
  name: string;
  history: unknown;
}

export interface ReplayResult {
  name: string;
  /** Why it does not replay; `null` when it does. */
  error: string | null;
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
  const results: ReplayResult[] = [];
  for (const { name, history } of histories) {
    try {
      await Worker.runReplayHistory({ workflowBundle, sinks: NO_SPANS }, history);
      results.push({ name, error: null });
    } catch (error) {
      results.push({ name, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    }
  }
  return results;
}

/** The SDK's native part writes its log to stdout unless it is told to hand it on; results alone belong there. */
export function keepStdoutForResults(): void {
  const logging = { filter: makeTelemetryFilterString({ core: 'ERROR' }), forward: {} };
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } });
}
