import { mkdtempSync, rmSync } from 'node:fs';
import { access, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { filesUnder, runPython, runScript } from '../fixtures/hosts.js';

const root = mkdtempSync(path.join(tmpdir(), 'psmg-target-'));
const A = { 'bootstrap.yaml': 'b1\n', 'dyn/eds-x.yaml': 'x1\n', 'dyn/lds.yaml': 'l1\n', 'validate.yaml': 'v\n' };
const B = { 'bootstrap.yaml': 'b1\n', 'dyn/cds.yaml': 'c2\n', 'dyn/lds.yaml': 'l2\n' };
const BEFORE = {
  'bootstrap.yaml': 'by hand\n',
  'dyn/lds.yaml': 'by hand too\n',
  'dyn/theirs.yaml': 'not ours\n',
  'notes.txt': 'n\n',
};
let directory = '';
let count = 0;

afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(async () => {
  directory = path.join(root, 'start');
  await put(BEFORE);
  await stage('aaaa', A);
  await stage('bbbb', B);
});
beforeEach(async () => {
  count += 1;
  directory = path.join(root, String(count));
  await cp(path.join(root, 'start'), directory, { recursive: true });
});

async function put(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), text);
  }
}

async function stage(releaseHash: string, files: Record<string, string>): Promise<void> {
  expect(await runScript(directory, 'stage', { releaseHash, files })).toMatchObject({
    code: 0,
    answer: { outcome: 'staged' },
  });
}

async function swap(releaseHash: string, expectedHash: string | null, epoch = 1): Promise<Record<string, unknown>> {
  const { code, answer } = await runScript(directory, 'swap', { releaseHash, expectedHash, epoch });
  expect(code).toBe(0);
  return answer;
}

async function state(): Promise<Record<string, unknown>> {
  return (await runScript(directory, 'state')).answer;
}

const theirs = { 'dyn/theirs.yaml': 'not ours\n', 'notes.txt': 'n\n' };
const runningA = { ...theirs, 'bootstrap.yaml': 'b1\n', 'dyn/eds-x.yaml': 'x1\n', 'dyn/lds.yaml': 'l1\n' };
const runningB = { ...theirs, ...B };

describe('compare-and-swap', () => {
  it('switches, says what it did, and does nothing the second time', async () => {
    expect(await state()).toEqual({ epoch: 0, hash: null, drifted: [], held: null });
    expect(await swap('aaaa', null)).toMatchObject({ outcome: 'applied', hashBefore: null, hashAfter: 'aaaa' });
    expect(await filesUnder(directory)).toEqual(runningA);
    const before = await filesUnder(directory, true);
    expect(await swap('aaaa', null)).toMatchObject({ outcome: 'already', hashAfter: 'aaaa' });
    expect(await filesUnder(directory, true)).toEqual(before);
    const second = await swap('bbbb', 'aaaa');
    expect(second).toMatchObject({
      outcome: 'applied',
      bootstrapChanged: false,
      diff: expect.stringContaining('-l1\n+l2'),
    });
    expect(await filesUnder(directory)).toEqual(runningB);
  });

  it('refuses when what runs is not what was expected', async () => {
    await swap('aaaa', null);
    expect(await swap('bbbb', 'cccc')).toMatchObject({ outcome: 'drift', hashAfter: 'aaaa' });
    expect(await swap('bbbb', null)).toMatchObject({ outcome: 'drift' });
    expect(await filesUnder(directory)).toEqual(runningA);
  });

  it('lets stay what somebody else wrote, and names it', async () => {
    await swap('aaaa', null);
    await put({ 'dyn/lds.yaml': 'an emergency fix\n' });
    expect(await state()).toMatchObject({ hash: 'aaaa', drifted: ['dyn/lds.yaml'] });
    for (const release of ['bbbb', 'aaaa']) {
      expect(await swap(release, 'aaaa')).toMatchObject({
        outcome: 'drift',
        message: expect.stringContaining('dyn/lds.yaml'),
      });
    }
    expect(await filesUnder(directory)).toEqual({ ...runningA, 'dyn/lds.yaml': 'an emergency fix\n' });
  });

  it('refuses a writer whose epoch is over, also after a swap that changed nothing', async () => {
    await swap('aaaa', null, 3);
    await swap('aaaa', null, 5);
    expect(await swap('bbbb', 'aaaa', 4)).toMatchObject({ outcome: 'stale-epoch' });
    expect(await state()).toMatchObject({ epoch: 5, hash: 'aaaa' });
    expect(await swap('bbbb', 'aaaa', 5)).toMatchObject({ outcome: 'applied' });
  });

  it('honours a hold, written by the script or by hand', async () => {
    await runScript(directory, 'hold', {}, '--why', 'we look into it', '--who', 'ann');
    expect(await swap('aaaa', null)).toMatchObject({
      outcome: 'held',
      message: expect.stringContaining('we look into it (ann'),
    });
    expect((await state())['held']).toContain('we look into it');
    await runScript(directory, 'release-hold');
    await put({ hold: '' });
    expect(await swap('aaaa', null)).toMatchObject({ outcome: 'held' });
    await rm(path.join(directory, 'hold'));
    expect(await swap('aaaa', null)).toMatchObject({ outcome: 'applied' });
  });

  it('lets exactly one of many writers win', async () => {
    const releases = Array.from({ length: 6 }, (_, i) => `race${i}`);
    for (const release of releases) await stage(release, { 'bootstrap.yaml': `${release}\n` });
    const outcomes = await Promise.all(releases.map((release) => swap(release, null)));
    expect(outcomes.map((each) => each['outcome']).sort()).toEqual(['applied', ...Array(5).fill('drift')]);
    const winner = outcomes.find((each) => each['outcome'] === 'applied')?.['hashAfter'];
    expect(await filesUnder(directory)).toMatchObject({ 'bootstrap.yaml': `${String(winner)}\n` });
  });
});

