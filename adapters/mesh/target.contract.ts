import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { HostSpec } from '../../core/spec/region.js';
import { layOutScripts, runScript } from '../../delivery/fixtures/hosts.js';
import { tinyRelease } from '../../delivery/fixtures/tinyRegion.js';
import type { ProxyTarget } from './port.js';
import { TargetError } from './scriptTarget.js';

export interface TargetUnderTest {
  /** Nothing has been laid out in its directory, which is reachable from the test, too. */
  host: HostSpec;
  open(host: HostSpec): ProxyTarget;
  done(): Promise<void>;
}

/** What every proxy target must do, against the real script and a real Envoy. The tests build on each other. */
export function describeProxyTarget(name: string, prepare: () => Promise<TargetUnderTest>): void {
  describe(`proxy target: ${name}`, () => {
    let under: TargetUnderTest;
    let host: HostSpec;
    let target: ProxyTarget;
    const expecting = (expectedHash: string | null, epoch = 1): { epoch: number; expectedHash: string | null } => ({
      epoch,
      expectedHash,
    });

    beforeAll(async () => {
      under = await prepare();
      host = under.host;
      target = under.open(host);
    });
    afterAll(async () => {
      await target?.close();
      await under?.done();
    });

    it('says that nothing of ours is on a bare host', async () => {
      expect(await target.state()).toEqual({ host: host.name, epoch: 0, hash: null, drifted: [], held: null });
    });

    it('brings a release and switches to it, once', async () => {
      await layOutScripts(host.directory);
      const { hash, perHost } = tinyRelease([host], 'one');
      const request = { ...expecting(null), releaseHash: hash, files: perHost[host.name] ?? {} };
      const applied = await target.swap(request);
      expect(applied).toEqual({
        host: host.name,
        outcome: 'applied',
        hashBefore: null,
        hashAfter: hash,
        message: expect.any(String),
      });
      expect(await target.swap(request)).toMatchObject({ outcome: 'already', hashAfter: hash });
      expect(await target.state()).toEqual({ host: host.name, epoch: 1, hash, drifted: [], held: null });
    });

    it('reads the admin listener of the proxy, large answers too', async () => {
      const { binary, admin } = host.proxy;
      const args = ['--use-dynamic-base-id', '--concurrency', '1', '-l', 'warn'];
      const started = await runScript(host.directory, 'ensure-proxy', { binary, admin, args, readyTimeoutSeconds: 20 });
      expect(started).toMatchObject({ code: 0, answer: { changed: true } });
      expect((await target.admin('/ready')).trim()).toBe('LIVE');
      const dump = JSON.parse(await target.admin('/config_dump')) as { configs: unknown[] };
      expect(JSON.stringify(dump)).toContain('"inline_string":"one"');
      await expect(target.admin('/no-such-page')).rejects.toThrow(/GET \/no-such-page.*404/);
    });

    it('measures the way to a gateway', async () => {
      const { address, port } = host.proxy.ingress;
      const destinations = [{ name: 'south', address, port, service: 'front', path: '/' }];
      const answer = await target.probe({ tries: 2, spacingMs: 1, timeoutMs: 2000, destinations });
      const one = { connectMs: expect.any(Number), answerMs: expect.any(Number), status: 200 };
      expect(answer).toMatchObject({ destinations: { south: [one, one] } });
    });

    it('gives a refused swap as its outcome, in words, with what runs left as it is', async () => {
      const { hash, perHost } = tinyRelease([host], 'two');
      const files = perHost[host.name] ?? {};
      const before = (await target.state()).hash;
      expect(await target.swap({ ...expecting(null), releaseHash: hash, files })).toMatchObject({
        outcome: 'drift',
        hashAfter: before,
      });
      expect(await target.swap({ ...expecting(before, 0), releaseHash: hash, files })).toMatchObject({
        outcome: 'stale-epoch',
      });
      const broken = { ...files, 'validate.yaml': '{"no_such_field": 1}\n' };
      expect(await target.swap({ ...expecting(before), releaseHash: 'bad', files: broken })).toMatchObject({
        outcome: 'invalid',
        message: expect.stringContaining('no_such_field'),
      });
      await writeFile(path.join(host.directory, 'hold'), "ann: don't");
      expect(await target.swap({ ...expecting(before), releaseHash: hash, files })).toMatchObject({ outcome: 'held' });
      expect(await target.state()).toMatchObject({ hash: before, held: "ann: don't" });
      await runScript(host.directory, 'release-hold');
    });

    it('rolls back to a release that the target keeps', async () => {
      const first = (await target.state()).hash;
      const { hash, perHost } = tinyRelease([host], 'two');
      const files = perHost[host.name] ?? {};
      expect(await target.swap({ ...expecting(first, 2), releaseHash: hash, files })).toMatchObject({
        outcome: 'applied',
      });
      expect(await target.swap({ ...expecting(hash, 2), releaseHash: first ?? '' })).toMatchObject({
        outcome: 'applied',
        hashAfter: first,
      });
      expect(await target.swap({ ...expecting(first, 2), releaseHash: '0' })).toMatchObject({
        outcome: 'applied',
        hashAfter: null,
      });
    });

    it('fails in words when the script itself fails, and when Python is not there', async () => {
      const missing = target.swap({ ...expecting(null, 2), releaseHash: 'never-brought' });
      await expect(missing).rejects.toThrow(/never-brought is not kept/);
      await expect(missing).rejects.toThrow(TargetError);
      const other = under.open({ ...host, python: '/no/such/python' });
      await expect(other.state()).rejects.toThrow(/no\/such\/python/);
      await other.close();
    });

    it('stops waiting when it is aborted', async () => {
      const reason = new Error('stop waiting');
      await expect(target.state(AbortSignal.abort(reason))).rejects.toThrow();
      const control = new AbortController();
      const waiting = target.state(control.signal);
      setTimeout(() => control.abort(reason), 5);
      await expect(waiting).rejects.toThrow();
      expect(await target.state()).toMatchObject({ hash: null });
    });
  });
}
