import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withLock } from './lock.mjs';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-lock-'));
  file = path.join(folder, 'locks', 'part');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('withLock', () => {
  it('lets one at a time in and is free afterwards, after an error too', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await pause(20);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock(file, work, { pollMs: 5 })));
    expect(most).toBe(1);
    await expect(withLock(file, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over at once from an owner that was killed', async () => {
    const script = `import('${path.join(import.meta.dirname, 'lock.mjs')}').then(({ withLock }) =>
      withLock('${file}', () => { console.log('held'); return new Promise((r) => setTimeout(r, 60000)); }))`;
    const owner = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(owner.stdout, 'data');
    let waits = 0;
    const taken = withLock(file, () => Promise.resolve(existsSync(file)), { pollMs: 20, onWait: () => (waits += 1) });
    await pause(100);
    expect(waits).toBe(1);
    owner.kill('SIGKILL');
    expect(await taken).toBe(true);
  });

  it('is taken over from an owner elsewhere that no longer touches it, and not before', async () => {
    await withLock(file, () => Promise.resolve());
    writeFileSync(file, `1 not-${hostname()} x`);
    let waits = 0;
    const options = { staleMs: 300, pollMs: 20, onWait: () => (waits += 1) };
    expect(await withLock(file, () => Promise.resolve(waits), options)).toBe(1);

    writeFileSync(file, '');
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(file, longAgo, longAgo);
    expect(await withLock(file, () => Promise.resolve('in'), options)).toBe('in');
  });
});
