import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { ArtifactRef } from '../../core/spec/artifact.js';
import { createFileMemory } from './file.js';

const CHOICES: ArtifactRef = { kind: 'forecast-choices', hash: 'a'.repeat(64), bytes: 10 };
const LSTM: ArtifactRef = { kind: 'lstm', hash: 'b'.repeat(64), bytes: 20 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'psmg-memory-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('createFileMemory', () => {
  it('knows nothing of a region it never heard of', async () => {
    expect(await createFileMemory(path.join(folder, 'not-there')).recall('eu-west')).toEqual({});
  });

  it('replaces what is given and keeps the rest, for the next process too', async () => {
    await createFileMemory(folder).remember('eu-west', { choices: CHOICES });
    await createFileMemory(folder).remember('eu-west', { lstm: LSTM });
    expect(await createFileMemory(folder).recall('eu-west')).toEqual({ choices: CHOICES, lstm: LSTM });
    expect(await createFileMemory(folder).recall('eu-north')).toEqual({});
    expect(await readdir(folder)).toEqual(['eu-west.json']);
  });

  it.each(['', '{', '[]', '{"choices":{"hash":"../x"}}'])('takes the damaged file %j for none', async (text) => {
    await writeFile(path.join(folder, 'eu-west.json'), text);
    const memory = createFileMemory(folder);
    expect(await memory.recall('eu-west')).toEqual({});
    await memory.remember('eu-west', { choices: CHOICES });
    expect(await memory.recall('eu-west')).toEqual({ choices: CHOICES });
  });

  it('stays in its folder whatever a region is called', async () => {
    const memory = createFileMemory(folder);
    await memory.remember('../../etc/x', { choices: CHOICES });
    expect(await memory.recall('../../etc/x')).toEqual({ choices: CHOICES });
    expect(await readdir(folder)).toHaveLength(1);
  });
});
