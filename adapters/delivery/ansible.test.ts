import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { DeploymentEvent, DeploymentRequest, DeploymentResult } from '../../core/spec/deployment.js';
import type { HostSpec } from '../../core/spec/region.js';
import { renderAnsible } from '../../delivery/ansible/render.js';
import { filesUnder, freePort, PYTHON, runScript, stopProxy } from '../../delivery/fixtures/hosts.js';
import { tinyHost, tinyRegion, tinyRelease, tinyRequest } from '../../delivery/fixtures/tinyRegion.js';
import type { TinyRelease } from '../../delivery/fixtures/tinyRegion.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { createAnsibleRunner, DeploymentAbortedError, DeploymentDiedError } from './ansible.js';
import type { DeliveryRunOptions } from './port.js';

// The blank makes sure that no path is ever split into words.
const root = mkdtempSync(path.join(tmpdir(), 'psmg deliver-'));
const options = { ansiblePlaybook: locatePart('ansible-playbook'), runsDirectory: path.join(root, 'runs') };
const runner = createAnsibleRunner(options);
const HOSTILE = `{{ lookup('pipe', 'touch ${root}/owned') }} $(touch ${root}/owned) '`;
let host: HostSpec;
let one: TinyRelease;
let two: TinyRelease;

jestSetup();

function jestSetup(): void {
  beforeAll(async () => {
    host = await newHost(HOSTILE.replaceAll('/', ':'));
    one = tinyRelease([host], 'one');
    two = tinyRelease([host], 'two');
  });
  afterAll(async () => {
    await stopProxy(host);
    rmSync(root, { recursive: true, force: true });
  });
}

async function newHost(name: string): Promise<HostSpec> {
  const ports = { ingress: await freePort(), admin: await freePort() };
  return tinyHost(path.join(root, name), ports, PYTHON, locatePart('envoy'));
}

interface Seen {
  result: DeploymentResult;
  events: DeploymentEvent[];
  cursors: number[];
}

function projectOf(on: HostSpec, release: TinyRelease, request: DeploymentRequest): ReturnType<typeof renderAnsible> {
  return renderAnsible({ region: tinyRegion([on]), deployment: request, releases: release.perHost });
}

async function deploy(
  on: HostSpec,
  release: TinyRelease,
  change: Partial<DeploymentRequest>,
  more: Partial<DeliveryRunOptions> = {},
): Promise<Seen> {
  const request = tinyRequest(release, change);
  const events: DeploymentEvent[] = [];
  const cursors: number[] = [];
  const onEvent = (event: DeploymentEvent, cursor: number): void => {
    events.push(event);
    cursors.push(cursor);
  };
  const runOptions: DeliveryRunOptions = {
    mode: 'apply',
    cursor: 0,
    onEvent,
    signal: new AbortController().signal,
    ...more,
  };
  return { result: await runner.run(request, projectOf(on, release, request), runOptions), events, cursors };
}

async function answer(): Promise<string> {
  const { address, port } = host.proxy.ingress;
  return (await fetch(`http://${address}:${port}/`)).text();
}

