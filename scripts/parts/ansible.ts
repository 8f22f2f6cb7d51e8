import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isExecutableFile } from './locate.js';
import type { Python } from './python.js';
import { lastLine, run } from './run.js';
import { discard, linkPointsTo, replaceLink, storeDirectory } from './store.js';

/** The whole of Ansible and its linter, each file pinned by hash. */
export const requirementsFile = path.join(import.meta.dirname, 'ansible.requirements.txt');

/** Makes a virtual environment at `folder` with what `requirements` names. */
export type BuildEnvironment = (folder: string, requirements: string) => Promise<void>;

const COMPLETE = '.complete';
const COMMANDS = ['ansible-playbook', 'ansible-lint', 'python3'];

export function ansibleVersion(): string {
  return /^ansible-core==([^ ;\\]+)/m.exec(readFileSync(requirementsFile, 'utf8'))?.[1] ?? 'unknown';
}

export function pipBuildEnvironment(python: () => Promise<Python>): BuildEnvironment {
  return async (folder, requirements) => {
    const { command } = await python();
    const made = await run(command, ['-m', 'venv', folder]);
    if (made.code !== 0) throw new Error(`${command} -m venv failed: ${lastLine(made.stderr || made.stdout)}`);
    const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes', '-r', requirements];
    const outcome = await run(path.join(folder, 'bin', 'python3'), ['-m', 'pip', 'install', ...options], {
      environment: { PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1', PIP_USER: '0' },
    });
    if (outcome.code !== 0) throw new Error(`pip: ${lastLine(outcome.stderr)}`);
  };
}

function placeOf(cache: string): { folder: string; link: string } {
  const hash = createHash('sha256').update(readFileSync(requirementsFile)).digest('hex').slice(0, 12);
  return { folder: storeDirectory(cache, `ansible-${ansibleVersion()}-${hash}`), link: path.join(cache, 'ansible') };
}

function isWhole(folder: string): boolean {
  // python3 is a link out of the folder: it dangles when that Python was removed.
  const commands = COMMANDS.every((command) => isExecutableFile(path.join(folder, 'bin', command)));
  return commands && existsSync(path.join(folder, COMPLETE));
}

/** Is Ansible in the cache, whole, from the requirements as they are now, and linked? */
export function ansibleIsInstalled(cache: string): boolean {
  const { folder, link } = placeOf(cache);
  return isWhole(folder) && linkPointsTo(link, folder);
}

/**
 * Brings Ansible into the cache. A virtual environment has its own path in its scripts and cannot be moved: it is
 * built where it stays, marked when complete, and linked only then. A half-built one is thrown away.
 */
export async function installAnsible(cache: string, build: BuildEnvironment): Promise<void> {
  const { folder, link } = placeOf(cache);
  if (!isWhole(folder)) {
    await discard(folder);
    await mkdir(path.dirname(folder), { recursive: true });
    await build(folder, requirementsFile);
    await writeFile(path.join(folder, COMPLETE), '');
    if (!isWhole(folder)) throw new Error(`the virtual environment in ${folder} lacks one of ${COMMANDS.join(', ')}`);
  }
  if (!linkPointsTo(link, folder)) await replaceLink(link, folder);
}
