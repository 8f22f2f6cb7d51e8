import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { FileSet } from '../core/spec/artifact.js';

/** Its presence marks a folder as one that a plan wrote, which the next plan may replace. */
export const PLAN_FILE = 'plan.json';
/** Names what is in the folder, so that files that a person put there are noticed before the folder is replaced. */
export const MANIFEST_FILE = '.psmg-plan';

export class OutFolderError extends Error {
  override readonly name = 'OutFolderError';
}

/**
 * Writes a folder whole or not at all: into a folder beside it, then by renaming. A folder that holds anything a
 * plan did not write is refused and left alone.
 */
export async function writeOutFolder(folder: string, files: FileSet): Promise<void> {
  const target = path.resolve(folder);
  await refuseForeign(target);
  await mkdir(path.dirname(target), { recursive: true });
  const staged = await mkdtemp(`${target}.new-`);
  try {
    await chmod(staged, 0o755);
    const names = Object.keys(files).sort();
    for (const [name, text] of [...Object.entries(files), [MANIFEST_FILE, `${names.join('\n')}\n`] as const]) {
      const file = path.join(staged, name);
      if (!file.startsWith(`${staged}${path.sep}`)) throw new OutFolderError(`${name} would lie outside the folder`);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    await swap(staged, target);
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

async function swap(staged: string, target: string): Promise<void> {
  const old = `${staged}-old`;
  const had = await rename(target, old).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
  try {
    await rename(staged, target);
  } catch (error) {
    if (had) await rename(old, target);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

async function refuseForeign(target: string): Promise<void> {
  const found = await stat(target).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (found === null) return;
  if (!found.isDirectory()) throw new OutFolderError(`${target} is no folder`);
  const present = await filesOf(target);
  if (present.length === 0) return;
  const manifest = await readFile(path.join(target, MANIFEST_FILE), 'utf8').catch(() => '');
  const ours = new Set([...manifest.split('\n'), MANIFEST_FILE]);
  const foreign = present.filter((name) => !ours.has(name));
  if (foreign.length === 0) return;
  throw new OutFolderError(
    `${target} holds what no plan wrote (${foreign.slice(0, 3).join(', ')}${foreign.length > 3 ? ', …' : ''}): choose another folder`,
  );
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
}
