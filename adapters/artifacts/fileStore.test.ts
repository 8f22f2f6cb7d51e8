import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, expect, it } from '@jest/globals';

import { describeArtifactStore } from './artifacts.contract.js';
import { createFileArtifactStore } from './fileStore.js';

const root = mkdtempSync(path.join(tmpdir(), 'psmg-artifacts-'));
let count = 0;

afterAll(() => rmSync(root, { recursive: true, force: true }));

function freshDirectory(): string {
  count += 1;
  return path.join(root, String(count));
}

describeArtifactStore('files', () => {
  const directory = freshDirectory();
  return Promise.resolve({
    store: createFileArtifactStore(directory),
    reopen: () => createFileArtifactStore(directory),
    damage: async (hash: string) => {
      const file = path.join(directory, hash.slice(0, 2), `${hash}.json`);
      await writeFile(file, (await readFile(file, 'utf8')).replace('1', '2'));
    },
  });
});

it('leaves no scratch files behind', async () => {
  const directory = freshDirectory();
  const store = createFileArtifactStore(directory);
  await Promise.all(Array.from({ length: 5 }, () => store.putJson('plan', [1, 2])));
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));
  expect(names).toHaveLength(1);
});
