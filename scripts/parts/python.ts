import type { Environment } from './locate.js';
import { run } from './run.js';

export interface Python {
  command: string;
  /** `3.11.7` */
  version: string;
}

const MINIMUM = { major: 3, minor: 11 };

// One that lacks venv or ensurepip cannot install anything; Debian ships such a one without python3-venv.
const PROBE = 'import sys, venv, ensurepip; print("%d.%d.%d" % sys.version_info[:3])';

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor);
}

/**
 * A Python of 3.11 or newer that can make virtual environments. `PSMG_PYTHON` overrides the search. Throws an error
 * that names what was tried and why each was refused.
 */
export async function findPython(environment: Environment = process.env): Promise<Python> {
  const named = environment['PSMG_PYTHON'];
  const candidates = named ? [named] : ['python3.13', 'python3.12', 'python3.11', 'python3', 'python'];
  const refused: string[] = [];
  for (const command of candidates) {
    const outcome = await run(command, ['-c', PROBE], { environment, timeoutMs: 20_000 });
    const version = outcome.stdout.trim();
    if (outcome.code === 0 && isRecent(version)) return { command, version };
    if (outcome.code === 0) refused.push(`${command} is ${version}`);
    else if (/No module named|ModuleNotFoundError/.test(outcome.stderr)) refused.push(`${command} has no venv`);
  }
  const reasons = refused.length === 0 ? `none of ${candidates.join(', ')} runs` : refused.join('; ');
  throw new Error(
    `Python 3.11 or newer with venv and pip was not found (${reasons}). ` +
      'Install it (on Debian and Ubuntu: apt install python3 python3-venv), or set PSMG_PYTHON to its path.',
  );
}
