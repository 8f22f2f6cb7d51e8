import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from './http.js';
import { startIstioProxy } from './istioProxy.js';
import { startIstiod } from './istiod.js';
import { startKubernetes } from './kubernetes.js';

let dir: string;
const before = { ...process.env };

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'psmg-istiod-'));
});
afterEach(() => {
  for (const name of ['PSMG_ISTIOD_FILES', 'PSMG_KUBE_APISERVER']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  rmSync(dir, { recursive: true, force: true });
});

/** A program that says something and ends. */
function ending(text: string): string {
  const file = path.join(dir, 'ending');
  writeFileSync(file, `#!/bin/sh\necho ${text} >&2\nexit 3\n`, { mode: 0o755 });
  return file;
}

const running = (folder: string): string[] => (existsSync(folder) ? readdirSync(path.join(folder, 'pids')) : []);

describe('startIstiod', () => {
  it('runs beside another, and leaves no process behind', async () => {
    const folders = ['one', 'two'].map((name) => path.join(dir, name));
    const istiods = await Promise.all(folders.map((folder) => startIstiod({ dir: folder })));
    const ports = istiods.map(({ xds }) => xds.port);
    expect(new Set(ports).size).toBe(2);
    expect(folders.map(running)).toEqual([['istiod.json'], ['istiod.json']]);
    await Promise.all(istiods.map((istiod) => istiod.stop()));
    expect(folders.map(running)).toEqual([[], []]);
    for (const port of ports) await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
  }, 60_000);

  it('that ends before it is ready is an error with what it said', async () => {
    process.env['PSMG_ISTIOD_FILES'] = ending('no such mesh');
    await expect(startIstiod({ dir: path.join(dir, 'broken') })).rejects.toThrow(/ended before[^]*no such mesh/);
    expect(running(path.join(dir, 'broken'))).toEqual([]);
  });

  it('that is given what it cannot read says so: at the start it ends, later it goes on with what it had', async () => {
    const broken = { 'a/b.yaml': 'kind: {' };
    const files = path.join(dir, 'one');
    await expect(startIstiod({ dir: files, files: broken })).rejects.toThrow(/Failed to parse .*a\/b\.yaml/);
    const istiod = await startIstiod({ dir: path.join(dir, 'two') });
    try {
      istiod.put(broken);
      await waitFor('complaint', 10_000, async () =>
        Promise.resolve(/Failed to parse .*a\/b\.yaml/.test(istiod.log())),
      );
      istiod.remove('a/b.yaml');
      expect(existsSync(path.join(istiod.configDir, 'a', 'b.yaml'))).toBe(false);
      expect(running(path.join(dir, 'two'))).toEqual(['istiod.json']);
    } finally {
      await istiod.stop();
    }
  }, 60_000);
});

describe('startIstioProxy', () => {
  it('without an istiod is an error with its log, and leaves no process behind', async () => {
    const waiting = startIstioProxy({
      dir,
      role: 'router',
      xds: { address: '127.0.0.1', port: 1 },
      app: 'edge',
      locality: { region: 'eu', zone: 'eu-a' },
      address: '127.0.0.9',
      readyWithinMs: 1_500,
    });
    await expect(waiting).rejects.toThrow(/readiness of the proxy edge[^]*proxy-edge\.log ends with/);
    expect(running(dir)).toEqual([]);
  }, 30_000);
});

describe('startKubernetes', () => {
  it('whose server ends before it is ready is an error with what it said, and leaves no store behind', async () => {
    process.env['PSMG_KUBE_APISERVER'] = ending('no such flag');
    await expect(startKubernetes({ dir })).rejects.toThrow(/kube-apiserver ended before[^]*no such flag/);
    expect(running(dir)).toEqual([]);
  }, 60_000);
});
