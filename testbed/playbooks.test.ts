import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { locatePart } from '../scripts/parts/locate.js';
import { waitFor } from './http.js';
import { stopPlaybooks } from './playbooks.js';
import { processIdentity } from './processes.js';
import { projectRoot } from './run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-playbooks-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A run as the worker starts it, with another command in the playbook's place. */
function startRunOf(argv: readonly string[], name: string): { run: string; pid: number; exited: Promise<unknown> } {
  const run = path.join(folder, 'eu-west', name);
  mkdirSync(run, { recursive: true });
  const python = path.join(path.dirname(locatePart('ansible-playbook')), 'python3');
  const supervisor = path.join(projectRoot, 'adapters', 'delivery', 'supervise.py');
  const child = spawn(existsSync(python) ? python : 'python3', [supervisor, 'run', run, `${run}.lock`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin?.end(JSON.stringify({ argv, environment: {} }));
  return { run, pid: child.pid ?? 0, exited: new Promise((resolve) => child.once('exit', resolve)) };
}

describe('stopPlaybooks', () => {
  it('ends what runs, with its children, and leaves alone what has ended', async () => {
    const done = startRunOf(['true'], '1-apply');
    await done.exited;
    const child = path.join(folder, 'child');
    const running = startRunOf(['sh', '-c', `sleep 60 & echo $! > ${child}; wait`], '2-apply');
    await waitFor('the command', 10_000, () => Promise.resolve(existsSync(path.join(running.run, 'attempt.json'))));
    await waitFor('its child', 10_000, () => Promise.resolve(existsSync(child)));
    expect(await stopPlaybooks(folder)).toEqual([running.run]);
    await running.exited;
    expect(processIdentity(running.pid)).toBeNull();
    expect(existsSync(path.join(running.run, 'rc'))).toBe(false);
    expect(existsSync(path.join(done.run, 'rc'))).toBe(true);
    expect(await stopPlaybooks(folder)).toEqual([]);
    expect(await stopPlaybooks(path.join(folder, 'nothing'))).toEqual([]);
  }, 60_000);
});
