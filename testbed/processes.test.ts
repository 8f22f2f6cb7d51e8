import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from './http.js';
import { freePort, freePortRange } from './ports.js';
import { processIdentity, startProcess, startedAt, stopLeftovers } from './processes.js';
import { stopProxies } from './proxies.js';
import { projectRoot, typescriptArgs } from './run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-processes-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const node = (script: string): { command: string; args: string[] } => ({
  command: process.execPath,
  args: ['-e', script],
});
const STAY = 'console.log("up"); setInterval(() => {}, 1000)';
const records = (): string[] => readdirSync(path.join(folder, 'pids'));
const gone = async (pid: number): Promise<void> => {
  await waitFor(`end of ${pid}`, 5000, async () => Promise.resolve(startedAt(pid) === null));
};

describe('processes', () => {
  it('are recorded while they run, and logged', async () => {
    const running = startProcess(folder, { name: 'stay', ...node(STAY) });
    expect(records()).toEqual(['stay.json']);
    await waitFor('log', 5000, async () => Promise.resolve(readFileSync(running.logFile, 'utf8').includes('up')));
    expect(running.isRunning()).toBe(true);
    await running.stop();
    expect(running.isRunning()).toBe(false);
    expect(startedAt(running.pid)).toBeNull();
    expect(records()).toEqual([]);
  });

  it('are ended by force when they will not go', async () => {
    const running = startProcess(folder, { name: 'deaf', ...node(`process.on("SIGTERM", () => {}); ${STAY}`) });
    await waitFor('log', 5000, async () => Promise.resolve(readFileSync(running.logFile, 'utf8').includes('up')));
    await running.stop(200);
    expect(await running.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('take the processes that they started with them', async () => {
    const script = `const c = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(STAY)}], { stdio: "ignore" });
      console.log("child " + c.pid); setInterval(() => {}, 1000)`;
    const running = startProcess(folder, { name: 'parent', ...node(script) });
    const child = await waitFor('child', 5000, async () => {
      const pid = /child (\d+)/.exec(readFileSync(running.logFile, 'utf8'))?.[1];
      return Promise.resolve(pid === undefined ? undefined : Number(pid));
    });
    await running.stop();
    await gone(child);
  });

  it('that cannot be started are an error', () => {
    expect(() => startProcess(folder, { name: 'none', command: '/nowhere/nothing', args: [] })).toThrow('none');
  });

  it('of a run that crashed are cleaned up by the next, and nothing else is', async () => {
    const file = path.join(folder, 'crash.ts');
    const source = `import { startProcess } from ${JSON.stringify(path.join(projectRoot, 'testbed', 'processes.js'))};
      startProcess(${JSON.stringify(folder)}, { name: 'orphan', command: process.execPath, args: ['-e', ${JSON.stringify(STAY)}] });
      process.kill(process.pid, 'SIGKILL');`;
    writeFileSync(file, source);
    const crashing = spawn(process.execPath, [...typescriptArgs('').slice(0, 2), file], {
      cwd: projectRoot,
      stdio: 'ignore',
    });
    await new Promise((resolve) => crashing.once('exit', resolve));
    const { pid } = JSON.parse(readFileSync(path.join(folder, 'pids', 'orphan.json'), 'utf8')) as { pid: number };
    expect(startedAt(pid)).not.toBeNull();
    // A record whose process id has passed to somebody else: this very process.
    const stranger = { pid: process.pid, identity: `${processIdentity(process.pid) ?? ''}0` };
    writeFileSync(path.join(folder, 'pids', 'stranger.json'), JSON.stringify(stranger));
    writeFileSync(path.join(folder, 'pids', 'broken.json'), '{');
    expect(await stopLeftovers(folder)).toEqual(['orphan']);
    await gone(pid);
    expect(records()).toEqual([]);
    expect(await stopLeftovers(path.join(folder, 'never'))).toEqual([]);
  });
});

describe('proxies that a playbook started', () => {
  it('are ended by their record, and not when the id belongs to another', async () => {
    const running = startProcess(folder, { name: 'proxy', ...node(STAY) });
    const write = (host: string, record: object): void => {
      mkdirSync(path.join(folder, 'hosts', host), { recursive: true });
      writeFileSync(path.join(folder, 'hosts', host, 'proxy.json'), JSON.stringify(record));
    };
    write('edge-1', { pid: running.pid, started: startedAt(running.pid) });
    write('edge-2', { pid: process.pid, started: '1' });
    mkdirSync(path.join(folder, 'hosts', 'edge-3'));
    expect(await stopProxies(path.join(folder, 'hosts'))).toEqual([running.pid]);
    await gone(running.pid);
    expect(await stopProxies(path.join(folder, 'nothing'))).toEqual([]);
    await running.stop();
  });
});

describe('free ports', () => {
  it('come in a row, are free, and are not given twice', async () => {
    const [a, b, c] = [await freePortRange(8), await freePortRange(8), await freePort()];
    expect(new Set([...Array(8).keys()].flatMap((i) => [a + i, b + i]).concat(c)).size).toBe(17);
    expect(existsSync(folder)).toBe(true);
  });
});
