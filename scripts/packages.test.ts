import { lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { linkOwnBin, packagesInStep } from './packages.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'psmg-packages-'));
  mkdirSync(path.join(root, 'node_modules'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function lock(
  name: string,
  packages: Record<string, { version: string; integrity?: string; optional?: boolean }>,
): void {
  writeFileSync(path.join(root, name), JSON.stringify({ packages }));
}

describe('packagesInStep', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  const b = { version: '2.0.0', integrity: 'sha512-b', optional: true };

  it('is false on a fresh clone and after an install that was broken off', () => {
    lock('package-lock.json', { '': a, 'node_modules/a': a });
    expect(packagesInStep(root)).toBe(false);
  });

  it('accepts what npm itself laid out, without the optional packages of other platforms', () => {
    lock('package-lock.json', { '': a, 'node_modules/a': a, 'node_modules/b': b });
    lock('node_modules/.package-lock.json', { 'node_modules/a': a });
    expect(packagesInStep(root)).toBe(true);
  });

  it('is false when a package has another version, and when the lock has changed since', () => {
    lock('package-lock.json', { '': a, 'node_modules/a': a });
    lock('node_modules/.package-lock.json', { 'node_modules/a': { ...a, version: '1.0.1' } });
    expect(packagesInStep(root)).toBe(false);
    lock('node_modules/.package-lock.json', { 'node_modules/a': a });
    expect(packagesInStep(root)).toBe(true);
    lock('package-lock.json', { '': a, 'node_modules/a': a, 'node_modules/c': a });
    expect(packagesInStep(root)).toBe(false);
  });
});

describe('linkOwnBin', () => {
  it('puts psmg where npx looks, and mends a wrong link', () => {
    mkdirSync(path.join(root, 'bin'));
    writeFileSync(path.join(root, 'bin', 'psmg.js'), '');
    const link = path.join(root, 'node_modules', '.bin', 'psmg');
    linkOwnBin(root);
    linkOwnBin(root);
    expect(readlinkSync(link)).toBe(path.join('..', '..', 'bin', 'psmg.js'));
    expect(lstatSync(path.join(root, 'bin', 'psmg.js')).mode & 0o111).not.toBe(0);
    rmSync(link);
    writeFileSync(link, 'wrong');
    linkOwnBin(root);
    expect(readlinkSync(link)).toBe(path.join('..', '..', 'bin', 'psmg.js'));
  });
});
