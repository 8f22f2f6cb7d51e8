import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-tally-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Counts {
  passed: number;
  failed: number;
  broken: number;
}

function tally(...results: Counts[]): [stdout: string, code: number | null] {
  const files = results.map(({ passed, failed, broken }, index) => {
    const file = path.join(folder, `${index}.json`);
    const counts = { numPassedTests: passed, numFailedTests: failed, numRuntimeErrorTestSuites: broken };
    writeFileSync(file, JSON.stringify(counts));
    return file;
  });
  const script = path.join(import.meta.dirname, 'tally.mjs');
  const { stdout, status } = spawnSync(process.execPath, [script, ...files, path.join(folder, 'not-written.json')], {
    encoding: 'utf8',
  });
  return [stdout, status];
}

describe('tally', () => {
  it('adds the runs up and says so alone on a line', () => {
    const two = [
      { passed: 3, failed: 0, broken: 0 },
      { passed: 4, failed: 0, broken: 0 },
    ];
    expect(tally(...two)).toEqual(['7 passed, 0 failed\n', 0]);
  });

  it('counts a suite that could not start as a failure', () => {
    expect(tally({ passed: 3, failed: 1, broken: 1 })).toEqual(['3 passed, 2 failed\n', 1]);
  });

  it('fails when no test ran', () => {
    expect(tally({ passed: 0, failed: 0, broken: 0 })).toEqual(['0 passed, 0 failed\n', 1]);
    expect(tally()).toEqual(['0 passed, 0 failed\n', 1]);
  });
});
