import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { FileSet } from '../../core/spec/artifact.js';
import type { DeploymentEvent, DeploymentRequest, DeploymentResult, HostRecap } from '../../core/spec/deployment.js';

/** Written by supervise.py when the command has ended by itself. Times in milliseconds since the epoch. */
export interface RunEnd {
  rc: number;
  startedAt: number;
  finishedAt: number;
  /** Byte offset in events.jsonl at which the attempt that ended began. */
  eventsFrom: number;
}

const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const STDERR_TAIL_CHARACTERS = 4000;

/** `<runsDirectory>/<region>/<deploymentId>[-check]`: everything that is known of one run. */
export function runFolderOf(runsDirectory: string, request: DeploymentRequest, mode: 'apply' | 'check'): string {
  for (const name of [request.region, request.deploymentId]) {
    if (!SAFE_NAME.test(name)) throw new Error(`"${name}" cannot name a run folder`);
  }
  const name = mode === 'check' ? `${request.deploymentId}-check` : request.deploymentId;
  return path.resolve(runsDirectory, request.region, name);
}

/** Lays the run's files out, once. Throws when the id was used for another deployment already. */
export async function prepareRunFolder(folder: string, request: DeploymentRequest, project: FileSet): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const text = `${JSON.stringify(request, null, 1)}\n`;
  const before = await readOptional(path.join(folder, 'request.json'));
  if (before !== undefined && before !== text) {
    throw new Error(`deployment ${request.deploymentId} is in ${folder} already, with another request`);
  }
  for (const [name, content] of Object.entries(project)) {
    await writeIfOther(path.join(folder, 'project', name), content);
  }
  await writeIfOther(path.join(folder, 'request.json'), text);
}

async function writeIfOther(file: string, content: string): Promise<void> {
  if ((await readOptional(file)) === content) return;
  await mkdir(path.dirname(file), { recursive: true });
  const scratch = `${file}.${process.pid}.tmp`;
  await writeFile(scratch, content);
  await rename(scratch, file);
}

export async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function readEnd(folder: string): Promise<RunEnd | undefined> {
  const text = await readOptional(path.join(folder, 'rc'));
  return text === undefined ? undefined : (JSON.parse(text) as RunEnd);
}

/** Follows events.jsonl by byte offset; gives whole lines only, each once, in order. */
export class EventTail {
  readonly #file: string;
  #offset = 0;
  #rest = Buffer.alloc(0);
  #seen = 0;

  constructor(folder: string) {
    this.#file = path.join(folder, 'events.jsonl');
  }

  async next(skip: number, onEvent: (event: DeploymentEvent, cursor: number) => void): Promise<void> {
    const added = await this.#read();
    let rest = Buffer.concat([this.#rest, added]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end).toString('utf8');
      rest = rest.subarray(end + 1);
      this.#seen += 1;
      if (this.#seen > skip) onEvent(JSON.parse(line) as DeploymentEvent, this.#seen);
    }
    this.#rest = rest;
  }

  async #read(): Promise<Buffer> {
    const size = await stat(this.#file).then(
      (found) => found.size,
      () => 0,
    );
    if (size < this.#offset + 1) {
      // A new attempt has cut the half line that a killed one left.
      if (size < this.#offset) this.#rewind(size);
      return Buffer.alloc(0);
    }
    const file = await open(this.#file);
    try {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(size - this.#offset),
        0,
        size - this.#offset,
        this.#offset,
      );
      this.#offset += bytesRead;
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  #rewind(size: number): void {
    this.#offset = size;
    this.#rest = Buffer.alloc(0);
  }
}

/** The result of a run that has ended, from its files alone. */
export async function readResult(
  folder: string,
  request: DeploymentRequest,
  end: RunEnd,
  reattached: boolean,
): Promise<DeploymentResult> {
  const bytes = await readFile(path.join(folder, 'events.jsonl')).catch(() => Buffer.alloc(0));
  const lines = bytes
    .subarray(end.eventsFrom)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  const events = lines.map((line) => JSON.parse(line) as DeploymentEvent);
  const recap: Readonly<Record<string, HostRecap>> = events.findLast((event) => event.type === 'stats')?.recap ?? {};
  const failures = events.filter(isFailure).map(({ host, task, message }) => ({
    host: host ?? '',
    task: task ?? '',
    message: message ?? '',
  }));
  if (end.rc !== 0 && failures.length === 0) failures.push(await ownFailure(folder, end.rc));
  return {
    deploymentId: request.deploymentId,
    epoch: request.epoch,
    releaseHash: request.releaseHash,
    ok: end.rc === 0 && failures.length === 0,
    reattached,
    recap,
    failures,
    startedAt: new Date(end.startedAt).toISOString(),
    finishedAt: new Date(end.finishedAt).toISOString(),
  };
}

function isFailure(event: DeploymentEvent): boolean {
  return event.type === 'failed' || event.type === 'unreachable';
}

/** Ansible ended before any task could fail: its words are on stderr, or on stdout when it has none there. */
async function ownFailure(folder: string, rc: number): Promise<{ host: string; task: string; message: string }> {
  const stderr = (await readOptional(path.join(folder, 'stderr')))?.trim() ?? '';
  const words = stderr === '' ? ((await readOptional(path.join(folder, 'stdout')))?.trim() ?? '') : stderr;
  return {
    host: '',
    task: 'ansible-playbook',
    message: `ended with code ${rc}: ${words.slice(-STDERR_TAIL_CHARACTERS)}`,
  };
}
