import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { discardGoCaches, findGo, goEnvironment, isGoAtLeast } from './go.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-go-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that answers `go version` and `go env`. */
function goOf(version: string, caches: Readonly<Record<string, string>> = {}): string {
  const file = path.join(folder, 'go');
  const answers = `env) echo '${JSON.stringify(caches)}' ;; version) echo "go version go${version} linux/amd64" ;;`;
  writeFileSync(file, `#!/bin/sh\ncase $1 in ${answers} esac\n`, { mode: 0o755 });
  return file;
}

describe('isGoAtLeast', () => {
  it.each<[string, string, boolean]>([
    ['1.26.6', '1.26.0', true],
    ['1.26', '1.26.0', true],
    ['1.27', '1.26.9', true],
    ['1.100.0', '1.26.0', true],
    ['1.25.11', '1.26.0', false],
    ['1.26.0', '1.26.1', false],
  ])('%s against %s: %s', (actual, minimum, expected) => {
    expect(isGoAtLeast(actual, minimum)).toBe(expected);
  });
});

describe('findGo', () => {
  it('takes what is on PATH when it is new enough, and says nothing of one that is not', async () => {
    goOf('1.26.8');
    const environment = { PATH: `${folder}:/bin`, PSMG_GO: '' };
    expect(await findGo('1.26.0', environment)).toEqual({ command: 'go', version: '1.26.8' });
    expect(await findGo('1.27.0', environment)).toBeUndefined();
    expect(await findGo('1.26.0', { PATH: path.join(folder, 'none'), PSMG_GO: '' })).toBeUndefined();
  });

  it('takes the one that PSMG_GO names before PATH, and refuses it when it will not do', async () => {
    const named = goOf('1.25.1');
    expect(await findGo('1.25.0', { PSMG_GO: named })).toEqual({ command: named, version: '1.25.1' });
    await expect(findGo('1.26.0', { PSMG_GO: named })).rejects.toThrow(/is Go 1\.25\.1, and 1\.26\.0 is needed/);
    await expect(findGo('1.26.0', { PSMG_GO: '/nowhere/go' })).rejects.toThrow(/does not run/);
  });
});

describe('goEnvironment', () => {
  it('uses the caches that the user has, and ours for those that are not there', async () => {
    const theirs = path.join(folder, 'theirs');
    mkdirSync(theirs);
    const command = goOf('1.26.8', { GOMODCACHE: theirs, GOCACHE: path.join(folder, 'none') });
    expect(await goEnvironment({ command, version: '1.26.8' }, folder)).toMatchObject({
      GOMODCACHE: theirs,
      GOCACHE: path.join(folder, 'go', 'build'),
      GOFLAGS: expect.stringContaining('-mod=readonly'),
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '0',
    });
  });

  it('discards ours and nothing else', async () => {
    for (const name of ['go', 'bin']) mkdirSync(path.join(folder, name, 'x'), { recursive: true });
    await discardGoCaches(folder);
    await discardGoCaches(folder);
    expect([existsSync(path.join(folder, 'go')), existsSync(path.join(folder, 'bin'))]).toEqual([false, true]);
  });
});
