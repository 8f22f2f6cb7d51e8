import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startedAt } from './processes.js';

const GRACE_MS = 3000;

/**
 * Ends the proxies that playbooks started for the hosts in `folder` (one subfolder a host). They run detached on
 * purpose, so that they outlive the program; a testbed that ends takes them with it. Returns their process ids.
 */
export async function stopProxies(folder: string): Promise<readonly number[]> {
  if (!existsSync(folder)) return [];
  const hosts = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const ended = await Promise.all(hosts.map(async (host) => stopProxy(path.join(folder, host.name, 'proxy.json'))));
  return ended.filter((pid) => pid !== null);
}

async function stopProxy(recordFile: string): Promise<number | null> {
  const record = readRecord(recordFile);
  if (record === null) return null;
  const { pid, started } = record;
  const runs = (): boolean => startedAt(pid) === started;
  if (!runs()) return null;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!runs()) break;
    process.kill(pid, signal);
    const deadline = Date.now() + GRACE_MS;
    while (runs() && Date.now() < deadline) await sleep(25);
  }
  return pid;
}

function readRecord(file: string): { pid: number; started: string } | null {
  try {
    const { pid, started } = JSON.parse(readFileSync(file, 'utf8')) as { pid?: unknown; started?: unknown };
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : null;
  } catch {
    return null;
  }
}
