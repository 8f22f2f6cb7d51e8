import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { DeploymentEvent } from '../../core/spec/deployment.js';

/** Reads the events of every playbook run below a folder, each line once. */
export class PlaybookTail {
  private readonly folder: string;
  private readonly offsets = new Map<string, number>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** One line a finished task, since the last call. */
  news(): string[] {
    return this.files().flatMap((file) => this.read(file));
  }

  private files(): string[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .map((run) => path.join(this.folder, run, 'events.jsonl'))
      .filter((file) => existsSync(file))
      .sort();
  }

  private read(file: string): string[] {
    const text = readFileSync(file, 'utf8');
    const from = this.offsets.get(file) ?? 0;
    const end = text.lastIndexOf('\n') + 1;
    this.offsets.set(file, Math.max(from, end));
    return text
      .slice(from, end)
      .split('\n')
      .filter((line) => line !== '')
      .flatMap((line) => describe(JSON.parse(line) as DeploymentEvent));
  }
}

function describe(event: DeploymentEvent): string[] {
  const { type, host, task, message } = event;
  if (type === 'play' || type === 'task' || type === 'stats' || type === 'skipped') return [];
  const words = type === 'failed' || type === 'unreachable' ? `: ${message ?? ''}` : '';
  return [`  ${type.padEnd(11)} ${host ?? ''}  ${task ?? ''}${words}`];
}
