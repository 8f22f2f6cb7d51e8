import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cacheDirectory, findPart, findPinnedPart, locatePart } from './locate.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-locate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(...names: string[]): string {
  const file = path.join(folder, ...names);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o755 });
  return file;
}

describe('findPart', () => {
  it('takes its own variable first, then PATH, then the cache', () => {
    const named = program('named', 'my-envoy');
    const onPath = program('second', 'envoy');
    const cached = program('cache', 'bin', 'envoy');
    const environment = {
      PSMG_ENVOY: named,
      PATH: [path.join(folder, 'first'), path.join(folder, 'second')].join(path.delimiter),
      PSMG_CACHE: path.join(folder, 'cache'),
    };
    expect(findPart('envoy', environment)).toEqual({ path: named, source: 'variable' });
    expect(findPart('envoy', { ...environment, PSMG_ENVOY: undefined })).toEqual({ path: onPath, source: 'path' });
    expect(findPart('envoy', { ...environment, PSMG_ENVOY: '', PATH: '' })).toEqual({ path: cached, source: 'cache' });
  });

  it('passes over PATH where the version matters', () => {
    const onPath = program('path', 'istioctl');
    const environment = { PATH: path.dirname(onPath), PSMG_CACHE: path.join(folder, 'cache') };
    expect(findPart('istioctl', environment)).toEqual({ path: onPath, source: 'path' });
    expect(findPinnedPart('istioctl', environment)).toBeUndefined();
    const cached = program('cache', 'bin', 'istioctl');
    expect(findPinnedPart('istioctl', environment)).toEqual({ path: cached, source: 'cache' });
    const named = { ...environment, PSMG_ISTIOCTL: onPath };
    expect(findPinnedPart('istioctl', named)).toEqual({ path: onPath, source: 'variable' });
  });

  it('finds a part under the other name that systems give it', () => {
    const onPath = program('path', 'prometheus-node-exporter');
    const environment = { PATH: path.dirname(onPath), PSMG_CACHE: path.join(folder, 'cache') };
    expect(findPart('node_exporter', environment)).toEqual({ path: onPath, source: 'path' });
  });

  it('finds Ansible in its virtual environment in the cache', () => {
    const cached = program('ansible', 'bin', 'ansible-playbook');
    expect(findPart('ansible-playbook', { PSMG_CACHE: folder })).toEqual({ path: cached, source: 'cache' });
  });

  it('passes over folders, files that cannot be run, dangling links and empty entries of PATH', () => {
    mkdirSync(path.join(folder, 'a', 'envoy'), { recursive: true });
    mkdirSync(path.join(folder, 'b'));
    writeFileSync(path.join(folder, 'b', 'envoy'), '', { mode: 0o644 });
    mkdirSync(path.join(folder, 'c'));
    symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'c', 'envoy'));
    const PATH = ['', ...['a', 'b', 'c'].map((name) => path.join(folder, name))].join(path.delimiter);
    expect(findPart('envoy', { PATH, PSMG_CACHE: path.join(folder, 'cache') })).toBeUndefined();
  });

  it('refuses a variable that names nothing that can be run, rather than using another program', () => {
    program('path', 'envoy');
    const environment = { PSMG_ENVOY: path.join(folder, 'gone'), PATH: path.join(folder, 'path') };
    expect(() => findPart('envoy', environment)).toThrow(/PSMG_ENVOY names .*gone, which is not an executable file/);
  });
});

describe('locatePart', () => {
  it('says what to do when a part is nowhere', () => {
    const before = { ...process.env };
    Object.assign(process.env, { PATH: '', PSMG_CACHE: folder });
    try {
      expect(() => locatePart('temporal-test-server')).toThrow(
        /temporal-test-server was not found .*npm run setup.*PSMG_TEMPORAL_TEST_SERVER/,
      );
    } finally {
      process.env['PATH'] = before['PATH'];
      if (before['PSMG_CACHE'] === undefined) delete process.env['PSMG_CACHE'];
      else process.env['PSMG_CACHE'] = before['PSMG_CACHE'];
    }
  });
});

describe('cacheDirectory', () => {
  it('is outside the clone unless PSMG_CACHE says otherwise', () => {
    expect(cacheDirectory({})).toBe(path.join(homedir(), '.cache', 'psmg'));
    expect(cacheDirectory({ PSMG_CACHE: '/elsewhere' })).toBe('/elsewhere');
  });
});