describe('a deployment by Ansible', () => {
  it('previews on a bare host and changes nothing', async () => {
    const { result, events } = await deploy(host, one, { deploymentId: 'preview' }, { mode: 'check' });
    expect(result).toMatchObject({ ok: true, failures: [] });
    expect(events.find((event) => event.task?.endsWith('Preview the switch on a copy') && event.diff)?.diff).toContain(
      'one',
    );
    expect(existsSync(host.directory)).toBe(false);
  }, 60_000);

  it('applies, tells every task in order, and Envoy serves the release', async () => {
    const { result, events, cursors } = await deploy(host, one, { deploymentId: 'first' });
    expect(result).toMatchObject({ deploymentId: 'first', epoch: 1, ok: true, reattached: false, failures: [] });
    expect(result.recap['edge-1']).toMatchObject({ failures: 0, unreachable: 0 });
    expect(result.recap['edge-1']?.changed).toBeGreaterThan(0);
    expect(cursors).toEqual(events.map((_event, index) => index + 1));
    expect(events[0]).toMatchObject({ type: 'play', message: 'Prepare every host' });
    expect(events.at(-1)).toMatchObject({ type: 'stats', recap: result.recap });
    expect(
      events.find((event) => event.type === 'changed' && event.task?.endsWith('Switch to the release'))?.diff,
    ).toContain('+++ release/dyn/lds.yaml');
    expect(Date.parse(result.finishedAt)).toBeGreaterThan(Date.parse(result.startedAt));
    expect(await answer()).toBe('one');
    expect(existsSync(path.join(root, 'owned'))).toBe(false);
  }, 60_000);

  it('changes nothing the second time', async () => {
    const before = await filesUnder(host.directory, true);
    const { result } = await deploy(host, one, { deploymentId: 'second' });
    expect(result).toMatchObject({ ok: true, recap: { 'edge-1': { changed: 0, failures: 0 } } });
    expect(await filesUnder(host.directory, true)).toEqual(before);
  }, 60_000);

  it('reads the result of an ended run from its files, with the events after the cursor', async () => {
    const first = await deploy(host, one, { deploymentId: 'second' });
    const rest = await deploy(host, one, { deploymentId: 'second' }, { cursor: 5 });
    expect(first.result.reattached).toBe(true);
    expect(rest.result).toEqual(first.result);
    expect(rest.events).toEqual(first.events.slice(5));
    expect(rest.cursors[0]).toBe(6);
    await expect(deploy(host, two, { deploymentId: 'second' })).rejects.toThrow(/with another request/);
  }, 30_000);

  it('switches a running proxy without restarting it', async () => {
    const pid = await readFile(path.join(host.directory, 'envoy.pid'), 'utf8');
    const { result } = await deploy(host, two, { deploymentId: 'third', epoch: 2, expectedHash: one.hash });
    expect(result.ok).toBe(true);
    for (let i = 0; i < 50 && (await answer()) !== 'two'; i += 1) await sleep(100);
    expect(await answer()).toBe('two');
    expect(await readFile(path.join(host.directory, 'envoy.pid'), 'utf8')).toBe(pid);
  }, 60_000);

  it('fails in words when somebody else has written, and leaves what they wrote', async () => {
    const { result } = await deploy(host, one, { deploymentId: 'drift', epoch: 2, expectedHash: null });
    expect(result.ok).toBe(false);
    expect(result.failures).toEqual([
      {
        host: 'edge-1',
        task: 'envoy_mesh : Switch to the release',
        message: expect.stringContaining(`What runs is ${two.hash}`),
      },
    ]);
    expect(await answer()).toBe('two');
  }, 60_000);

  it("fails with Envoy's own words when the host's Envoy refuses the release, before anything is switched", async () => {
    const files = one.perHost['edge-1'] ?? {};
    const broken = {
      ...files,
      'validate.yaml': (files['validate.yaml'] ?? '').replace('"stat_prefix"', '"stat_prefx"'),
    };
    const release = { hash: 'b'.repeat(64), perHost: { 'edge-1': broken } };
    const { result } = await deploy(host, release, { deploymentId: 'invalid', epoch: 3, expectedHash: two.hash });
    expect(result.failures).toEqual([
      {
        host: 'edge-1',
        task: expect.stringContaining('own Envoy validate'),
        message: expect.stringContaining('stat_prefx'),
      },
    ]);
    expect((await runScript(host.directory, 'state')).answer).toMatchObject({ hash: two.hash });
  }, 60_000);

  it('fails with the words of Ansible when it cannot even begin', async () => {
    const request = tinyRequest(one, { deploymentId: 'broken' });
    const project = { ...projectOf(host, one, request), 'site.yml': '- hosts: mesh\n  no_such_keyword: 1\n' };
    const silent = {
      mode: 'apply',
      cursor: 0,
      onEvent: () => undefined,
      signal: new AbortController().signal,
    } as const;
    const result = await runner.run(request, project, silent);
    expect(result).toMatchObject({ ok: false, recap: {} });
    expect(result.failures[0]?.message).toContain('no_such_keyword');
  }, 60_000);
});

