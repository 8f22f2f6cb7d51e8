import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ansibleIsInstalled, installAnsible } from './ansible.js';
import { findPython } from './python.js';
import { setUpItems, setUpParts } from './setup.js';
import type { SetUpItem } from './setup.js';

let folder: string;
let said: string[];
const say = (line: string): void => void said.push(line);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-setup-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(file: string, text = '#!/bin/sh\n'): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o755 });
  return file;
}

function item(install: (cache: string) => Promise<void>, isInstalled = (): boolean => false): SetUpItem {
  return { title: 'envoy 9.9', provides: ['envoy'], isInstalled, install, byHand: 'install Envoy yourself' };
}

describe('setUpParts', () => {
  const never = (): Promise<void> => Promise.reject(new Error('must not be called'));

  it('uses what is on PATH or configured and installs nothing', async () => {
    const envoy = program(path.join(folder, 'path', 'envoy'));
    const environment = { PATH: path.dirname(envoy), PSMG_CACHE: path.join(folder, 'cache') };
    await setUpParts([item(never)], { environment, say });
    await setUpParts([item(never)], { environment: { ...environment, PSMG_ENVOY: envoy }, say });
    expect(said).toEqual([`part envoy 9.9 … found on PATH (${envoy})`, `part envoy 9.9 … configured (${envoy})`]);
  });

  it('does not take from PATH what must be of one version, but takes what is configured', async () => {
    const envoy = program(path.join(folder, 'path', 'envoy'));
    const environment = { PATH: path.dirname(envoy), PSMG_CACHE: path.join(folder, 'cache') };
    const pinned = { ...item(() => Promise.resolve()), pinned: true };
    await setUpParts([pinned], { environment, say });
    expect(said).toContain('part envoy 9.9 … installing');
    await setUpParts([{ ...item(never), pinned: true }], { environment: { ...environment, PSMG_ENVOY: envoy }, say });
    expect(said.at(-1)).toBe(`part envoy 9.9 … configured (${envoy})`);
  });

  it('says "cached" and installs nothing the second time', async () => {
    await setUpParts([item(never, () => true)], { environment: { PSMG_CACHE: folder }, say });
    expect(said).toEqual(['part envoy 9.9 … cached']);
  });

  it('installs once when two set-ups run at once; the other waits', async () => {
    let installs = 0;
    const install = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      installs += 1;
    };
    const options = { environment: { PSMG_CACHE: folder }, say };
    const one = item(install, () => installs > 0);
    await Promise.all([setUpParts([one], options), setUpParts([one], options)]);
    expect(installs).toBe(1);
    expect(said.filter((line) => line.endsWith('… installing'))).toHaveLength(1);
    expect(said).toContain('part envoy 9.9 … waiting for another set-up');
    expect(said).toContain('part envoy 9.9 … cached');
  });

  it('tries every part and names each that could not be had in one error, with what to do', async () => {
    const options = { environment: { PSMG_CACHE: folder }, say };
    let installed = false;
    const good = item(() => {
      installed = true;
      return Promise.resolve();
    });
    const bad = { ...item(() => Promise.reject(new Error('no such wheel'))), title: 'temporal 1.9.1' };
    const done = setUpParts([bad, { ...good, provides: ['temporal'] }, { ...bad, title: 'ansible 2' }], options);
    await expect(done).rejects.toThrow(
      'a part could not be had:\n' +
        '  temporal 1.9.1: no such wheel\n    → install Envoy yourself\n' +
        '  ansible 2: no such wheel\n    → install Envoy yourself',
    );
    expect(installed).toBe(true);
  });
});

describe('setUpItems', () => {
  const titles = (...args: Parameters<typeof setUpItems>): string[] =>
    setUpItems(...args).map(({ title }) => title.split(' ')[0] ?? '');

  it('brings everything for tests, for start what start needs, and no Temporal where a cluster is named', () => {
    const all = ['temporal', 'temporal-test-server', 'envoy', 'ansible', 'prometheus', 'prometheus-node-exporter'];
    expect(titles('all', {})).toEqual(all);
    expect(titles('parts', {})).toEqual([
      ...all,
      'envoy-before',
      'kubectl',
      'istio',
      'kube-apiserver',
      'etcd',
      'influxdb',
    ]);
    expect(titles('start', {})).toEqual(['temporal', 'envoy', 'ansible']);
    expect(titles('start', { TEMPORAL_ADDRESS: 'cluster:7233' })).toEqual(['envoy', 'ansible']);
  });
});

describe('installAnsible', () => {
  let builds: number;
  const build = (target: string): Promise<void> => {
    builds += 1;
    for (const name of ['ansible-playbook', 'ansible-lint', 'python3']) program(path.join(target, 'bin', name));
    return Promise.resolve();
  };
  const playbook = (): string => path.join(folder, 'ansible', 'bin', 'ansible-playbook');

  beforeEach(() => {
    builds = 0;
  });

  it('builds once, and again when a build was broken off', async () => {
    const brokenOff = installAnsible(folder, (target) => {
      program(path.join(target, 'bin', 'ansible-playbook'));
      return Promise.reject(new Error('broken off'));
    });
    await expect(brokenOff).rejects.toThrow('broken off');
    expect(ansibleIsInstalled(folder)).toBe(false);
    await installAnsible(folder, build);
    await installAnsible(folder, build);
    expect(builds).toBe(1);
    expect(ansibleIsInstalled(folder)).toBe(true);
  });

  it('builds again when the Python it was made from is gone', async () => {
    await installAnsible(folder, build);
    const python = path.join(path.dirname(realpathSync(playbook())), 'python3');
    rmSync(python);
    symlinkSync('/nowhere/python3', python);
    expect(ansibleIsInstalled(folder)).toBe(false);
    await installAnsible(folder, build);
    expect(builds).toBe(2);
  });

  it('replaces an install of another layout, a link or a folder, in one step', async () => {
    const old = program(path.join(folder, 'old', 'bin', 'ansible-playbook'), 'old');
    symlinkSync(path.join(folder, 'old'), path.join(folder, 'ansible'));
    expect(realpathSync(playbook())).toBe(realpathSync(old));
    await installAnsible(folder, build);
    expect(ansibleIsInstalled(folder)).toBe(true);

    rmSync(path.join(folder, 'ansible'));
    program(playbook(), 'old');
    await installAnsible(folder, build);
    expect(ansibleIsInstalled(folder)).toBe(true);
    expect(readFileSync(old, 'utf8')).toBe('old');
  });
});

describe('findPython', () => {
  it('refuses one that is too old and one without venv, naming both reasons and what to install', async () => {
    const old = program(path.join(folder, 'python3.13'), '#!/bin/sh\necho 3.10.4\n');
    const bare = '#!/bin/sh\necho "ModuleNotFoundError: No module named \'ensurepip\'" >&2\nexit 1\n';
    program(path.join(folder, 'python3'), bare);
    const error = await findPython({ PATH: `${folder}:/bin`, PSMG_PYTHON: undefined }).then(
      ({ command }) => command,
      (reason: Error) => reason.message,
    );
    // Where /bin has a good Python the search goes on to it; where not, each refusal is named.
    if (/^python/.test(error)) expect(error).not.toBe('python3.13');
    else expect(error).toMatch(/python3.13 is 3.10.4; .*python3 has no venv.*python3-venv.*PSMG_PYTHON/);
    await expect(findPython({ PSMG_PYTHON: old })).rejects.toThrow(/is 3\.10\.4\).*PSMG_PYTHON/);
  });
});
