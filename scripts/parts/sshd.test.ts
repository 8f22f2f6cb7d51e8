import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findSshd, setUpSshd } from './sshd.js';

let folder: string;
let said: string[];
const say = (line: string): void => void said.push(line);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-sshd-'));
  mkdirSync(path.join(folder, 'root', 'usr', 'sbin'), { recursive: true });
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (...names: string[]): string => path.join(folder, ...names);
const inRoot = (...names: string[]): string => inFolder('root', ...names);
const environment = (): Record<string, string> => ({
  // Nothing of the system's: its own apt-get must not be found.
  PATH: inFolder('bin'),
  PSMG_CACHE: inFolder('cache'),
});

function program(file: string, text = '#!/bin/sh\n'): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o755 });
  return file;
}

/** Writes down what it is asked for and what policy it found; an install brings sshd as the package would. */
function aptGet(
  install = `printf '#!/bin/sh\\n' > ${inRoot('usr/sbin/sshd')}; /bin/chmod 755 ${inRoot('usr/sbin/sshd')}`,
): void {
  const policy = `/bin/sh ${inRoot('usr/sbin/policy-rc.d')} ssh start`;
  const note = `${policy}; echo "$* policy $? $DEBIAN_FRONTEND" >> ${inFolder('asked')}`;
  program(inFolder('bin', 'apt-get'), `#!/bin/sh\n${note}\ncase "$*" in *install*) ${install};; esac\n`);
}

/** No real systemctl is to be asked in a test. */
function systemctl(): void {
  program(inFolder('bin', 'systemctl'), `#!/bin/sh\necho "systemctl $*" >> ${inFolder('asked')}\n`);
}

const setUp = (isRoot: boolean): Promise<void> =>
  setUpSshd({ environment: environment(), isRoot, systemRoot: inRoot(), say });

describe('setUpSshd', () => {
  it('uses what is on PATH, then what the system keeps, and installs nothing', async () => {
    aptGet();
    const kept = program(inRoot('usr/sbin/sshd'));
    await setUp(true);
    const first = program(inFolder('bin', 'sshd'));
    await setUp(false);
    expect(said).toEqual([`part sshd … found (${kept})`, `part sshd … found (${first})`]);
    expect(existsSync(inFolder('asked'))).toBe(false);
  });

  it('installs the package for root, lets no service start, and leaves no policy behind', async () => {
    aptGet();
    systemctl();
    await setUp(true);
    expect(readFileSync(inFolder('asked'), 'utf8').trim().split('\n')).toEqual([
      '-q -o DPkg::Lock::Timeout=120 update policy 101 noninteractive',
      '-q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends openssh-server policy 101 noninteractive',
      'systemctl disable --now ssh.service ssh.socket',
    ]);
    expect(said).toEqual([
      'part sshd … apt-get update',
      'part sshd … apt-get install -y --no-install-recommends openssh-server',
      `part sshd … installed (${inRoot('usr/sbin/sshd')})`,
    ]);
    expect(existsSync(inRoot('usr/sbin/policy-rc.d'))).toBe(false);
    expect(findSshd(environment(), inRoot())).toBe(inRoot('usr/sbin/sshd'));
  });

  it('leaves the policy of somebody else as it is', async () => {
    aptGet();
    systemctl();
    const theirs = program(inRoot('usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101 # theirs\n');
    await setUp(true);
    expect(readFileSync(theirs, 'utf8')).toContain('theirs');
    expect(statSync(theirs).mode & 0o777).toBe(0o755);
  });

  it('names the package in one error when it may not, cannot or fails to install it', async () => {
    await expect(setUp(true)).rejects.toThrow(
      /this system has no apt-get[^]*→ install OpenSSH's server.*openssh-server/,
    );
    aptGet('echo "E: Unable to locate package" >&2; exit 100');
    systemctl();
    await expect(setUp(false)).rejects.toThrow(/only root may install packages[^]*openssh-server/);
    await expect(setUp(true)).rejects.toThrow(/apt-get install.*: E: Unable to locate package\n.*openssh-server/);
    expect(existsSync(inRoot('usr/sbin/policy-rc.d'))).toBe(false);
    aptGet(':');
    await expect(setUp(true)).rejects.toThrow(/openssh-server was installed and brought no sshd/);
  });
});
