import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { HostRecap } from '../../core/spec/deployment.js';
import type { RunSummary } from '../../testbed/summary.js';
import type { StartRun } from './startRun.js';
import { startRun } from './startRun.js';

jest.setTimeout(240_000);

let folder: string;
const runs: StartRun[] = [];

/** A run below the test's own folder, ended with the test whatever happens. */
function start(name: string, ...args: string[]): StartRun {
  const run = startRun(path.join(folder, name), args);
  runs.push(run);
  return run;
}

function endedPlaybooks(runsFolder: string): string[] {
  return readdirSync(runsFolder).filter((name) => existsSync(path.join(runsFolder, name, 'rc')));
}

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-start-'));
});

afterAll(async () => {
  for (const run of runs) await run.kill('SIGTERM');
  rmSync(folder, { recursive: true });
});

describe('npm start -- --once', () => {
  let run: StartRun;
  let code: number | null;
  let summary: RunSummary;

  beforeAll(async () => {
    const file = path.join(folder, 'summary.json');
    run = start('once', '--once', '--summary', file);
    code = await run.ended;
    if (code !== 0) throw new Error(`exit code ${code}\n${run.output()}`);
    summary = JSON.parse(readFileSync(file, 'utf8')) as RunSummary;
  });

  it('exits 0 in operation with every check of its own fulfilled', () => {
    expect(code).toBe(0);
    expect(summary).toMatchObject({ region: 'eu-west', phase: 'operating' });
    expect(summary.completed).toEqual(['forecast', 'plan', 'pre-deploy', 'await-stack', 'activate']);
    expect(summary.checks.length).toBeGreaterThanOrEqual(6);
    expect(summary.checks.filter((check) => !check.ok)).toEqual([]);
  });

  it('had the mesh ready before the first instance started', () => {
    const { meshReadyAt, firstInstanceStartedAt } = summary;
    expect(Date.parse(meshReadyAt ?? '')).toBeLessThan(Date.parse(firstInstanceStartedAt ?? ''));
    expect(Date.parse(meshReadyAt ?? '')).toBeGreaterThan(Date.parse(summary.startedAt));
  });

  it('ran the playbook twice, the second time with nothing to change', () => {
    expect(summary.playbookRuns).toHaveLength(2);
    const [first, second] = summary.playbookRuns as Readonly<Record<string, HostRecap>>[];
    expect(first?.['edge-1']).toMatchObject({ failures: 0, unreachable: 0 });
    expect(first?.['edge-1']?.changed).toBeGreaterThan(0);
    expect(second?.['edge-1']).toMatchObject({ changed: 0, failures: 0, unreachable: 0 });
    expect(second?.['edge-1']?.ok).toBe(first?.['edge-1']?.ok);
  });

  it('moved users first, weights in steps after them, and let limits refuse last; each step was judged', () => {
    const passed = summary.activation.filter(({ verdict }) => verdict === 'successful');
    expect(passed.map(({ localPercent, enforceLimits }) => [localPercent, enforceLimits])).toEqual([
      [0, false],
      [10, false],
      [25, false],
      [50, false],
      [100, false],
      [100, true],
    ]);
    expect(summary.activation.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
    for (const { reason } of summary.activation) expect(reason).toMatch(/storefront: \d+ of \d+ failed/);
    expect(summary.requests.switches.map(({ entry }) => entry)).toEqual(['eu-west']);
  });

  it('no user met a 5xx or a broken connection from the move on', () => {
    const { totals, serverErrorsSinceMove } = summary.requests;
    expect(serverErrorsSinceMove).toBe(0);
    expect(totals.sent).toBeGreaterThan(300);
    expect(totals.ok2xx / totals.sent).toBeGreaterThan(0.95);
  });

  it('operated for three ticks with demand that fits the forecast, and counted its adjustments', () => {
    expect(summary.ticks).toBeGreaterThanOrEqual(3);
    const { completeness, services } = summary.lastTick ?? {};
    expect(completeness).toBe(1);
    expect(services?.map(({ service }) => service).sort()).toEqual(['catalog', 'checkout', 'payments', 'storefront']);
    for (const service of services ?? []) {
      expect(service.rps).toBeGreaterThan(0);
      expect(service.forecastP50).toBeGreaterThan(0);
    }
    expect(summary.adjustments.made).toBeGreaterThanOrEqual(summary.adjustments.reverted);
    expect(summary.forecast?.services.map(({ trust }) => trust)).not.toContain('none');
  });

  it('showed it live, and printed the command that a person could have typed', () => {
    const output = run.output();
    expect(output).toMatch(/temporal workflow start .*--workflow-id region\/eu-west --input-file \S+region\.yaml/);
    expect(output).toMatch(/forecast storefront: .*trust/);
    expect(output).toMatch(/plan storefront: \d+ instances/);
    expect(output).toMatch(/changed +edge-1 .*Switch to the release/);
    expect(output).toMatch(/activation 100 %, limits enforced: successful/);
    expect(output).toMatch(/service +rps +p50 +p95/);
    expect(output).toMatch(/http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/region%2Feu-west/);
  });

  it('leaves nothing running', () => {
    const started = run.started().join(' ');
    for (const name of ['temporal-', 'worker', 'eu-central-envoy', 'eu-west-application', 'load', 'edge-1', '-apply']) {
      expect(started).toContain(name);
    }
    expect(run.survivors()).toEqual([]);
  });
});

/** Starts and waits until the first task of the playbook is done. */
async function startToPlaybook(name: string): Promise<StartRun> {
  const run = start(name);
  await run.until(/neighbour eu-central serves eu-west's users/, 90_000);
  await run.until(/changed +edge-1 .*Make the folder/, 60_000);
  expect(run.started().join(' ')).toContain('-apply');
  return run;
}

describe('npm start, ended in the middle of the playbook', () => {
  it('with Ctrl-C stops all that it started, the playbook included', async () => {
    const run = await startToPlaybook('interrupted');
    expect(await run.interrupt()).toBe(0);
    expect(run.output()).toMatch(/stopped\n$/);
    expect(run.output()).not.toContain('NOT OK');
    // Nobody waited for it to end by itself.
    expect(endedPlaybooks(path.join(folder, 'interrupted', 'state', 'deployments', 'eu-west'))).toEqual([]);
    expect(run.survivors()).toEqual([]);
  });

  it('with SIGKILL leaves everything running, and the next start in its folder ends that first', async () => {
    const killed = await startToPlaybook('killed');
    expect(await killed.kill('SIGKILL')).toBeNull();
    expect(killed.survivors().length).toBeGreaterThan(5);
    const next = start('killed', '--no-launch');
    await next.until(/launch it from another terminal/, 90_000);
    expect(await next.interrupt()).toBe(0);
    expect([...killed.survivors(), ...next.survivors()]).toEqual([]);
  });
});
