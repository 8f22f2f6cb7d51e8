import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Everything installed lies under `store/`, in a folder named by its content; `bin/` and `ansible` are links there. */
export function storeDirectory(cache: string, name: string): string {
  return path.join(cache, 'store', name);
}

/** A folder to work in, on the same file system as the store, so that a rename into place is atomic. */
export function scratchDirectory(cache: string): string {
  return path.join(cache, 'store', `.work-${randomUUID()}`);
}

export async function sha256File(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

export interface Verified {
  sha256: string;
  bytes: number;
  modifiedAtMs: number;
}

/** Size and time of the file as they were when its hash was verified; a second run need not read 350 MB again. */
export function describeVerified(file: string, sha256: string): Verified {
  const { size, mtimeMs } = statSync(file);
  return { sha256, bytes: size, modifiedAtMs: mtimeMs };
}

export function isUnchanged(file: string, recordFile: string, sha256: string): boolean {
  try {
    const record = JSON.parse(readFileSync(recordFile, 'utf8')) as Verified;
    const now = describeVerified(file, sha256);
    return record.sha256 === sha256 && record.bytes === now.bytes && record.modifiedAtMs === now.modifiedAtMs;
  } catch {
    return false;
  }
}

type FolderRecord = Readonly<Record<string, Verified>>;

/** Writes down what the files of a folder are like, by name, so that a second run need not read them. */
export async function recordFiles(folder: string, recordName: string, names: readonly string[]): Promise<void> {
  const record: Record<string, Verified> = {};
  for (const name of names) {
    const file = path.join(folder, name);
    record[name] = describeVerified(file, await sha256File(file));
  }
  await writeFile(path.join(folder, recordName), JSON.stringify(record, null, 2));
}

/** Are all these files there, as `recordFiles` found them? */
export function filesAreWhole(folder: string, recordName: string, names: readonly string[]): boolean {
  try {
    const record = JSON.parse(readFileSync(path.join(folder, recordName), 'utf8')) as FolderRecord;
    return names.every((name) => {
      const { size, mtimeMs } = statSync(path.join(folder, name));
      return record[name]?.bytes === size && record[name].modifiedAtMs === mtimeMs;
    });
  } catch {
    return false;
  }
}

/** Place in `bin/` of a program, by which it is found. */
export function programLink(cache: string, name: string): string {
  return path.join(cache, 'bin', name);
}

/** Do the links of these programs lead into the folder? */
export function programsAreLinked(cache: string, folder: string, names: readonly string[]): boolean {
  return names.every((name) => linkPointsTo(programLink(cache, name), path.join(folder, name)));
}

export async function linkPrograms(cache: string, folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const [link, program] = [programLink(cache, name), path.join(folder, name)];
    if (!linkPointsTo(link, program)) await replaceLink(link, program);
  }
}

export function linkPointsTo(link: string, target: string): boolean {
  try {
    return path.resolve(path.dirname(link), readlinkSync(link)) === path.resolve(target);
  } catch {
    return false;
  }
}

function isRealDirectory(file: string): boolean {
  try {
    return lstatSync(file).isDirectory();
  } catch {
    return false;
  }
}

/** Makes `link` point to `target` in one step: whoever opens it meanwhile gets the old or the new, never nothing. */
export async function replaceLink(link: string, target: string): Promise<void> {
  await mkdir(path.dirname(link), { recursive: true });
  const draft = `${link}.${randomUUID()}`;
  await symlink(path.relative(path.dirname(link), target), draft);
  // A rename replaces a file or a link, but not a folder that somebody put there.
  if (isRealDirectory(link)) await discard(link);
  await rename(draft, link);
}

/** Out of the way first and deleted after, so that a half-deleted folder is never taken for an install. */
export async function discard(file: string): Promise<void> {
  const grave = `${file}.${randomUUID()}.discarded`;
  try {
    await rename(file, grave);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await rm(grave, { recursive: true, force: true });
}
