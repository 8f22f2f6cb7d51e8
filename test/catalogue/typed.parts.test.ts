import { execFile } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { locatePart } from '../../scripts/parts/locate.js';
import { projectRoot } from '../../testbed/run.js';
import type { FleetStatus } from '../../workflows/fleet/state.js';
import { MESSAGE_NAMES } from '../../workflows/regionLifecycle/messages.js';
import type { MessageName } from '../../workflows/regionLifecycle/messages.js';
import { pageText } from '../readme/readme.js';
import { eventually } from '../workflows/environment.js';
import { expectedOf } from './expected.js';
import type { Lives } from './life.js';
import { REGION, startLives } from './life.js';
import type { TypedLine } from './typedLines.js';
import { isForm, readLine, temporalLines } from './typedLines.js';

jest.setTimeout(60_000);

const PAGES = ['catalog', 'approvals', 'autonomy', 'fleet', 'leaving', 'notifications', 'operations'];
const LINES = PAGES.map((name) => `docs/${name}.md`).flatMap((page) =>
  temporalLines(page)
    .filter((text) => !isForm(text))
    .map((text) => readLine(page, text)),
);
const FLEET = 'docs/fleet.md';

let lives: Lives;
let serial = 0;

beforeAll(async () => {
  lives = await startLives();
}, 60_000);

afterAll(async () => {
  const { client } = lives.temporal.env;
  await client.workflow
    .getHandle('fleet')
    .terminate()
    .catch(() => undefined);
  await lives.stop();
});

/** As a person does in the project's folder, with the server in the environment. */
function type(text: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const { PATH = '' } = process.env;
  const env = {
    ...process.env,
    TEMPORAL_ADDRESS: lives.address,
    PATH: `${path.dirname(locatePart('temporal'))}:${PATH}`,
  };
  return new Promise((resolve) => {
    execFile('sh', ['-c', text], { cwd: projectRoot, env, timeout: 30_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
    });
  });
}

/** Where a page names no region, hash or key but what kind of thing stands there. */
async function filledIn({ page, text }: TypedLine): Promise<TypedLine> {
  serial += 1;
  const hash = text.includes('"HASH"') ? ((await lives.status()).approval?.planHash ?? '') : '';
  const filled = text
    .replace('region/NAME', `region/${REGION}`)
    .replace('NEW-KEY', `new-${serial}`)
    .replace('"HASH"', `"${hash}"`)
    .replace('"YOU"', '"ada"');
  return readLine(page, filled);
}

async function expectMessage(asked: TypedLine): Promise<void> {
  const expected = expectedOf(asked);
  await lives.be(expected.in);
  const line = await filledIn(asked);
  const { runId } = await lives.handle().describe();
  const { code, stdout, stderr } = await type(line.text);
  expect({ code, stderr, line: line.text }).toEqual({ code: 0, stderr: '', line: line.text });
  if (line.verb === 'update') {
    expect(outcomeIn(stdout)).toEqual({ accepted: expected.accepted, detail: expect.stringMatching(expected.detail) });
  }
  if (expected.ends !== undefined) {
    expect(await lives.handle().result()).toMatchObject({ phase: expected.ends });
    return;
  }
  // The same key again is answered with what came of the first, a signal's too.
  const again = await lives.send(line.name as MessageName, line.input);
  expect(again).toEqual({ accepted: expected.accepted, detail: expect.stringMatching(expected.detail) });
  const { effect } = expected;
  if (effect !== undefined) await lives.until(line.text, (status) => effect(status, line, lives.outside()));
  if (line.name === 'continue-as-new') {
    await eventually('a new run', async () => (await lives.handle().describe()).runId !== runId);
  }
  expect((await lives.status()).refused.total).toBe(0);
}

/** The outcome in what an update printed, which is Go's way to write a map. */
function outcomeIn(stdout: string): unknown {
  const [, accepted, detail] = /^ +Result +map\[accepted:(true|false) detail:(.*)\]$/ms.exec(stdout) ?? [];
  return { accepted: accepted === undefined ? stdout : accepted === 'true', detail };
}

