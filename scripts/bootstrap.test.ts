import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const here = import.meta.dirname;

/** Says its arguments and stays until a signal, which it counts, then takes a while to clean up. */
const START = `
let signals: number = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    signals += 1;
    setTimeout(() => { console.log(name, signals, 'cleaned'); process.exit(7); }, 400);
  });
}
console.log(JSON.stringify(process.argv.slice(2)));
if (process.argv.includes('--wait')) setTimeout(() => {}, 30_000);
else process.exitCode = process.argv.includes('--fail') ? 3 : 0;
`;

let root: string;

function put(file: string, content: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), content);
}

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'psmg-bootstrap-'));
  put('package.json', JSON.stringify({ type: 'module', engines: { node: '>=20.19' } }));
  put('package-lock.json', JSON.stringify({ packages: {} }));
  put('node_modules/.package-lock.json', JSON.stringify({ packages: {} }));
  put('bin/psmg.js', '');
  put(
    'scripts/setup.ts',
    "const words: string[] = process.argv.slice(2);\nconsole.error('set up', words.join(' '));\n",
  );
  put('testbed/start.ts', START);
  for (const name of ['bootstrap', 'packages', 'lock']) {
    copyFileSync(path.join(here, `${name}.mjs`), path.join(root, 'scripts', `${name}.mjs`));
  }
  symlinkSync(path.resolve(here, '..', 'node_modules', 'tsx'), path.join(root, 'node_modules', 'tsx'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function bootstrap(...args: string[]): ChildProcess {
  const script = path.join(root, 'scripts', 'bootstrap.mjs');
  return spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function outcome(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

describe('bootstrap', () => {
  it('sets the parts up, then passes all arguments on', async () => {
    const result = await outcome(bootstrap('start', '--once', '--summary', 'a file'));
    expect(result.stdout).toBe('["--once","--summary","a file"]\n');
    expect(result.stderr).toContain('set up --for start');
    expect(result.code).toBe(0);
  });

  it('ends with the exit code of what it ran', async () => {
    expect((await outcome(bootstrap('start', '--fail'))).code).toBe(3);
  });

  it('does not run the command when a part is missing', async () => {
    put('scripts/setup.ts', 'process.exitCode = 1;\n');
    expect(await outcome(bootstrap('start'))).toMatchObject({ code: 1, stdout: '' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('hands %s on once, however often it comes, and waits', async (signal) => {
    const child = bootstrap('start', '--wait');
    const ended = outcome(child);
    if (child.stdout !== null) await once(child.stdout, 'data');
    child.kill(signal);
    setTimeout(() => child.kill(signal), 50);
    const { code, stdout } = await ended;
    expect(stdout).toContain(`${signal} 1 cleaned`);
    expect(code).toBe(7);
  });

  it('refuses a Node that is too old before anything else', async () => {
    put('package.json', JSON.stringify({ type: 'module', engines: { node: '>=99.1' } }));
    const result = await outcome(bootstrap('start'));
    expect(result.stderr).toBe(`psmg: Node ${process.versions.node} is too old: install Node 99.1 or newer.\n`);
    expect(result.code).toBe(1);
  });

  it.each(['', 'constructor', 'strat'])('names its commands when it does not know "%s"', async (name) => {
    const result = await outcome(bootstrap(name));
    expect(result).toMatchObject({ code: 2, stderr: expect.stringMatching(/^usage: .*setup\|start\|test\|/) });
  });
});
