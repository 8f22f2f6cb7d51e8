import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { locatePart } from '../../scripts/parts/locate.js';
import { connectClient } from '../../workers/connect.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import type { StartRun } from '../start/startRun.js';
import { plainEnvironment, startRun } from '../start/startRun.js';
import { pageText, shellLines } from './readme.js';

jest.setTimeout(180_000);

const REGION = 'region/eu-west';
/** Temporal's command line prints a result as `map[accepted:true …]`, and as JSON with `--output json`. */
const ACCEPTED = /\baccepted"?: ?true\b/;
const REFUSED = /\baccepted"?: ?false\b/;
const OPERATING_WITHIN_MS = 150_000;

/** What a person types from the README, with what kind of line it is: `start`, `signal freeze`, `update resume` … */
const lines = shellLines('README.md')
  .filter((line) => line.startsWith('temporal workflow '))
  .map((line) => ({ line, kind: kindOf(line) }));

function kindOf(line: string): string {
  const [, , verb = ''] = line.split(' ');
  const [, name] = /--name (\S+)/.exec(line) ?? [];
  return name === undefined ? verb : `${verb} ${name}`;
}

function payloadOf(line: string): Record<string, unknown> {
  const [, json = '{}'] = /--input '([^']*)'/.exec(line) ?? [];
  return JSON.parse(json) as Record<string, unknown>;
}

let folder: string;
let run: StartRun;
let address: string;
let client: Client;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-readme-'));
  // The README's lines name the region file relative to the clone; here the test's folder stands for it.
  run = startRun(path.join(folder, '.psmg', 'start'), ['--no-launch', '--quick']);
  const [, found = ''] = await run.until(/Temporal (127\.0\.0\.1:\d+)/, 60_000);
  address = found;
  await run.until(/launch it from another terminal/, 90_000);
  client = await connectClient({ connection: { address }, namespace: 'default' });
});

afterAll(async () => {
  await client?.connection.close();
  await run?.kill('SIGTERM');
  rmSync(folder, { recursive: true });
});

interface Typed {
  code: number;
  output: string;
}