describe('ways back', () => {
  it('puts back what was there before the first write, and nothing else', async () => {
    await swap('aaaa', null);
    await swap('bbbb', 'aaaa');
    await put({ 'dyn/theirs.yaml': 'theirs, changed since\n' });
    expect((await runScript(directory, 'restore', {}, '--to', '0')).answer).toMatchObject({
      outcome: 'applied',
      hashAfter: null,
    });
    expect(await filesUnder(directory)).toEqual({ ...BEFORE, 'dyn/theirs.yaml': 'theirs, changed since\n' });
    expect(await state()).toMatchObject({ hash: null, drifted: [] });
  });

  it('restores the previous release for a person and leaves a hold', async () => {
    await swap('aaaa', null);
    await swap('bbbb', 'aaaa');
    const restored = await runScript(directory, 'restore', {}, '--to', 'previous', '--hold', 'errors since noon');
    expect(restored.answer).toMatchObject({ outcome: 'applied', hashBefore: 'bbbb', hashAfter: 'aaaa' });
    expect(await filesUnder(directory)).toEqual(runningA);
    expect(await swap('bbbb', 'aaaa')).toMatchObject({ outcome: 'held' });
  });

  it('restores over changes made by hand only when told to, and sets them aside', async () => {
    await swap('aaaa', null);
    await put({ 'dyn/lds.yaml': 'an emergency fix\n' });
    expect((await runScript(directory, 'restore', {}, '--to', '0')).answer).toMatchObject({ outcome: 'drift' });
    expect((await runScript(directory, 'restore', {}, '--to', '0', '--force')).answer).toMatchObject({
      outcome: 'applied',
    });
    expect(await filesUnder(directory)).toEqual(BEFORE);
    expect(Object.values(await filesUnder(path.join(directory, 'displaced')))).toEqual(['an emergency fix\n']);
  });

  it('rolls back by the same compare-and-swap, without bringing files', async () => {
    await swap('aaaa', null);
    await swap('bbbb', 'aaaa');
    expect(await swap('aaaa', 'bbbb', 2)).toMatchObject({ outcome: 'applied' });
    expect(await swap('0', 'aaaa', 3)).toMatchObject({ outcome: 'applied', hashAfter: null });
    expect(await filesUnder(directory)).toEqual(BEFORE);
  });

  it('keeps the last ten releases and what was there before', async () => {
    let last: string | null = null;
    for (let i = 0; i < 12; i += 1) {
      const next = `r${i}`;
      await stage(next, { 'bootstrap.yaml': `${i}\n` });
      expect(await swap(next, last)).toMatchObject({ outcome: 'applied' });
      last = next;
    }
    const kept = await readdir(path.join(directory, 'releases'));
    expect(kept.filter((name) => name.startsWith('r')).sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `r${i + 2}`).sort(),
    );
    expect(kept).toContain('0');
  });
});

