import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { canonicalJson, sha256 } from '../../core/spec/hash.js';
import { parseRegion } from '../../core/spec/parseRegion.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { projectRoot } from '../../testbed/run.js';
import { regionWorkflowId } from '../../workflows/shared/names.js';
import type { RegionExplanation } from '../../workflows/regionLifecycle/explain.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import type { TestTemporal } from '../workflows/environment.js';
import { eventually, startTestTemporal } from '../workflows/environment.js';
import { ScriptedRegion } from '../workflows/scriptedActivities.js';
import { Command } from 'commander';
import { registerRegion } from '../../cli/region.js';
import { run } from '../../cli/run.js';
import type { ConnectionChoice } from '../../cli/connection.js';
import { targetOf } from '../../cli/connection.js';
import { explainText } from '../../cli/explainText.js';
import { sendUpdate } from '../../cli/regionClient.js';
import { Told } from '../../cli/told.js';
import type { MessageBase } from '../../workflows/regionLifecycle/messages.js';
import type { PsmgResult } from './psmg.js';

jest.setTimeout(90_000);

const FILE = path.join(projectRoot, 'examples', 'eu-west', 'region.yaml');
const TEXT = readFileSync(FILE, 'utf8');
const NAME = 'eu-west';
const QUEUE = 'cli-test';
const NOWHERE = '127.0.0.1:1';

let temporal: TestTemporal;
let folder: string;
let stopWorker: () => Promise<void>;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-cli-'));
  temporal = await startTestTemporal();
  Object.assign(process.env, { TEMPORAL_ADDRESS: temporal.env.address, PSMG_TASK_QUEUE: QUEUE, PSMG_STATE: folder });
  const spec = parseRegion(TEXT, FILE);
  if (!spec.ok) throw new Error('the example is refused');
  const hash = sha256(canonicalJson(spec.value));
  const outside = new ScriptedRegion();
  outside.accepted = { name: NAME, specRef: { kind: 'region', hash, bytes: 1 }, regions: [NAME, 'eu-central'] };
  const worker = await temporal.worker(QUEUE, outside.activities());
  const running = worker.run();
  stopWorker = async () => {
    worker.shutdown();
    await running;
  };
  const { client } = temporal.env;
  // A region that no worker looks after, and one that has ended.
  for (const name of ['idle', 'gone']) {
    await client.workflow.start('regionLifecycle', {
      workflowId: regionWorkflowId(name),
      taskQueue: 'nobody',
      args: [name],
    });
  }
  await client.workflow.getHandle(regionWorkflowId('gone')).terminate('test');
});

afterAll(async () => {
  for (const id of [NAME, `${NAME}/adjustment`, 'idle']) {
    await temporal.env.client.workflow
      .getHandle(regionWorkflowId(id))
      .terminate()
      .catch(() => undefined);
  }
  await stopWorker();
  await temporal.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Running {
  stdout: string;
  stderr: string;
  interrupt(): void;
  ended: Promise<PsmgResult>;
}

function launch(program: string, args: readonly string[]): Running {
  const child = spawn(program, args, { cwd: projectRoot, env: process.env });
  const running: Running = {
    stdout: '',
    stderr: '',
    interrupt: () => child.kill('SIGINT'),
    ended: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout: running.stdout, stderr: running.stderr }));
    }),
  };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      running[stream] += text;
    });
  }
  return running;
}

const BIN = path.join(projectRoot, 'bin', 'psmg.js');

function launchRegion(args: readonly string[]): Running {
  return launch(process.execPath, [BIN, 'region', ...args]);
}