/** Types a line as it stands; Temporal's address is the only thing that the environment adds. */
async function type(line: string): Promise<Typed> {
  const { PATH = '' } = process.env;
  const env = {
    ...plainEnvironment(),
    TEMPORAL_ADDRESS: address,
    PATH: `${path.dirname(locatePart('temporal'))}${path.delimiter}${PATH}`,
  };
  return new Promise((resolve) => {
    execFile('sh', ['-c', line], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` });
    });
  });
}

const status = (): Promise<RegionStatus> => client.workflow.getHandle(REGION).query<RegionStatus>('status');
const tuner = (): Promise<AdjustmentStatus> =>
  client.workflow.getHandle(`${REGION}/adjustment`).query<AdjustmentStatus>('status');

async function until<T>(look: () => Promise<T>, check: (seen: T) => boolean, withinMs = 15_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const seen = await look();
      if (check(seen)) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`not within ${withinMs} ms; last seen: ${JSON.stringify(last) ?? String(last)}\n${run.output()}`);
}

const isOperating = (seen: RegionStatus): boolean => seen.phase === 'operating' && seen.tuner.state === 'running';

/** What must hold once a line of a kind has been typed; any other update must at least be accepted. */
const AFTER: Readonly<Record<string, (typed: Typed, payload: Record<string, unknown>) => Promise<void>>> = {
  start: async () => {
    await until(status, isOperating, OPERATING_WITHIN_MS);
    // The search attributes are listed a moment later.
    await until(phaseListed, (phase) => phase === 'operating');
    await until(tuner, ({ ticks }) => ticks > 0);
  },
  describe: async ({ output }) => {
    expect(output).toMatch(/PsmgPhase.*operating/);
  },
  query: async ({ output }) => {
    expect(output).toContain('"region":"eu-west"');
  },
  list: async ({ output }) => {
    expect(output).toContain(REGION);
  },
  'signal freeze': async (_typed, { who, why }) => {
    const { freeze } = await until(status, (seen) => seen.freeze !== null);
    expect(freeze).toMatchObject({ who, why });
    await until(tuner, ({ frozen }) => frozen);
  },
  'update override': async ({ output }, { address: setting, value }) => {
    expect(output).toMatch(ACCEPTED);
    const { overrides } = await status();
    expect(overrides).toContainEqual(expect.objectContaining({ address: setting, value }));
    expect((await tuner()).hash).toBe((await status()).currentHash);
  },
  'signal clear-override': async (_typed, { address: setting }) => {
    await until(status, ({ overrides }) => overrides.every((override) => override.address !== setting));
  },
  'update rollback': async ({ output }) => {
    expect(output).toMatch(ACCEPTED);
    const { freeze, deployments } = await status();
    expect(deployments.at(-1)).toMatchObject({ kind: 'rollback' });
    expect(freeze).not.toBeNull();
    expect((await tuner()).held).toBe(true);
  },
  'update resume': async ({ output }) => {
    expect(output).toMatch(ACCEPTED);
    await until(status, (seen) => isOperating(seen) && seen.freeze === null);
  },
  'update retry': async ({ output }) => {
    // Nothing is blocked here: that this is said is the right answer.
    expect(output).toMatch(REFUSED);
    expect(output).toContain('retry is for a blocked region');
  },
};

async function phaseListed(): Promise<unknown> {
  for await (const { searchAttributes } of client.workflow.list({ query: `WorkflowId = '${REGION}'` })) {
    return searchAttributes['PsmgPhase']?.[0];
  }
  return undefined;
}

describe('the README’s lines', () => {
  it('show every way to launch, look and steer', () => {
    const verbs = new Set(lines.map(({ kind }) => kind.split(' ')[0]));
    expect([...verbs].sort()).toEqual(['describe', 'list', 'query', 'signal', 'start', 'update']);
    const messages = new Set(lines.flatMap(({ kind }) => kind.split(' ').slice(1)));
    expect([...messages].sort()).toEqual(['clear-override', 'freeze', 'override', 'resume', 'retry', 'rollback']);
  });

  it.each(lines)('$line', async ({ line, kind }) => {
    const typed = await type(line);
    expect(typed).toEqual({ code: 0, output: expect.any(String) });
    if (kind.startsWith('update') && AFTER[kind] === undefined) expect(typed.output).toMatch(ACCEPTED);
    await AFTER[kind]?.(typed, payloadOf(line));
  });

  it('a key that is sent twice is carried out once', async () => {
    const before = (await status()).deployments.length;
    const [{ line } = { line: '' }] = lines.filter(({ kind }) => kind === 'update rollback');
    expect((await type(line)).output).toMatch(ACCEPTED);
    expect((await status()).deployments).toHaveLength(before);
  });
});

describe('what nobody can read', () => {
  const send = async (name: string, more = ''): Promise<Typed> =>
    type(`temporal workflow signal --workflow-id ${REGION} --name ${name} --input '{"key":"x"}' ${more}`);

  it('is recorded as refused, and the workflow goes on', async () => {
    expect(await send('freeze', '--input-meta encoding=bogus/thing')).toMatchObject({ code: 0 });
    expect(await send('freez')).toMatchObject({ code: 0 });
    const { refused, freeze } = await until(status, (seen) => seen.refused.total === 2);
    expect(refused.last[0]).toMatchObject({ name: 'freeze', reason: expect.stringContaining('bogus/thing') });
    expect(refused.last[1]).toMatchObject({ name: 'freez', reason: expect.stringContaining('unknown signal') });
    expect(freeze).toBeNull();
    const { ticks } = await tuner();
    await until(tuner, (seen) => seen.ticks > ticks);
    const clear = `--name clear-override --input '{"key":"y","who":"ada","why":"done","address":"storefront.weight.eu-west"}'`;
    expect((await type(`temporal workflow update execute --workflow-id ${REGION} ${clear}`)).output).toMatch(ACCEPTED);
  });
});

describe('when everything of ours is gone', () => {
  it('the README’s way back on the host works, and holds; Ctrl-C leaves nothing running', async () => {
    const [, command = ''] = /`(python3 <directory>\/bin\/psmg_target\.py [^`]*)`/.exec(pageText('README.md')) ?? [];
    expect(command).not.toBe('');
    const host = path.join(folder, '.psmg', 'start', 'world', 'hosts', 'edge-1');
    expect(await type(command.replaceAll('<directory>', host))).toMatchObject({ code: 0 });
    expect(await run.interrupt()).toBe(0);
    expect(run.survivors()).toEqual([]);
  });
});
