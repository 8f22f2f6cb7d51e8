import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import type { ArtifactRef, FileSet } from '../../core/spec/artifact.js';
import { canonicalJson, sha256 } from '../../core/spec/hash.js';
import { ArtifactCorruptError, ArtifactMissingError } from './errors.js';
import type { ArtifactStore } from './port.js';

const HASH = /^[0-9a-f]{64}$/;

/**
 * One file an artifact, named by the SHA-256 of its canonical JSON. Safe for several writers: a file appears whole or
 * not at all. Every read is checked against the reference; what does not match is never handed out.
 */
export function createFileArtifactStore(directory: string): ArtifactStore {
  return {
    putFiles: (kind, files) => put(directory, kind, files),
    getFiles: (ref) => get<FileSet>(directory, ref),
    putJson: (kind, value) => put(directory, kind, value),
    getJson: <T>(ref: ArtifactRef) => get<T>(directory, ref),
  };
}

function fileOf(directory: string, hash: string): string {
  if (!HASH.test(hash)) throw new Error(`"${hash}" is no artifact hash (expected 64 lower-case hex digits)`);
  return path.join(directory, hash.slice(0, 2), `${hash}.json`);
}

async function put(directory: string, kind: string, value: unknown): Promise<ArtifactRef> {
  const text = canonicalJson(value);
  const ref: ArtifactRef = { kind, hash: sha256(text), bytes: Buffer.byteLength(text) };
  const file = fileOf(directory, ref.hash);
  // A damaged copy is replaced: putting the content again is how a store is mended.
  if ((await readText(file)) !== text) await writeWhole(file, text);
  return ref;
}

async function get<T>(directory: string, ref: ArtifactRef): Promise<T> {
  const text = await readText(fileOf(directory, ref.hash));
  if (text === undefined) throw new ArtifactMissingError(ref);
  // The hash alone decides: who has it from elsewhere, as a rollback has, does not know the size.
  if (sha256(text) !== ref.hash) throw new ArtifactCorruptError(ref);
  return JSON.parse(text) as T;
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const scratch = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(scratch, 'wx');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(scratch, file);
  } catch (error) {
    await rm(scratch, { force: true });
    throw error;
  }
}