async function expectQuery(line: TypedLine): Promise<void> {
  if (line.page === 'docs/approvals.md') await lives.be('waiting');
  else await lives.be('operating');
  const filled = await filledIn(line);
  const { code, stdout } = await type(filled.text);
  expect(code).toBe(0);
  if (line.page === 'docs/approvals.md') expect(stdout).toContain((await lives.status()).planHash ?? 'a plan');
  expect(stdout).toContain(line.workflowId.endsWith('/adjustment') ? 'ticks' : 'phase');
}

async function expectStart(line: TypedLine): Promise<void> {
  await lives.be('nowhere');
  const { code, stderr } = await type(line.text);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await lives.until('operating', ({ phase, tuner }) => phase === 'operating' && tuner.state === 'running');
  // No byte of the file is lost on its way through the shell and the server.
  expect(lives.launchedWith()).toBe(pageText('examples/eu-west/region.yaml'));
}

async function expectList(line: TypedLine): Promise<void> {
  await lives.be(line.text.includes("'blocked'") ? 'blocked-launch' : 'operating');
  await eventually(line.text, async () => {
    const { code, stdout } = await type(line.text);
    return code === 0 && stdout.includes(`region/${REGION}`);
  });
}

async function expectDescribe(line: TypedLine): Promise<void> {
  await lives.be('operating');
  await eventually(line.text, async () => {
    const { code, stdout } = await type(line.text);
    return code === 0 && stdout.includes('operating') && stdout.includes('PsmgPhase');
  });
}

async function check(line: TypedLine): Promise<void> {
  switch (line.verb) {
    case 'query':
      return expectQuery(line);
    case 'start':
      return expectStart(line);
    case 'list':
      return expectList(line);
    case 'describe':
      return expectDescribe(line);
    default:
      return expectMessage(line);
  }
}

describe('lines of the pages, typed as they stand', () => {
  it('are of every message, both as signal and as update, and no page is without', () => {
    const catalog = LINES.filter(({ page }) => page === 'docs/catalog.md');
    for (const verb of ['signal', 'update']) {
      const names = catalog.filter((line) => line.verb === verb).map(({ name }) => name);
      expect([...new Set(names)].sort()).toEqual([...MESSAGE_NAMES].sort());
    }
    expect(LINES.filter(({ verb }) => !/^(signal|update|query|start|list|describe)$/.test(verb))).toEqual([]);
  });

  it.each(LINES.filter(({ page }) => page !== FLEET).map((line) => [`${line.page}: ${line.text}`, line] as const))(
    '%s',
    async (_, line) => check(line),
  );
});

describe('lines of docs/fleet.md, one after the other', () => {
  const fleet = async (): Promise<FleetStatus> =>
    lives.temporal.env.client.workflow.getHandle('fleet').query<FleetStatus>('status');
  const settled = (): Promise<unknown> =>
    eventually('the rollout has stopped', async () => (await fleet()).rollout?.state !== 'running');

  const effects: Record<string, (stdout: string) => Promise<void>> = {
    start: async () => {
      await eventually('all of its regions', async () => (await fleet()).regions.length === 5);
    },
    status: async (stdout) => expect(stdout).toContain('eu-north'),
    'freeze-all': async () => {
      await eventually('frozen', async () => (await fleet()).freeze?.why === 'packet loss');
    },
    'resume-all': async () => expect((await fleet()).freeze).toBeNull(),
    rollout: async () => {
      expect((await fleet()).rollout).toMatchObject({ key: 'w48', who: 'ada' });
      await settled();
    },
    'resume-rollout': async () => {
      await settled();
    },
    'abort-rollout': async () => expect((await fleet()).rollout?.state).toBe('aborted'),
  };

  beforeAll(async () => lives.be('nowhere'));

  it.each(LINES.filter(({ page }) => page === FLEET).map((line) => [line.text, line] as const))(
    '%s',
    async (_, line) => {
      const { code, stdout, stderr } = await type(line.text);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      if (line.verb === 'update') expect(outcomeIn(stdout)).toMatchObject({ accepted: true });
      const effect = effects[line.verb === 'start' ? 'start' : line.name];
      if (effect === undefined) throw new Error(`nothing is expected of ${line.text}`);
      await effect(stdout);
    },
  );
});
