import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { AcceptedRegion } from '../../activities/contract.js';
import { SETTING_FIELDS } from '../../core/spec/settings.js';
import { generateCatalogue, staleFiles, writeCatalogue } from '../../scripts/catalogue/catalogue.js';
import { projectRoot } from '../../testbed/run.js';
import type { MessageName } from '../../workflows/regionLifecycle/messages.js';
import { MESSAGE_NAMES } from '../../workflows/regionLifecycle/messages.js';
import { initialState, statusOf } from '../../workflows/regionLifecycle/state.js';
import { psmg } from '../cli/psmg.js';
import type { Message } from './catalogueSchemas.js';
import { REGION_FILE, acceptSample, bySchema, samplesOf, schemaOf, verdicts } from './catalogueSchemas.js';

jest.setTimeout(60_000);

const work = mkdtempSync(path.join(tmpdir(), 'psmg-catalogue-'));
const page = readFileSync(path.join(projectRoot, 'docs/catalog.md'), 'utf8');
const lines = [...page.matchAll(/^temporal workflow .*$/gm)].map(([line]) => line);
let accepted: AcceptedRegion;

beforeAll(async () => {
  accepted = await acceptSample(path.join(work, 'artifacts'));
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('the catalogue', () => {
  it('is what the sources say', async () => {
    expect(await staleFiles(projectRoot, await generateCatalogue(projectRoot))).toEqual([]);
  });

  it('has a schema of the draft it names for everything', () => {
    const files = readdirSync(path.join(projectRoot, 'docs/schemas'), { recursive: true, encoding: 'utf8' });
    const schemas = files.filter((file) => file.endsWith('.json'));
    expect(schemas.length).toBeGreaterThan(MESSAGE_NAMES.length);
    for (const file of schemas) {
      expect(schemaOf(file)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
      expect(() => bySchema(file, {})).not.toThrow();
    }
  });

  it('shows a signal and an update of every message, each with a key of its own', () => {
    const sent = lines.flatMap((line) => {
      const [, verb, name, input] =
        /^temporal workflow (signal|update execute) .*--name (\S+) --input '(.*)'$/.exec(line) ?? [];
      return input === undefined ? [] : [{ verb, name: name as MessageName, message: JSON.parse(input) as Message }];
    });
    for (const verb of ['signal', 'update execute']) {
      expect(sent.filter((line) => line.verb === verb).map((line) => line.name)).toEqual(MESSAGE_NAMES);
    }
    for (const { name, message } of sent) {
      expect(samplesOf(name)).toContainEqual(message);
      expect(verdicts(name, message, accepted)).toEqual({ schema: true, parser: true });
    }
    expect(new Set(sent.map(({ message }) => message['key'])).size).toBe(sent.length);
  });

  it('starts a region with a file that is accepted, and asks both workflows', () => {
    expect(lines.filter((line) => line.startsWith('temporal workflow start '))).toEqual([
      `temporal workflow start --type regionLifecycle --task-queue psmg --workflow-id region/eu-west --input-file ${REGION_FILE} --input-meta encoding=binary/plain`,
    ]);
    expect(bySchema('arguments/regionLifecycle.json', readFileSync(path.join(projectRoot, REGION_FILE), 'utf8'))).toBe(
      true,
    );
    for (const wrong of [null, 7, {}, '']) expect(bySchema('arguments/regionLifecycle.json', wrong)).toBe(false);
    expect(lines.filter((line) => line.includes(' query '))).toHaveLength(3);
  });

  it('tells what query status answers, and not less', () => {
    const status = statusOf(initialState(accepted));
    expect(bySchema('results/RegionStatus.json', status)).toBe(true);
    for (const field of Object.keys(status)) {
      expect(bySchema('results/RegionStatus.json', { ...status, [field]: undefined })).toBe(false);
    }
    expect(bySchema('results/RegionStatus.json', { ...status, phase: 'asleep' })).toBe(false);
    expect(bySchema('results/RegionStatus.json', { ...status, step: 'wait' })).toBe(false);
  });

  it('lists what the two workflows send each other apart from what people send', () => {
    const [forPeople = '', internal = ''] = page.split('## Not for people');
    for (const name of [
      'hold',
      'run',
      'copy',
      'adjustment-held',
      'adjustment-applied',
      'adjustment-report',
      'adjustment-stopped',
    ]) {
      expect(internal).toContain(`| \`${name}\` `);
      expect(forPeople).not.toContain(`\`${name}\``);
    }
  });

  it('lists every setting, and every reason that a region may be blocked for', () => {
    for (const field of Object.keys(SETTING_FIELDS)) expect(page).toContain(`\`<service>.${field}\``);
    const reasons = /'([a-z-]+)'/g;
    const source =
      readFileSync(path.join(projectRoot, 'core/spec/lifecycle.ts'), 'utf8').split('BlockedReason =')[1] ?? '';
    const listed = [...source.matchAll(reasons)].map(([, reason = '']) => reason);
    expect(listed.length).toBeGreaterThan(10);
    for (const reason of listed) expect(page).toMatch(new RegExp(`^\\| \`${reason}\` `, 'm'));
    for (const type of ['invalid-region', 'refused']) expect(page).toMatch(new RegExp(`with.*\`${type}\``));
  });
});

describe('a change of the sources', () => {
  const copy = path.join(work, 'project');
  const edit = (file: string, from: string, to: string): void => {
    const text = readFileSync(path.join(projectRoot, file), 'utf8');
    if (!text.includes(from)) throw new Error(`${file} no longer holds "${from}"`);
    writeFileSync(path.join(copy, file), text.replace(from, to));
  };
  const restore = (file: string): void => cpSync(path.join(projectRoot, file), path.join(copy, file));
  const MESSAGES = 'workflows/regionLifecycle/messages.ts';

  beforeAll(() => {
    for (const name of [
      'workflows',
      'activities',
      'core/spec',
      'core/tuning',
      'cli/region.ts',
      'docs',
      '.prettierrc.json',
    ]) {
      cpSync(path.join(projectRoot, name), path.join(copy, name), { recursive: true });
    }
  });

  it('of a message that people send makes the check fail and name it', async () => {
    edit(MESSAGES, '  until?: string;\n', '  until?: string;\n  ticket?: string;\n');
    const { code, stdout } = await psmg('catalog', '--check', '--project', copy);
    restore(MESSAGES);
    expect({ code, named: stdout.match(/^\S+(?= is stale)/gm) }).toEqual({
      code: 1,
      named: ['docs/catalog.md', 'docs/schemas/arguments/override.json'],
    });
  });

  it('of a message between the workflows, or a left-over file, is named too', async () => {
    edit(
      'workflows/meshAdjustment/messages.ts',
      'export interface HoldOrder {\n',
      'export interface HoldOrder {\n  why: string;\n',
    );
    writeFileSync(path.join(copy, 'docs/schemas/internal/gone.json'), '{}');
    const wanted = await generateCatalogue(copy);
    restore('workflows/meshAdjustment/messages.ts');
    expect(await staleFiles(copy, wanted)).toEqual([
      'docs/schemas/internal/gone.json',
      'docs/schemas/internal/hold.json',
    ]);
    await writeCatalogue(copy, wanted);
    expect(await staleFiles(copy, wanted)).toEqual([]);
  });

  it.each([
    [
      'a required field that nobody checks',
      '  to: string;\n',
      '  to: string;\n  ticket: string;\n',
      /"rollback" requires "ticket"/,
    ],
    ['a type that its checks contradict', '  to: string;\n', '  to: number;\n', /"rollback": "to" is no string/],
    ['a message without a name in the list', "  'skip',\n", '', /"skip" is missing from MESSAGE_NAMES/],
    ['a message without a type', '  skip: MessageBase;\n', '', /"skip" is missing from MessageInputs/],
  ])('that contradicts itself is refused: %s', async (_, from, to, problem) => {
    edit(MESSAGES, from, to);
    await expect(generateCatalogue(copy)).rejects.toThrow(problem);
    restore(MESSAGES);
  });

  it('of a bound is seen', async () => {
    edit('workflows/shared/parse.ts', 'const MAX_KEY = 128;', 'const MAX_KEY = 64;');
    const stale = await staleFiles(projectRoot, await generateCatalogue(copy));
    restore('workflows/shared/parse.ts');
    expect(stale).toEqual([
      'docs/catalog.md',
      ...MESSAGE_NAMES.map((name) => `docs/schemas/arguments/${name}.json`).sort(),
    ]);
  });
});
