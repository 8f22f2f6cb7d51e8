import { describe, expect, it } from '@jest/globals';

import type { Task } from './pool.js';
import { runPool, slices } from './pool.js';

const node = (code: string, input = ''): Task => ({ command: process.execPath, args: ['-e', code], input });

describe('runPool', () => {
  it('gives each line of every process, whole', async () => {
    const echo = `process.stdin.on('data', (text) => process.stdout.write(String(text).toUpperCase()))`;
    const lines: string[] = [];
    const tasks = ['a\nb\n', 'c\n', 'd\n'].map((input) => node(echo, input));
    await runPool(tasks, { title: 'test', jobs: 2, lines: 4, onLine: (line) => void lines.push(line) });
    expect(lines.sort()).toEqual(['A', 'B', 'C', 'D']);
  });

  it('fails with a process that fails, or cannot be started', async () => {
    const options = { title: 'test', jobs: 1, lines: 1, onLine: () => undefined };
    await expect(runPool([node('process.exit(3)')], options)).rejects.toThrow(/ended with 3/);
    await expect(runPool([{ command: '/nowhere/python', args: [], input: '' }], options)).rejects.toThrow(/ENOENT/);
  });
});

describe('slices', () => {
  it('keeps every entry once and makes no empty part', () => {
    expect(slices([1, 2, 3, 4, 5], 2)).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(slices([1], 4)).toEqual([[1]]);
    expect(slices([], 2)).toEqual([]);
  });
});
