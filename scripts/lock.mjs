import { hostname } from 'node:os';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';

// Plain JavaScript, because the bootstrap takes this lock before any npm package is there.

const BEAT_MS = 2_000;
const STALE_MS = 30_000;

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function tryCreate(file, owner) {
  try {
    writeFileSync(file, owner, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readOwner(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function isStale(file, owner, staleMs) {
  const [pid, host] = owner.split(' ');
  // An owner that was killed between creating and writing leaves an empty file: only its age tells.
  if (pid && host === hostname() && !isAlive(Number(pid))) return true;
  try {
    return Date.now() - statSync(file).mtimeMs > staleMs;
  } catch {
    return false;
  }
}

/** Moves a dead owner's lock away, and puts back what turns out to be the fresh lock of a quicker taker. */
function breakLock(file, deadOwner) {
  const grave = `${file}.${randomUUID()}.stale`;
  try {
    renameSync(file, grave);
    if (readOwner(grave) !== deadOwner) linkSync(grave, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  rmSync(grave, { force: true });
}

/**
 * Runs `work` while holding the lock file. A lock is broken when its owner on this host is dead, or when it has not
 * been touched for `staleMs` (an owner in another container). Work done under it must still end in an atomic rename.
 */
export async function withLock(file, work, { onWait, staleMs = STALE_MS, pollMs = 200 } = {}) {
  mkdirSync(path.dirname(file), { recursive: true });
  const owner = `${process.pid} ${hostname()} ${randomUUID()}`;
  let waited = false;
  while (!tryCreate(file, owner)) {
    const holder = readOwner(file);
    if (holder === undefined) continue;
    if (isStale(file, holder, staleMs)) {
      breakLock(file, holder);
      continue;
    }
    if (!waited) onWait?.();
    waited = true;
    await sleep(pollMs);
  }
  const beat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(file, now, now);
    } catch {
      // Gone: somebody broke it. The atomic rename at the end of the work keeps the result whole.
    }
  }, BEAT_MS);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if (readOwner(file) === owner) rmSync(file, { force: true });
  }
}