/** As typed, in this process: a start of Node for each would take longer than all that is tested. One at a time. */
async function region(...args: string[]): Promise<PsmgResult> {
  const [exitCode, stdout, stderr] = [
    process.exitCode,
    jest.spyOn(process.stdout, 'write'),
    jest.spyOn(process.stderr, 'write'),
  ];
  const text = { stdout: '', stderr: '' };
  for (const [name, spy] of [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const) {
    spy.mockImplementation((chunk) => {
      text[name] += String(chunk);
      return true;
    });
  }
  try {
    process.exitCode = 0;
    const program = new Command('psmg').exitOverride();
    registerRegion(program);
    await run(program, ['node', 'psmg', 'region', ...args]);
    return { ...text, code: Number(process.exitCode) };
  } finally {
    process.exitCode = exitCode;
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

async function json<T = Record<string, unknown>>(...args: string[]): Promise<{ code: number | null; told: T }> {
  const { code, stdout, stderr } = await region(...args, '--format', 'json');
  if (stdout === '') throw new Error(stderr);
  return { code, told: JSON.parse(stdout) as T };
}

async function withEnvironment<T>(set: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(set).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, set);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

const why = ['--why', 'test', '--who', 'ada'];

const status = async (): Promise<RegionStatus> =>
  temporal.env.client.workflow.getHandle(regionWorkflowId(NAME)).query<RegionStatus>('status');

describe('psmg region, with a region that runs', () => {
  beforeAll(async () => {
    const started = await json('start', FILE);
    expect(started).toMatchObject({ code: 0, told: { workflowId: 'region/eu-west', started: true } });
    await eventually('operating', async () => {
      const now = await status();
      return now.phase === 'operating' && now.tuner.state === 'running';
    });
  });

  it('start: asked again it finds the region, and tells another file from the same', async () => {
    const commented = path.join(folder, 'commented.yaml');
    const other = path.join(folder, 'other.yaml');
    writeFileSync(commented, `# the same\n${TEXT}`);
    writeFileSync(other, TEXT.replace(/^(\s*minRequests: )\d+/m, '$17'));
    const same = await json('start', commented);
    const changed = await region('start', other);
    expect(same).toMatchObject({ code: 0, told: { started: false, same: true } });
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain('runs already with another file');
  });

  it('a dry run prints lines that do the same as typed, and sends nothing', async () => {
    const args = ['override', NAME, 'shop.rateLimit.rps', '120', ...why, '--key', "it's-one", '--dry-run'];
    const told = await json<{ valid: boolean; checkedAgainst: string; lines: Record<string, string> }>(...args);
    const refused = await region('override', NAME, 'shopp.rateLimit.rps', '9', ...why, '--dry-run');
    expect(told).toMatchObject({ code: 0, told: { valid: true, checkedAgainst: 'region' } });
    expect(refused.code).toBe(2);
    expect(refused.stdout).toContain('one of shop');
    expect((await status()).overrides).toEqual([]);
    for (const line of Object.values(told.told.lines)) {
      const words = line.replace(/^temporal/, `'${locatePart('temporal')}'`);
      expect(await launch('sh', ['-c', words]).ended).toMatchObject({ code: 0 });
    }
    const { overrides, refused: none } = await eventually('the override', async () => {
      const now = await status();
      return now.overrides.length > 0 && now;
    });
    expect(overrides).toMatchObject([{ address: 'shop.rateLimit.rps', value: 120, who: 'ada' }]);
    expect(none.total).toBe(0);
  });

  it('watch tells changes as lines, and ends with Ctrl-C', async () => {
    const watching = launchRegion(['watch', NAME, '--every', '200ms', '--format', 'json']);
    await eventually('the first look', async () => watching.stdout.includes('"field":"phase"'), 40_000);
    const frozen = await json('freeze', NAME, ...why, '--key', 'once');
    expect(frozen).toMatchObject({ code: 0, told: { accepted: true, key: 'once' } });
    await eventually('the freeze', async () => watching.stdout.includes('"field":"frozenBy","from":null,"to":"ada"'));
    watching.interrupt();
    expect(await watching.ended).toMatchObject({ code: 0 });
    for (const line of watching.stdout.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ region: NAME });
    // The same key again is answered with the first outcome; for another message it is refused.
    expect(await json('freeze', NAME, ...why, '--key', 'once')).toEqual(frozen);
    expect(await json('resume', NAME, ...why, '--key', 'once')).toMatchObject({ code: 1, told: { accepted: false } });
  });

  it('explain tells what holds the region, who can end that, and what is in force beyond the plan', async () => {
    const told = await json<RegionExplanation>('explain', NAME);
    const setting = await json('explain', NAME, 'shop.rateLimit.rps');
    const [wait] = told.told.waits;
    expect(wait).toMatchObject({ for: 'the end of the freeze by ada: test', ways: [{ message: 'resume' }] });
    expect(wait?.ways[0]?.line).toContain(
      'temporal workflow update execute --workflow-id region/eu-west --name resume',
    );
    expect(told.told.next.find(({ kind }) => kind === 'tick')?.heldBy).toBe('frozen by ada until resume');
    expect(explainText(told.told, 'shop')).toContain('shop.rateLimit.rps = 120 by ada');
    // The scripted region has no artifacts: what the queries tell is all that is known.
    expect(setting.told).toMatchObject({ value: 120, layers: [{ layer: 'override', value: 120 }] });
    expect(JSON.stringify(setting.told['notes'])).toContain('--state');
  });

  it('what cannot be taken back wants the name of the region', async () => {
    const rollback = ['rollback', NAME, 'previous', ...why];
    const unsaid = await region(...rollback);
    const wrong = await region(...rollback, '--yes', 'eu-central');
    const approval = await region('approve', NAME, ...why);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(unsaid).toMatchObject({ code: 2, stdout: '' });
    expect(unsaid.stderr).toContain(`--yes ${NAME}`);
    expect(approval.code).toBe(1);
    expect(approval.stderr).toContain('no plan of region eu-west waits');
    expect((await status()).rolledBackTo).toBeNull();
    expect(await json(...rollback, '--yes', NAME)).toMatchObject({ code: 0, told: { accepted: true } });
    expect((await status()).rolledBackTo).not.toBeNull();
    expect(await json('resume', NAME, ...why, '--signal')).toMatchObject({ code: 0, told: { sent: true } });
    await eventually('resumed', async () => (await status()).rolledBackTo === null);
  });

  it('reads address and namespace from a profile of a TOML file, and from its options', async () => {
    const config = path.join(folder, 'temporal.toml');
    const { address, namespace } = { address: temporal.env.address, namespace: temporal.env.client.options.namespace };
    writeFileSync(config, `[profile.drill]\naddress = "${address}"\nnamespace = "${namespace}"\n`);
    const profile = await withEnvironment({ TEMPORAL_CONFIG_FILE: config, TEMPORAL_ADDRESS: '' }, () =>
      region('status', NAME, '--profile', 'drill'),
    );
    const said = await withEnvironment({ TEMPORAL_ADDRESS: NOWHERE }, () =>
      json<{ regions: Record<string, unknown>[] }>('list', '--address', address),
    );
    expect(profile).toMatchObject({ code: 0 });
    expect(profile.stdout).toContain('region eu-west: operating');
    expect(said.told.regions.find((one) => one['region'] === NAME)).toMatchObject({
      phase: 'operating',
      blockedReason: null,
    });
    expect(() => targetOf({ profile: 'absent' })).toThrow('absent');
  });

  it('completes names of regions in bash', async () => {
    const script = await launch(process.execPath, [BIN, 'completion', 'bash']).ended;
    const file = path.join(folder, 'completion.bash');
    writeFileSync(file, script.stdout);
    const wrapper = path.join(folder, 'psmg');
    writeFileSync(wrapper, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`, { mode: 0o755 });
    const line = `source ${file}; complete -p psmg; COMP_WORDS=(${wrapper} region freeze eu); COMP_CWORD=3; _psmg; echo "\${COMPREPLY[@]}"`;
    const { stdout } = await launch('bash', ['-c', line]).ended;
    expect(stdout).toBe(`complete -o filenames -F _psmg psmg\n${NAME}\n`);
  });
});

describe('psmg region, when it cannot be done', () => {
  const send = (name: string, choice: ConnectionChoice = {}): Promise<unknown> =>
    sendUpdate(
      { region: name, name: 'freeze', message: { key: 'k', who: 'ada', why: 'test' } as MessageBase, waitMs: 5000 },
      { address: temporal.env.address, ...choice },
    );

  it.each<{ what: string; name: string; choice?: ConnectionChoice; exit: number; tells: string }>([
    { what: 'no worker', name: 'idle', exit: 1, tells: 'start one with "psmg worker"' },
    { what: 'no such region', name: 'nowhere', exit: 1, tells: 'no region "nowhere" runs' },
    { what: 'an end', name: 'gone', exit: 1, tells: 'was terminated on' },
    { what: 'no namespace', name: 'idle', choice: { namespace: 'absent' }, exit: 2, tells: 'no namespace "absent"' },
    {
      what: 'no server',
      name: 'idle',
      choice: { address: NOWHERE },
      exit: 1,
      tells: `no Temporal server answers at ${NOWHERE}`,
    },
  ])('$what is told in a sentence', async ({ name, choice, exit, tells }) => {
    const told = await send(name, choice).catch((error: unknown) => error);
    expect(told).toBeInstanceOf(Told);
    expect(told).toMatchObject({ exit, message: expect.stringContaining(tells) });
  });

  it('a signal waits for the worker, and watch tells what the server knows', async () => {
    const sent = await json('freeze', 'idle', ...why, '--signal');
    expect(sent).toMatchObject({ code: 0, told: { sent: true } });
    const watching = launchRegion(['watch', 'idle', '--every', '200ms']);
    await eventually('the note', async () => watching.stderr.includes('no worker answers'), 40_000);
    await eventually('the facts', async () => watching.stdout.includes('execution: RUNNING'));
    watching.interrupt();
    expect(await watching.ended).toMatchObject({ code: 0 });
    expect(await region('watch', 'gone')).toMatchObject({ code: 1 });
  });

  it('a dry run needs no server: names are taken on trust, values are not', async () => {
    const line = async (value: string): Promise<PsmgResult> =>
      region('override', NAME, 'any.rateLimit.rps', value, ...why, '--dry-run', '--address', NOWHERE);
    const good = await line('5');
    const bad = await line('5x');
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(
      /^temporal workflow update execute --address 127\.0\.0\.1:1 --workflow-id region\/eu-west /,
    );
    expect(good.stderr).toContain('were not checked');
    expect(bad.code).toBe(2);
  });
});
