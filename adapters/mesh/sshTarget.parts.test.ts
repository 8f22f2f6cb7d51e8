import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { HostSpec } from '../../core/spec/region.js';
import { freePort, layOutScripts, PYTHON, stopProxy } from '../../delivery/fixtures/hosts.js';
import { tinyHost } from '../../delivery/fixtures/tinyRegion.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { locateSshd } from '../../scripts/parts/sshd.js';
import { startSshd } from './fixtures/sshd.js';
import type { Sshd } from './fixtures/sshd.js';
import { createSshTarget } from './sshTarget.js';
import { describeProxyTarget } from './target.contract.js';
import { openTarget } from './targets.js';

async function sshHost(root: string, sshd: Sshd): Promise<HostSpec> {
  const ports = { ingress: await freePort(), admin: await freePort() };
  const host = tinyHost(path.join(root, "it's a host; $(false)"), ports, PYTHON, locatePart('envoy'));
  return { ...host, connection: 'ssh', ssh: sshd.spec };
}

describeProxyTarget('ssh', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'psmg ssh-'));
  const sshd = await startSshd(path.join(root, 'sshd'), locateSshd());
  const host = await sshHost(root, sshd);
  return {
    host,
    open: (spec) => createSshTarget(spec),
    done: async () => {
      await stopProxy(host);
      await sshd.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
});

describe('an SSH connection', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'psmg ssh-'));
  let sshd: Sshd;
  let host: HostSpec;

  beforeAll(async () => {
    sshd = await startSshd(path.join(root, 'sshd'), locateSshd());
    host = await sshHost(root, sshd);
    await layOutScripts(host.directory);
  });
  afterAll(async () => {
    await sshd?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it('is refused to a host that shows another key than the stated one', async () => {
    const target = openTarget({ ...host, ssh: { ...sshd.spec, hostKey: sshd.otherHostKey } });
    await expect(target.state()).rejects.toThrow(/another host key than the region file states/);
    await target.close();
  });

  it('names what is missing when nothing lets it in', async () => {
    const spec = { address: sshd.spec.address, port: sshd.spec.port, user: sshd.spec.user, hostKey: sshd.spec.hostKey };
    await expect(openTarget({ ...host, ssh: spec }).state()).rejects.toThrow(
      /neither a private key file nor an SSH agent/,
    );
    const key = path.join(root, 'sshd', 'other');
    await expect(openTarget({ ...host, ssh: { ...spec, privateKeyFile: key } }).state()).rejects.toThrow(
      /authentication/i,
    );
    await expect(openTarget({ ...host, ssh: { ...sshd.spec, port: await freePort() } }).state()).rejects.toThrow(
      /ECONNREFUSED/,
    );
  });

  it('is one for many calls, and is closed', async () => {
    const target = openTarget(host);
    await Promise.all([target.state(), target.state(), target.state()]);
    expect(sshd.sessions()).toHaveLength(1);
    await target.close();
    for (let i = 0; i < 50 && sshd.sessions().length > 0; i += 1) await sleep(50);
    expect(sshd.sessions()).toEqual([]);
  });

  it('fails the command under way when it breaks, and is opened anew for the next', async () => {
    const hold =
      'import fcntl, sys, time; f = open(sys.argv[1], "a"); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); time.sleep(60)';
    const holder = spawn(PYTHON, ['-c', hold, path.join(host.directory, 'lock')]);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const target = openTarget(host);
    try {
      const waiting = expect(target.state()).rejects.toThrow(/the connection ended before the command did/);
      await sleep(1000);
      expect(sshd.sessions()).toHaveLength(1);
      sshd.sessions().forEach((pid) => process.kill(pid, 'SIGKILL'));
      await waiting;
    } finally {
      holder.kill('SIGKILL');
    }
    expect(await target.state()).toMatchObject({ hash: null });
    await target.close();
  });
});
