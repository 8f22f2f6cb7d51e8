import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { HostSpec } from '../../core/spec/region.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { freePort, PYTHON, runScript, stopProxy } from '../fixtures/hosts.js';
import { tinyFiles, tinyHost } from '../fixtures/tinyRegion.js';

describe('the proxy of a host', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'psmg proxy-'));
  const args = ['--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warn'];
  let host: HostSpec;

  beforeAll(async () => {
    const ports = { ingress: await freePort(), admin: await freePort() };
    host = tinyHost(path.join(root, 'host'), ports, PYTHON, locatePart('envoy'));
    await write(tinyFiles(host, 'hello'));
  });
  afterAll(async () => {
    await stopProxy(host);
    rmSync(root, { recursive: true, force: true });
  });

  async function write(files: Record<string, string>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(host.directory, name)), { recursive: true });
      await writeFile(path.join(host.directory, name), text);
    }
  }

  async function ensure(change: object = {}): Promise<{ code: number; answer: Record<string, unknown> }> {
    const { binary, admin } = host.proxy;
    const request = { binary, admin, args, drainSeconds: 0.1, readyTimeoutSeconds: 15, ...change };
    return runScript(host.directory, 'ensure-proxy', request);
  }

  async function answer(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${host.proxy.ingress.port}/`)).text();
  }

  it('is started once, by however many ask', async () => {
    const started = await Promise.all([ensure(), ensure(), ensure()]);
    expect(started.map(({ answer: { changed } }) => changed).sort()).toEqual([false, false, true]);
    expect(new Set(started.map(({ answer: { pid } }) => pid)).size).toBe(1);
    expect(await readFile(path.join(host.directory, 'envoy.pid'), 'utf8')).toBe(
      `${String(started[0]?.answer['pid'])}\n`,
    );
    expect(await answer()).toBe('hello');
  }, 30_000);

  it('is restarted when its bootstrap changed', async () => {
    const before = (await ensure()).answer['pid'];
    const bootstrap = tinyFiles(host, 'hello')['bootstrap.yaml'] ?? '';
    await write({ 'bootstrap.yaml': bootstrap.replace('"tiny"', '"tiny-2"') });
    const { answer: restarted } = await ensure();
    expect(restarted).toMatchObject({ outcome: 'restarted', changed: true });
    expect(restarted['pid']).not.toBe(before);
    expect(await answer()).toBe('hello');
    expect((await ensure()).answer).toMatchObject({ changed: false });
  }, 30_000);

  it('is started again after it died', async () => {
    process.kill(Number((await ensure()).answer['pid']), 'SIGKILL');
    expect((await ensure()).answer).toMatchObject({ outcome: 'started', changed: true });
  }, 30_000);

  it('is stopped, and nothing happens the second time', async () => {
    expect((await runScript(host.directory, 'stop-proxy')).answer).toMatchObject({ outcome: 'stopped', changed: true });
    expect((await runScript(host.directory, 'stop-proxy')).answer).toMatchObject({
      outcome: 'already',
      changed: false,
    });
    await expect(answer()).rejects.toThrow();
  });

  it("fails in Envoy's words when it cannot start, and leaves nothing running", async () => {
    const bad = await ensure({ args: [...args, '--no-such-flag'] });
    expect(bad).toMatchObject({ code: 1, answer: { message: expect.stringContaining('no-such-flag') } });
    const absent = await ensure({ binary: '/no/such/envoy' });
    expect(absent).toMatchObject({ code: 1, answer: { message: expect.stringContaining('/no/such/envoy') } });
    expect((await runScript(host.directory, 'stop-proxy')).answer).toMatchObject({ changed: false });
  }, 30_000);

  it('is not taken for another one that answers on its admin port', async () => {
    await ensure();
    const twin = { ...host, directory: path.join(root, 'twin') };
    await mkdir(path.join(twin.directory, 'dyn'), { recursive: true });
    const bootstrap = (await readFile(path.join(host.directory, 'bootstrap.yaml'), 'utf8')).replaceAll(
      host.directory,
      twin.directory,
    );
    await writeFile(path.join(twin.directory, 'bootstrap.yaml'), bootstrap);
    const { binary, admin } = twin.proxy;
    const clash = await runScript(twin.directory, 'ensure-proxy', { binary, admin, args, readyTimeoutSeconds: 10 });
    expect(clash).toMatchObject({
      code: 1,
      answer: { message: expect.stringMatching(/bind|Address already in use/i) },
    });
    expect(await answer()).toBe('hello');
  }, 30_000);
});