describe('a worker that goes away', () => {
  const script = fileURLToPath(new URL('./fixtures/startRun.ts', import.meta.url));

  /** Starts a run from a process of its own and kills that with -9 once the line is seen. */
  async function startAndKill(on: HostSpec, release: TinyRelease, deploymentId: string, line: string): Promise<void> {
    const request = tinyRequest(release, { deploymentId });
    const input = path.join(root, `${deploymentId}.json`);
    await mkdir(root, { recursive: true });
    await writeFile(input, JSON.stringify({ options, request, project: projectOf(on, release, request) }));
    const child = spawn(process.execPath, ['--import', 'tsx', script, input], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    let text = '';
    for await (const chunk of child.stdout) {
      text += String(chunk);
      if (text.includes(line)) break;
    }
    child.kill('SIGKILL');
    await ended;
    expect(text).toContain(line);
  }

  it('is no loss: the run goes on, is joined, and every task ran once', async () => {
    const fresh = await newHost('joined');
    const release = tinyRelease([fresh], 'joined');
    try {
      await startAndKill(fresh, release, 'joined', 'changed envoy_mesh : Make the folder');
      const { result, events } = await deploy(fresh, release, { deploymentId: 'joined' });
      expect(result).toMatchObject({ ok: true, reattached: true, failures: [] });
      expect(events.filter((event) => event.type === 'stats')).toHaveLength(1);
      const done = events.filter((event) => event.host !== undefined).map((event) => event.task);
      expect(new Set(done).size).toBe(done.length);
      expect((await runScript(fresh.directory, 'state')).answer).toMatchObject({ hash: release.hash, drifted: [] });
    } finally {
      await stopProxy(fresh);
    }
  }, 90_000);

  it('starts the run anew when that was killed too, and it converges', async () => {
    const fresh = await newHost('anew');
    const release = tinyRelease([fresh], 'anew');
    try {
      await startAndKill(fresh, release, 'anew', 'changed envoy_mesh : Make the folder');
      const supervisor = JSON.parse(
        await readFile(path.join(options.runsDirectory, 'tiny', 'anew', 'supervisor.json'), 'utf8'),
      ) as { pid: number };
      process.kill(-supervisor.pid, 'SIGKILL');
      // A task of the killed run may still be ending; as long as it does, the run counts as running.
      const again = (): Promise<Seen> => deploy(fresh, release, { deploymentId: 'anew' });
      const { result } = await again().catch((error: unknown) => {
        expect(error).toBeInstanceOf(DeploymentDiedError);
        return again();
      });
      expect(result).toMatchObject({ ok: true, reattached: false, failures: [] });
      expect((await runScript(fresh.directory, 'state')).answer).toMatchObject({ hash: release.hash, drifted: [] });
    } finally {
      await stopProxy(fresh);
    }
  }, 90_000);

  it('ends the run when it is cancelled, and leaves it alone when it is only left', async () => {
    const fresh = await newHost('cancel');
    const release = tinyRelease([fresh], 'cancel');
    const left = new AbortController();
    const cancelled = new AbortController();
    const onFirst = (control: AbortController, reason: string) => (event: DeploymentEvent) => {
      if (event.type === 'task') control.abort(reason);
    };
    const change = { deploymentId: 'cancel' };
    await expect(
      deploy(fresh, release, change, { onEvent: onFirst(left, 'shutdown'), signal: left.signal }),
    ).rejects.toMatchObject({
      cancelled: false,
    });
    const cancelling = deploy(fresh, release, change, {
      onEvent: onFirst(cancelled, 'cancel'),
      signal: cancelled.signal,
    });
    await expect(cancelling).rejects.toThrow(DeploymentAbortedError);
    const runFolder = path.join(options.runsDirectory, 'tiny', 'cancel');
    const events = await readFile(path.join(runFolder, 'events.jsonl'), 'utf8');
    await sleep(1500);
    expect(await readFile(path.join(runFolder, 'events.jsonl'), 'utf8')).toBe(events);
    expect(events).not.toContain('"stats"');
    expect(existsSync(path.join(runFolder, 'rc'))).toBe(false);
    expect(existsSync(path.join(fresh.directory, 'state.json'))).toBe(false);
  }, 60_000);
});
