import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { DeploymentResult } from '../../core/spec/deployment.js';
import type { HostSpec } from '../../core/spec/region.js';
import { renderAnsible } from '../../delivery/ansible/render.js';
import { freePort, PYTHON, runScript, stopProxy } from '../../delivery/fixtures/hosts.js';
import { tinyHost, tinyRegion, tinyRelease, tinyRequest } from '../../delivery/fixtures/tinyRegion.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { locateSshd } from '../../scripts/parts/sshd.js';
import { startSshd } from '../mesh/fixtures/sshd.js';
import type { Sshd } from '../mesh/fixtures/sshd.js';
import { createAnsibleRunner } from './ansible.js';

describe('a deployment over SSH', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'psmg ssh-'));
  const runner = createAnsibleRunner({
    ansiblePlaybook: locatePart('ansible-playbook'),
    runsDirectory: path.join(root, 'runs'),
  });
  let sshd: Sshd;
  let hosts: HostSpec[] = [];

  beforeAll(async () => {
    sshd = await startSshd(path.join(root, 'sshd'), locateSshd());
    const names = ['edge-1', 'edge-2'];
    hosts = [];
    for (const name of names) {
      const ports = { ingress: await freePort(), admin: await freePort() };
      const host = tinyHost(path.join(root, name), ports, PYTHON, locatePart('envoy'));
      hosts.push({ ...host, name, connection: 'ssh', ssh: sshd.spec });
    }
  });
  afterAll(async () => {
    for (const host of hosts) await stopProxy(host);
    await sshd?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  async function deploy(deploymentId: string, on: readonly HostSpec[]): Promise<DeploymentResult> {
    const release = tinyRelease(on, 'over ssh');
    const deployment = tinyRequest(release, { deploymentId });
    const tiny = tinyRegion(on);
    const region = { ...tiny, delivery: { ...tiny.delivery, hostWaitSeconds: 2 } };
    const project = renderAnsible({ region, deployment, releases: release.perHost });
    const { signal } = new AbortController();
    return runner.run(deployment, project, { mode: 'apply', cursor: 0, onEvent: () => undefined, signal });
  }

  it('touches no host when one of them shows another key than the stated one', async () => {
    const [first, second] = hosts;
    if (first === undefined || second === undefined) throw new Error('two hosts are needed');
    const stranger = { ...second, ssh: { ...sshd.spec, address: 'localhost', hostKey: sshd.otherHostKey } };
    const result = await deploy('stranger', [first, stranger]);
    expect(result.ok).toBe(false);
    expect(result.failures).toContainEqual({
      host: 'edge-2',
      task: 'envoy_mesh : Wait until the host answers over SSH',
      message: expect.stringMatching(/host key verification failed/i),
    });
    expect((await runScript(first.directory, 'state')).answer).toMatchObject({ hash: null });
  }, 60_000);

  it('brings the release to every host, and Envoy outlives the connection', async () => {
    const result = await deploy('apply', hosts);
    expect(result).toMatchObject({ ok: true, failures: [] });
    for (const host of hosts) {
      const { address, port } = host.proxy.ingress;
      expect(await (await fetch(`http://${address}:${port}/`)).text()).toBe('over ssh');
    }
  }, 60_000);
});
