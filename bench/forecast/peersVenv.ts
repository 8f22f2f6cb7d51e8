import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { withLock } from '../../scripts/lock.mjs';
import { cacheDirectory } from '../../scripts/parts/locate.js';

export const PEERS_FOLDER = fileURLToPath(new URL('peers', import.meta.url));

/**
 * The Python of the peers, from requirements.txt alone and by hash, in the cache; made when it is not there yet. Needs
 * Python 3.11 (PSMG_PYTHON names it; else python3.11, then python3). Throws when it cannot be made.
 */
export async function peersPython(): Promise<string> {
  const requirements = path.join(PEERS_FOLDER, 'requirements.txt');
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = path.join(cacheDirectory(), 'bench-peers', `venv-${hash}`);
  const python = path.join(folder, 'bin', 'python');
  if (existsSync(python)) return python;
  await mkdir(path.dirname(folder), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(python)) return;
    process.stderr.write(`peers: installing into ${folder}\n`);
    await rm(folder, { recursive: true, force: true });
    // A half-made one would look complete: the mark of a whole one is its name.
    const half = `${folder}.half`;
    await rm(half, { recursive: true, force: true });
    await run(await findPython(), ['-m', 'venv', half]);
    await run(path.join(half, 'bin', 'python'), [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'],
      ...['--require-hashes', '-r', requirements],
    ]);
    await rename(half, folder);
  });
  return python;
}

async function findPython(): Promise<string> {
  const named = process.env['PSMG_PYTHON'];
  for (const candidate of named ? [named] : ['python3.11', 'python3']) {
    const check = ['-c', 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else 1)'];
    if ((await exitCode(candidate, check)) === 0) return candidate;
  }
  throw new Error('the peers need Python 3.11: install it, or name it in PSMG_PYTHON; or run with --only ours');
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const code = await exitCode(command, args);
  if (code !== 0) throw new Error(`${command} ${args.slice(0, 3).join(' ')} … ended with ${code}`);
}

function exitCode(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 1));
  });
}
