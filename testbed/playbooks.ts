import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { locatePart } from '../scripts/parts/locate.js';
import { projectRoot } from './run.js';

const SUPERVISOR = path.join(projectRoot, 'adapters', 'delivery', 'supervise.py');
/** Longer than the supervisor's own grace between SIGTERM and SIGKILL. */
const GRACE_MS = 12_000;
const POLL_MS = 100;

/**
 * Ends the playbook runs below `runsFolder` (`<region>/<deployment>`). They run detached on purpose, so that they
 * outlive a worker; one that went on after a testbed has ended would start a proxy that nobody stops. Returns the
 * folders of those that it ended.
 */
export async function stopPlaybooks(runsFolder: string): Promise<readonly string[]> {
  const ended = await Promise.all(runFolders(runsFolder).map(async (run) => ((await stopRun(run)) ? run : null)));
  return ended.filter((run) => run !== null);
}

function runFolders(runsFolder: string): string[] {
  const below = (folder: string): string[] =>
    existsSync(folder)
      ? readdirSync(folder, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map((entry) => path.join(folder, entry.name))
      : [];
  // `rc` appears when a run has ended by itself.
  return below(runsFolder)
    .flatMap(below)
    .filter((run) => !existsSync(path.join(run, 'rc')));
}

async function stopRun(run: string): Promise<boolean> {
  if (!(await isRunning(run))) return false;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const deadline = Date.now() + GRACE_MS;
    let told = false;
    while (Date.now() < deadline) {
      told ||= tell(run, signal);
      await sleep(POLL_MS);
      if (!(await isRunning(run))) return true;
    }
  }
  return true;
}

/** The process id is that of the run as long as the run holds its lock. */
async function isRunning(run: string): Promise<boolean> {
  const python = path.join(path.dirname(locatePart('ansible-playbook')), 'python3');
  const { stdout } = await promisify(execFile)(existsSync(python) ? python : 'python3', [SUPERVISOR, 'probe', run]);
  return stdout.trim() === 'running';
}

/** `false`: it has the lock and has not written yet who it is. */
function tell(run: string, signal: NodeJS.Signals): boolean {
  try {
    const { pid } = JSON.parse(readFileSync(path.join(run, 'supervisor.json'), 'utf8')) as { pid: number };
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
