import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { isMap, parseDocument } from 'yaml';
import { createFileArtifactStore } from '../adapters/artifacts/fileStore.js';
import type { ArtifactRef } from '../core/spec/artifact.js';
import { canonicalJson, sha256 } from '../core/spec/hash.js';
import { parseRegion } from '../core/spec/parseRegion.js';
import type { Problem, Result } from '../core/spec/problem.js';
import { ok, refused } from '../core/spec/problem.js';
import type { RegionSpec } from '../core/spec/region.js';
import { workerConfig } from '../workers/config.js';
import type { ConnectionChoice } from './connection.js';
import { choiceOf } from './connection.js';
import { formatOption } from './options.js';
import { EXIT, printJson, refuse } from './output.js';
import type { Started } from './clientCalls.js';
import { startLine } from './temporalLine.js';

interface Options {
  preview: boolean;
  dryRun: boolean;
  format: 'text' | 'json';
}

export function registerStart(region: Command): void {
  const command = region
    .command('start')
    .description('launch the life of a region from its file; asking twice is harmless')
    .argument('<file>', 'region file')
    .option('--preview', 'forecast and plan, and apply nothing before a person approves the plan', false)
    .option('--dry-run', 'check the file, show the `temporal` line, start nothing', false)
    .addOption(formatOption());
  command.action((file: string, options: Options) => start(file, options, choiceOf(command)));
}

async function start(file: string, options: Options, choice: ConnectionChoice): Promise<void> {
  const { format } = options;
  const written = await readFile(file, 'utf8');
  const text = options.preview ? asPreview(written, file) : ok(written);
  if (!text.ok) return refuse(text.problems, format);
  const parsed = parseRegion(text.value, file);
  if (!parsed.ok) return refuse(parsed.problems, format);
  const { taskQueue } = workerConfig(process.env, process.cwd());
  const { name } = parsed.value;
  if (options.dryRun) {
    const line = startLine(name, file, taskQueue, choice);
    const mode = options.preview && text.value !== written ? 'preview' : null;
    if (format === 'json') return printJson({ valid: true, line, addMode: mode });
    if (mode !== null) process.stderr.write(`first add this line to ${file}: mode: preview\n`);
    process.stdout.write(`${line}\n`);
    return;
  }
  const { startRegion } = await import('./regionClient.js');
  const started = await startRegion(name, text.value, taskQueue, choice);
  if (!started.started) return alreadyRuns(started, parsed.value, options, choice);
  if (format === 'json') printJson(started);
  else process.stdout.write(`started ${started.workflowId} (run ${started.runId})\n`);
}

/** The same document in mode preview, its comments kept. A file that says `live` means it. */
export function asPreview(text: string, file: string): Result<string> {
  const document = parseDocument(text);
  // What is no mapping is refused by its own reader, with every problem named.
  if (document.errors.length > 0 || !isMap(document.contents)) return ok(text);
  const mode = document.get('mode');
  if (mode === 'preview') return ok(text);
  if (mode !== undefined) return refused([liveProblem(text, file, String(mode))]);
  document.set('mode', 'preview');
  return ok(document.toString({ lineWidth: 0 }));
}

function liveProblem(text: string, file: string, mode: string): Problem {
  const line = text.split('\n').findIndex((one) => /^mode\s*:/.test(one)) + 1;
  return {
    code: 'mode-written',
    file,
    ...(line > 0 ? { line } : {}),
    field: 'mode',
    message: `is "${mode}" in the file and --preview asks for another`,
    expected: 'preview, or nothing',
    fix: 'take the line out of the file, or start without --preview',
  };
}

/** Told apart by the hash of what was read, as the worker keeps it: comments and layout make no difference. */
async function alreadyRuns(
  { workflowId, runId }: Started,
  spec: RegionSpec,
  { format }: Options,
  choice: ConnectionChoice,
): Promise<void> {
  const { regionExplanation } = await import('./regionClient.js');
  const file = sha256(canonicalJson(spec));
  const explained = await regionExplanation(spec.name, choice).catch(() => null);
  const running = explained?.specRef.hash ?? null;
  const same = running === null ? null : running === file;
  const differs = explained === null || same !== false ? [] : await differences(explained.specRef, spec);
  if (same !== true) process.exitCode = EXIT.notSo;
  if (format === 'json') return printJson({ workflowId, runId, started: false, same, running, file, differs });
  if (same === true) process.stdout.write(`${workflowId} runs already with this file (run ${runId})\n`);
  else if (same === null) {
    process.stdout.write(`${workflowId} runs already; with which file it does not tell (run ${runId})\n`);
  } else {
    const where = differs.length === 0 ? '' : `, which differs in ${differs.join(', ')}`;
    process.stdout.write(
      `${workflowId} runs already with another file: ${short(running)}, and this one is ${short(file)}${where}. ` +
        'A region keeps the file that it was started with: release it, then start it with the new one\n',
    );
  }
}

/** Fields of the file whose values differ; none where the state folder of the worker is elsewhere. */
async function differences(running: ArtifactRef, spec: RegionSpec): Promise<string[]> {
  const { stateDirectory } = workerConfig(process.env, process.cwd());
  try {
    const store = createFileArtifactStore(path.join(stateDirectory, 'artifacts'));
    const old = await store.getJson<Record<string, unknown>>(running);
    const now = spec as unknown as Record<string, unknown>;
    const fields = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    return fields.filter((field) => canonicalJson(old[field] ?? null) !== canonicalJson(now[field] ?? null));
  } catch {
    return [];
  }
}

function short(hash: string | null): string {
  return hash?.slice(0, 12) ?? 'unknown';
}
