import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, it } from '@jest/globals';

import { freePort, PYTHON, stopProxy } from '../../delivery/fixtures/hosts.js';
import { tinyHost } from '../../delivery/fixtures/tinyRegion.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { createLocalTarget } from './localTarget.js';
import { describeProxyTarget } from './target.contract.js';
import { openTarget } from './targets.js';

describeProxyTarget('local', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'psmg local-'));
  const ports = { ingress: await freePort(), admin: await freePort() };
  const host = tinyHost(path.join(root, "it's a host"), ports, PYTHON, locatePart('envoy'));
  return {
    host,
    open: createLocalTarget,
    done: async () => {
      await stopProxy(host);
      rmSync(root, { recursive: true, force: true });
    },
  };
});

it('says where it asked when no proxy answers', async () => {
  const port = await freePort();
  const target = openTarget(tinyHost('/nowhere', { ingress: port, admin: port }, PYTHON, 'envoy'));
  await expect(target.admin('/ready')).rejects.toThrow(new RegExp(`edge-1: GET /ready on 127.0.0.1:${port}`));
  await target.close();
});
