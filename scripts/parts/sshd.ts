import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withLock } from '../lock.mjs';
import { sshServer } from './catalogue.js';
import { cacheDirectory, isExecutableFile } from './locate.js';
import type { Environment } from './locate.js';
import { lastLine, run } from './run.js';

export interface SshdSetUp {
  environment?: Environment;
  /** Whether packages may be installed; absent: whether this process is root. */
  isRoot?: boolean;
  /** Where the system's folders are; only tests name another than `/`. */
  systemRoot?: string;
  say(line: string): void;
}

/** Where systems keep it; the PATH of a person who is not root seldom has these. */
const SYSTEM_FOLDERS = ['usr/sbin', 'usr/local/sbin', 'sbin'];
/** Exit code by which a policy tells a package's scripts that they may not start a service. */
const FORBIDDEN = 101;

function onPath(name: string, environment: Environment): string | undefined {
  const folders = (environment['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => path.join(folder, name)).find(isExecutableFile);
}

/** An OpenSSH server's program: on PATH first, then where systems keep it; undefined when there is none. */
export function findSshd(environment: Environment = process.env, systemRoot = '/'): string | undefined {
  const kept = SYSTEM_FOLDERS.map((folder) => path.join(systemRoot, folder, sshServer.name));
  return onPath(sshServer.name, environment) ?? kept.find(isExecutableFile);
}

/** Absolute path of sshd. Throws when there is none. */
export function locateSshd(): string {
  const found = findSshd();
  if (found === undefined) throw new Error(`sshd was not found on PATH or in /usr/sbin: ${sshServer.byHand}`);
  return path.resolve(found);
}

/**
 * Brings sshd for the tests that reach hosts over SSH: found, or, for root on a system with apt-get, installed
 * without a service being started or enabled. Throws one error that says what to install.
 */
export async function setUpSshd(options: SshdSetUp): Promise<void> {
  const { environment = process.env, systemRoot = '/', isRoot = process.getuid?.() === 0 } = options;
  const say = (state: string): void => options.say(`part ${sshServer.name} … ${state}`);
  const find = (): string | undefined => findSshd(environment, systemRoot);
  const found = find();
  if (found !== undefined) return say(`found (${found})`);
  const lock = path.join(cacheDirectory(environment), 'locks', sshServer.name);
  try {
    await withLock(
      lock,
      async () => {
        if (find() !== undefined) return;
        if (onPath('apt-get', environment) === undefined) throw new Error('this system has no apt-get');
        if (!isRoot) throw new Error('only root may install packages');
        await withoutServices(systemRoot, () => installPackage(environment, say));
        if (find() === undefined) throw new Error(`${sshServer.debianPackage} was installed and brought no sshd`);
      },
      { onWait: () => say('waiting for another set-up') },
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`a part could not be had:\n  ${sshServer.name}: ${reason}\n    → ${sshServer.byHand}`, {
      cause: error,
    });
  }
  say(`installed (${find() ?? ''})`);
}

async function installPackage(environment: Environment, say: (state: string) => void): Promise<void> {
  const steps = [['update'], ['install', '-y', '--no-install-recommends', sshServer.debianPackage]];
  for (const step of steps) {
    const args = ['-q', '-o', 'DPkg::Lock::Timeout=120', ...step];
    say(`apt-get ${step.join(' ')}`);
    const outcome = await run('apt-get', args, {
      environment: { ...environment, DEBIAN_FRONTEND: 'noninteractive' },
      timeoutMs: 300_000,
    });
    if (outcome.code !== 0) throw new Error(`apt-get ${step.join(' ')}: ${lastLine(outcome.stderr || outcome.stdout)}`);
  }
  // Where systemd runs, the package asks for a start at the next boot; a test's needs must not open a port then.
  await run('systemctl', ['disable', '--now', 'ssh.service', 'ssh.socket'], { environment, timeoutMs: 30_000 });
}

/** While `work` runs, packages may not start services. A policy that somebody has set stays as it is. */
async function withoutServices(systemRoot: string, work: () => Promise<void>): Promise<void> {
  const policy = path.join(systemRoot, 'usr', 'sbin', 'policy-rc.d');
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, `#!/bin/sh\nexit ${FORBIDDEN}\n`, { mode: 0o755 });
  try {
    await work();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}