describe('a crash at any moment', () => {
  /** Ends the process, as kill -9 would, at its n-th rename. */
  const CRASHING = `
import os, sys
sys.path.insert(0, sys.argv.pop(1))
last = int(sys.argv.pop(1))
import psmg_target
rename, calls = os.replace, [0]
def replace(source, to):
    calls[0] += 1
    if calls[0] == last:
        os._exit(9)
    rename(source, to)
os.replace = replace
sys.exit(psmg_target.main(sys.argv[1:]))`;
  const scripts = fileURLToPath(new URL('.', import.meta.url));

  function crashingSwap(place: string, rename: number): Promise<{ code: number }> {
    const argv = ['-B', '-c', CRASHING, scripts, String(rename), 'swap', '--directory', place, '--stdin'];
    return runPython(argv, JSON.stringify({ releaseHash: 'bbbb', expectedHash: 'aaaa', epoch: 2 }));
  }

  /** Calls `check` in a copy of the folder for each moment at which a switch from aaaa to bbbb can die. */
  async function atEveryMoment(check: (running: Record<string, string>) => Promise<void>): Promise<number> {
    await swap('aaaa', null);
    const start = directory;
    for (let moment = 1; ; moment += 1) {
      directory = `${start}-${moment}`;
      await cp(start, directory, { recursive: true });
      if ((await crashingSwap(directory, moment)).code !== 9) return moment - 1;
      await check(await filesUnder(directory));
    }
  }

  it('is finished by the next call, or has never been', async () => {
    const outcomes: unknown[] = [];
    const moments = await atEveryMoment(async () => {
      const { hash, drifted } = await state();
      expect(drifted).toEqual([]);
      expect(await filesUnder(directory)).toEqual(hash === 'aaaa' ? runningA : runningB);
      expect(await swap('bbbb', 'aaaa', 2)).toMatchObject({ hashAfter: 'bbbb' });
      expect(await filesUnder(directory)).toEqual(runningB);
      outcomes.push(hash);
    });
    expect(moments).toBeGreaterThanOrEqual(4);
    expect(new Set(outcomes)).toEqual(new Set(['aaaa', 'bbbb']));
  });

  it('never leaves a listener without the clusters and endpoints that it names', async () => {
    await atEveryMoment((running) => {
      if (running['dyn/lds.yaml'] === 'l2\n') expect(running['dyn/cds.yaml']).toBe('c2\n');
      else expect(running['dyn/eds-x.yaml']).toBe('x1\n');
      return Promise.resolve();
    });
  });

  it('is taken back when the new release is no longer whole', async () => {
    await atEveryMoment(async () => {
      await put({ 'releases/bbbb/dyn/lds.yaml': 'damaged\n' });
      const { hash, drifted } = await state();
      expect({ hash, drifted }).toEqual({ hash: 'aaaa', drifted: [] });
      expect(await filesUnder(directory)).toEqual(runningA);
    });
  });

  it('never overwrites what a person wrote after it', async () => {
    await atEveryMoment(async () => {
      await put({ 'dyn/lds.yaml': 'a fix after the crash\n' });
      expect((await state())['drifted']).toEqual(['dyn/lds.yaml']);
      expect(await swap('bbbb', 'aaaa', 2)).toMatchObject({ outcome: 'drift' });
      expect(await filesUnder(directory)).toMatchObject({ 'dyn/lds.yaml': 'a fix after the crash\n' });
    });
  });
});

describe('staging', () => {
  it('refuses paths outside a release, and names that are none', async () => {
    const paths = ['../escape', '/etc/passwd', 'dyn/../../escape', 'dyn', 'other/file', 'dyn//x', ''];
    const names = ['..', '../x', 'a/b', '', '0'];
    const before = await filesUnder(root, true);
    for (const name of paths) {
      const { code, answer } = await runScript(directory, 'stage', { releaseHash: 'cccc', files: { [name]: 'x' } });
      expect([code, answer['message']]).toEqual([1, expect.stringContaining('no path of a release')]);
    }
    for (const releaseHash of names) {
      expect((await runScript(directory, 'stage', { releaseHash, files: { 'bootstrap.yaml': 'x' } })).code).toBe(1);
    }
    expect(await filesUnder(root, true)).toEqual(before);
  });

  it('refuses files that did not arrive whole, and other content under the same hash', async () => {
    const hashes = { 'bootstrap.yaml': 'f'.repeat(64) };
    expect(
      await runScript(directory, 'stage', { releaseHash: 'cccc', files: { 'bootstrap.yaml': 'x' }, hashes }),
    ).toMatchObject({
      code: 1,
      answer: { message: 'bootstrap.yaml did not arrive whole' },
    });
    expect((await runScript(directory, 'stage', { releaseHash: 'aaaa', files: B })).code).toBe(1);
  });

  it('brings a damaged release again', async () => {
    await put({ 'releases/aaaa/dyn/lds.yaml': 'damaged\n' });
    expect(await runScript(directory, 'swap', { releaseHash: 'aaaa', expectedHash: null, epoch: 1 })).toMatchObject({
      code: 1,
      answer: { message: expect.stringContaining('damaged') },
    });
    await stage('aaaa', A);
    expect(await swap('aaaa', null)).toMatchObject({ outcome: 'applied' });
  });

  it('does not touch a folder that is not there when it is only asked', async () => {
    const nowhere = path.join(root, 'nowhere');
    expect((await runScript(nowhere, 'state')).answer).toMatchObject({ hash: null, epoch: 0 });
    const request = { releaseHash: 'aaaa', expectedHash: null, epoch: 1, files: A };
    expect((await runScript(nowhere, 'preview', request)).answer).toMatchObject({ outcome: 'applied' });
    await expect(access(nowhere)).rejects.toThrow();
  });
});
