import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { cacheDirectory } from '../../scripts/parts/locate.js';
import { PEERS_FOLDER } from './peersVenv.js';

/** What a peer says from one origin of one question. */
export interface RawForecast {
  mean: readonly number[] | null;
  cpuSeconds: number;
  reason?: string;
}

/** Where the forecasts of one peer are kept, one line of JSON each: another file as soon as its code has changed. */
export async function cacheFile(set: string, peer: string, module: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['forecast.py', module, 'requirements.txt']) {
    hash.update(await readFile(path.join(PEERS_FOLDER, name)));
  }
  const folder = path.join(cacheDirectory(), 'bench-peers', 'forecasts');
  await mkdir(folder, { recursive: true });
  return path.join(folder, `${set}.${peer}.${hash.digest('hex').slice(0, 12)}.jsonl`);
}

export async function readAnswers(file: string): Promise<Map<string, RawForecast>> {
  return existsSync(file) ? parsed((await readFile(file, 'utf8')).split('\n')) : new Map();
}

/** A last line that was cut off by an end is asked again. */
export function parsed(lines: readonly string[]): Map<string, RawForecast> {
  const answers = new Map<string, RawForecast>();
  for (const line of lines) {
    try {
      const { key, ...forecast } = JSON.parse(line) as RawForecast & { key: string };
      answers.set(key, forecast);
    } catch {
      continue;
    }
  }
  return answers;
}
