import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { DebianPart } from './catalogue.js';
import type { Say } from './goModule.js';
import { isExecutableFile } from './locate.js';
import type { DebianPartName, Environment } from './locate.js';
import { lastLine, run } from './run.js';
import {
  discard,
  filesAreWhole,
  linkPrograms,
  programsAreLinked,
  recordFiles,
  scratchDirectory,
  sha256File,
  storeDirectory,
} from './store.js';

/** A package on disk; `version` is the one that is asked for, or whatever the system's archive has. */
export interface FetchedPackage {
  file: string;
  version: string;
}

/** Puts a part's package into the folder `scratch`, of the part's own version where that is still to be had. */
export type FetchPackage = (part: DebianPart, scratch: string) => Promise<FetchedPackage>;

const RECORD = 'unpacked.json';

const folderOf = (part: DebianPart, pin: string, cache: string): string =>
  storeDirectory(cache, `${part.package}-${part.version}-${pin.slice(0, 12)}`);

/** Names of the parts that come with the package. */
export function debianPrograms(part: DebianPart): readonly DebianPartName[] {
  return Object.keys(part.programs) as DebianPartName[];
}

function isWhole(part: DebianPart, folder: string): boolean {
  return filesAreWhole(folder, RECORD, debianPrograms(part));
}

/** Are the package's programs in the cache, as they were unpacked from a verified package, and linked? */
export function debianIsInstalled(part: DebianPart, pin: string, cache: string): boolean {
  const folder = folderOf(part, pin, cache);
  return programsAreLinked(cache, folder, debianPrograms(part)) && isWhole(part, folder);
}

/**
 * Brings the package's programs into the cache. A package of the pinned version must have the pinned hash. One of
 * another version, where the archive has replaced it, is as good as the signature by which apt accepted it.
 */
export async function installDebian(
  part: DebianPart,
  pin: string,
  cache: string,
  fetch: FetchPackage,
  say: Say,
): Promise<void> {
  const folder = folderOf(part, pin, cache);
  if (!isWhole(part, folder)) {
    const scratch = scratchDirectory(cache);
    await mkdir(path.join(scratch, 'folder'), { recursive: true });
    try {
      const fetched = await fetch(part, scratch);
      await verify(part, pin, fetched, say);
      await unpack(part, fetched.file, scratch);
      await discard(folder);
      await rename(path.join(scratch, 'folder'), folder);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  await linkPrograms(cache, folder, debianPrograms(part));
}

async function verify(part: DebianPart, pin: string, { file, version }: FetchedPackage, say: Say): Promise<void> {
  if (version !== part.version) return say(`the archive has ${version} instead; taken by the archive's signature`);
  const actual = await sha256File(file);
  if (actual !== pin) throw new Error(`SHA-256 of the package is ${actual}, ${pin} is pinned`);
}

/** The programs alone, under the names of the parts. */
async function unpack(part: DebianPart, file: string, scratch: string): Promise<void> {
  const all = path.join(scratch, 'all');
  const outcome = await run('dpkg-deb', ['-x', file, all]);
  if (outcome.code !== 0) throw new Error(`dpkg-deb: ${lastLine(outcome.stderr)}`);
  const folder = path.join(scratch, 'folder');
  for (const [name, member] of Object.entries(part.programs)) {
    if (!isExecutableFile(path.join(all, member))) throw new Error(`${part.package} brought no ${member}`);
    await rename(path.join(all, member), path.join(folder, name));
  }
  await recordFiles(folder, RECORD, debianPrograms(part));
}

/**
 * Downloads by apt-get, which refuses what its archive's signature does not cover. The system's package lists may be
 * old or missing: then lists of our own are fetched, which needs no root. Tried in turn: the pinned version, the
 * pinned version by fresh lists, any version by those.
 */
export function aptFetch(environment: Environment): FetchPackage {
  return async (part, scratch) => {
    if (process.platform !== 'linux') throw new Error('packages of Debian run on Linux alone');
    const fresh = await ownLists(scratch);
    const wanted = `${part.package}=${part.version}`;
    const first = await download(wanted, [], environment, scratch);
    if (typeof first !== 'string') return first;
    await run('apt-get', ['-q', ...fresh, 'update'], { environment, timeoutMs: 180_000 });
    for (const one of [wanted, part.package]) {
      const fetched = await download(one, fresh, environment, scratch);
      if (typeof fetched !== 'string') return fetched;
    }
    throw new Error(`apt-get download ${wanted}: ${first}`);
  };
}

async function ownLists(scratch: string): Promise<string[]> {
  const lists = path.join(scratch, 'apt', 'lists');
  await mkdir(path.join(lists, 'partial'), { recursive: true });
  await mkdir(path.join(scratch, 'apt', 'archives', 'partial'), { recursive: true });
  return ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${path.join(scratch, 'apt')}`];
}

/** The package, or why it could not be had. */
async function download(
  wanted: string,
  options: readonly string[],
  environment: Environment,
  scratch: string,
): Promise<FetchedPackage | string> {
  // Root would hand the download to a user that cannot write into our folder, and warn of it.
  const args = ['-q', '-o', 'APT::Sandbox::User=root', ...options, 'download', wanted];
  const outcome = await run('apt-get', args, { environment, cwd: scratch, timeoutMs: 300_000 });
  const name = (await readdir(scratch)).find((entry) => entry.endsWith('.deb'));
  if (outcome.code !== 0 || name === undefined) return lastLine(outcome.stderr || outcome.stdout);
  // apt writes the colon of an epoch as %3a.
  return { file: path.join(scratch, name), version: decodeURIComponent(name.split('_')[1] ?? '') };
}
