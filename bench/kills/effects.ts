import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What was done to the outside of one life, in order. One line of a file each, appended whole or not at all. */
export type Effect =
  | {
      kind: 'write';
      by: 'deploy' | 'apply' | 'restore';
      epoch: number;
      expected: string | null;
      hash: string;
      what: string;
    }
  | { kind: 'seen'; epoch: number }
  | { kind: 'entry'; to: 'activate' | 'drain' }
  | { kind: 'asked'; plan: string };

export interface Target {
  epoch: number;
  hash: string | null;
  entry: 'activate' | 'drain' | null;
  asked: readonly string[];
}

/** The file is the only state: a worker that dies loses nothing that was done, and leaves nothing half done. */
export class EffectLog {
  private readonly file: string;

  constructor(folder: string, life: string) {
    mkdirSync(folder, { recursive: true });
    this.file = path.join(folder, `${life}.effects.jsonl`);
  }

  read(): Effect[] {
    const lines = existsSync(this.file) ? readFileSync(this.file, 'utf8').split('\n').slice(0, -1) : [];
    return lines.map((line) => JSON.parse(line) as Effect);
  }

  append(effect: Effect): void {
    appendFileSync(this.file, `${JSON.stringify(effect)}\n`);
  }

  target(): Target {
    return this.read().reduce<Target>(after, { epoch: 0, hash: null, entry: null, asked: [] });
  }
}

function after(target: Target, effect: Effect): Target {
  switch (effect.kind) {
    case 'write':
      return { ...target, epoch: effect.epoch, hash: effect.hash };
    case 'seen':
      return { ...target, epoch: effect.epoch };
    case 'entry':
      return { ...target, entry: effect.to };
    case 'asked':
      return { ...target, asked: [...target.asked, effect.plan] };
  }
}

/** What a life did, without what differs from run to run: epochs rise with every hand-over that had to be repeated. */
export function sequenceOf(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    switch (effect.kind) {
      case 'write':
        return [`${effect.by} ${effect.what}`];
      case 'entry':
        return [`entry ${effect.to}`];
      case 'asked':
        return [`asked ${effect.plan}`];
      case 'seen':
        return [];
    }
  });
}

/** Writes that were intended once and done more than once. */
export function repeatedOf(effects: readonly Effect[]): string[] {
  const seen = new Set<string>();
  return effects.flatMap((effect) => {
    if (effect.kind !== 'write') return [];
    const key = `epoch ${effect.epoch}: ${effect.expected ?? 'nothing'} -> ${effect.hash}`;
    if (seen.has(key)) return [key];
    seen.add(key);
    return [];
  });
}
