import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { readRegressorsFile } from './regressors.js';

describe('readRegressorsFile', () => {
  it('reads a file from its folder, and tells what is wrong with it', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'psmg-regressors-'));
    try {
      await writeFile(path.join(directory, 'a.csv'), 'timestamp,a\n2026-03-01T00:00:00Z,5\n');
      const at = Date.parse('2026-03-01T00:00:00Z');
      expect(await readRegressorsFile(directory, 'a.csv')).toEqual({
        samples: [{ at, name: 'a', value: 5 }],
        problems: [],
      });
      await writeFile(path.join(directory, 'b.csv'), 'timestamp,a\nnow,5\n');
      expect((await readRegressorsFile(directory, 'b.csv')).problems).toMatchObject([{ file: 'b.csv', line: 2 }]);
      expect((await readRegressorsFile(directory, 'c.csv')).problems).toMatchObject([
        { code: 'unreadable', file: 'c.csv' },
      ]);
      await expect(readRegressorsFile(directory, 'a.csv', AbortSignal.abort(new Error('stop')))).rejects.toThrow(
        'stop',
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
