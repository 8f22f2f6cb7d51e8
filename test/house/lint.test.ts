import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { LOGIC_VERSIONS } from '../../workflows/shared/versions.js';

interface Sample {
  file: string;
  text: string;
  /** Rules that must fire, each once; none: the source is allowed. */
  rules: readonly string[];
  /** The rule needs the types of the project. */
  typed?: true;
}

const IMPORTS = '@typescript-eslint/no-restricted-imports';
const SYNTAX = 'no-restricted-syntax';

function takes(file: string, specifier: string, allowed: boolean, kind = 'import'): Sample {
  const text = `${kind} { thing } from '${specifier}';\nexport const used: ${
    kind === 'import' ? 'typeof thing = thing' : 'thing | undefined = undefined'
  };\n`;
  return { file, text, rules: allowed ? [] : [IMPORTS] };
}

function rooms(file: string, allowed: readonly string[], refused: readonly string[]): Sample[] {
  return [
    ...allowed.map((specifier) => takes(file, specifier, true)),
    ...refused.map((specifier) => takes(file, specifier, false)),
  ];
}

const roomSamples: Sample[] = [
  ...rooms(
    'core/sample.ts',
    ['./spec/problem.js', 'node:crypto', 'zod'],
    ['../mesh/registry.js', '../adapters/mesh/port.js', 'node:fs', 'fs', 'node:fs/promises', 'node:http', 'node:net'],
  ),
  ...rooms('core/sample.ts', [], ['node:child_process', 'node:os', 'node:process', '@temporalio/common']),
  ...rooms('core/plan/sample.ts', ['../spec/plan.js'], ['../../delivery/ansible/render.js', '../../scripts/lock.js']),
  ...rooms('mesh/envoy/sample.ts', ['../../core/spec/plan.js'], ['../../delivery/registry.js', '../../adapters/a.js']),
  ...rooms('delivery/sample.ts', ['../core/spec/plan.js'], ['../mesh/registry.js', '../activities/contract.js']),
  ...rooms(
    'adapters/mesh/sample.ts',
    ['./port.js', '../delivery/port.js', '../../core/spec/live.js', '../../mesh/registry.js', '../../delivery/a.js'],
    ['../../activities/contract.js', '../../scripts/parts/locate.js', '@temporalio/client', '../../workflows/index.js'],
  ),
  ...rooms(
    'activities/sample.ts',
    ['../core/spec/plan.js', '../adapters/mesh/port.js', '../mesh/registry.js'],
    ['@temporalio/activity', '@temporalio/common', '../workers/main.js', '../cli/main.js', '../scripts/lock.js'],
  ),
  ...rooms('activities/temporal.ts', ['@temporalio/activity', '../core/spec/plan.js'], ['../workers/main.js']),
  ...rooms(
    'workflows/a/sample.ts',
    ['@temporalio/workflow', '@temporalio/common', './state.js', '../shared/clock.js'],
    ['../../core/spec/plan.js', '../../activities/contract.js', 'zod', 'node:crypto', '@temporalio/client', 'yaml'],
  ),
  takes('workflows/a/sample.ts', '../../core/spec/plan.js', true, 'import type'),
  takes('workflows/a/sample.ts', '../../activities/contract.js', true, 'import type'),
  // Types are no way around the arrows between the other rooms.
  takes('core/sample.ts', '../adapters/mesh/port.js', false, 'import type'),
  ...rooms(
    'workers/sample.ts',
    ['../activities/contract.js', '../workflows/shared/names.js', '../scripts/parts/locate.js', '@temporalio/worker'],
    ['../cli/main.js', '../testbed/start.js', '../scripts/doctor.js', '@temporalio/activity'],
  ),
  ...rooms('cli/sample.ts', ['../workers/main.js', '@temporalio/client'], ['../testbed/start.js', '../test/a.js']),
  ...rooms(
    'cli/sample.ts',
    ['../scripts/catalogue/catalogue.js', '../scripts/parts/locate.js'],
    ['../scripts/catalogue/model.js', '../scripts/doctor.js'],
  ),
  ...rooms('scripts/parts/sample.ts', ['../lock.mjs', 'node:fs'], ['../../core/spec/plan.js', '../../cli/main.js']),
  ...rooms('testbed/sample.ts', ['../core/spec/plan.js', '../scripts/parts/locate.js', '../workers/main.js'], []),
  ...rooms('core/sample.test.ts', ['../adapters/mesh/port.js', 'node:fs', '../scripts/parts/locate.js'], []),
];

const styleSamples: Sample[] = [
  { file: 'core/sample.ts', text: "export const home = process.env['HOME'];\n", rules: [SYNTAX] },
  { file: 'adapters/mesh/sample.ts', text: "export const home = process.env['HOME'];\n", rules: [SYNTAX] },
  { file: 'workers/sample.ts', text: "export const home = process.env['HOME'];\n", rules: [SYNTAX] },
  { file: 'workers/config.ts', text: "export const home = process.env['HOME'];\n", rules: [] },
  { file: 'cli/sample.ts', text: "export const home = process.env['HOME'];\n", rules: [] },
  { file: 'core/sample.ts', text: 'export const now = Date.now();\n', rules: ['no-restricted-properties'] },
  { file: 'core/sample.ts', text: 'export const chance = Math.random();\n', rules: ['no-restricted-properties'] },
  { file: 'core/sample.ts', text: 'export const now = new Date();\n', rules: [SYNTAX] },
  { file: 'core/sample.ts', text: 'export const then = new Date(0);\n', rules: [] },
  { file: 'adapters/mesh/sample.ts', text: 'export const now = Date.now();\n', rules: [] },
  { file: 'core/sample.ts', text: "export const fs = import('node:fs');\n", rules: [SYNTAX] },
  {
    file: 'workflows/a/sample.ts',
    text: 'let runs = 0;\nexport const next = (): number => (runs += 1);\n',
    rules: [SYNTAX],
  },
  { file: 'workflows/a/sample.ts', text: 'export let runs = 0;\nruns = 1;\n', rules: [SYNTAX] },
  { file: 'workflows/a/sample.ts', text: 'export const seen = new Set<string>();\n', rules: [SYNTAX] },
  { file: 'workflows/a/sample.ts', text: 'export const seen: string[] = [];\n', rules: [SYNTAX] },
  { file: 'workflows/a/sample.ts', text: 'export const seen: Record<string, string> = {};\n', rules: [SYNTAX] },
  { file: 'workflows/a/sample.ts', text: 'export const seen = { runs: 0 };\n', rules: [SYNTAX] },
  { file: 'workflows/a/sample.ts', text: "export const names: readonly string[] = ['a'];\n", rules: [] },
  { file: 'workflows/a/sample.ts', text: "export const flags = { on: '+' } as const;\n", rules: [] },
  {
    file: 'workflows/a/sample.ts',
    text: 'export const own = (): number => {\n  let runs = 0;\n  runs += 1;\n  return runs;\n};\n',
    rules: [],
  },
  {
    file: 'workflows/a/sample.ts',
    text: 'export const o = { validator: async (raw: unknown): Promise<void> => void raw } as const;\n',
    rules: [SYNTAX],
  },
  {
    file: 'workflows/a/sample.ts',
    text: 'export const o = { validator: (raw: unknown): void => void raw } as const;\n',
    rules: [],
  },
  {
    file: 'workflows/a/sample.ts',
    text: "import { patched } from '@temporalio/workflow';\nexport const is = (id: string): boolean => patched(id);\n",
    rules: [SYNTAX],
  },
  { file: 'cli/sample.ts', text: 'export default 1;\n', rules: [SYNTAX] },
  { file: 'cli/sample.ts', text: "export * from './main.js';\n", rules: [SYNTAX] },
  { file: 'cli/sample.ts', text: "export { main } from './main.js';\n", rules: [SYNTAX] },
  {
    file: 'cli/sample.ts',
    text: 'async function work(): Promise<void> {}\nwork();\n',
    rules: ['@typescript-eslint/no-floating-promises'],
    typed: true,
  },
  {
    file: 'cli/sample.ts',
    text: 'async function work(): Promise<void> {}\n[1].forEach(async () => work());\n',
    rules: ['@typescript-eslint/no-misused-promises'],
    typed: true,
  },
  {
    file: 'cli/sample.ts',
    text: "import { URL } from 'node:url';\nexport const at = (url: URL): string => url.href;\n",
    rules: ['@typescript-eslint/consistent-type-imports'],
  },
  {
    file: 'cli/sample.ts',
    text: 'export function two() {\n  return 2;\n}\n',
    rules: ['@typescript-eslint/explicit-module-boundary-types'],
  },
  {
    file: 'cli/sample.ts',
    text: 'export function two(): any {\n  return 2;\n}\n',
    rules: ['@typescript-eslint/no-explicit-any'],
  },
  {
    file: 'cli/sample.ts',
    text: "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
    rules: ['@typescript-eslint/switch-exhaustiveness-check'],
    typed: true,
  },
];

describe('the versions of the workflows’ logic', () => {
  it('are the patches that the workflows ask for, each with a reason and a date', () => {
    const folder = path.join(import.meta.dirname, '..', '..', 'workflows');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const asked = files.flatMap((file) => {
      const calls = readFileSync(path.join(folder, file), 'utf8').matchAll(
        /\b(?:patched|deprecatePatch)\('([^']+)'\)/g,
      );
      return [...calls].map(([, id = '']) => id);
    });
    expect([...new Set(asked)].sort()).toEqual(Object.keys(LOGIC_VERSIONS).sort());
    for (const { reason, since } of Object.values(LOGIC_VERSIONS)) {
      expect(reason.length).toBeGreaterThan(20);
      expect(Number.isNaN(Date.parse(since))).toBe(false);
    }
  });
});

describe('the lint rules that keep the house', () => {
  const samples = [...roomSamples, ...styleSamples];
  let found: { file: string; rules: string[] }[] = [];

  beforeAll(() => {
    const runner = path.join(import.meta.dirname, 'lintRunner.mjs');
    const outcome = spawnSync(process.execPath, [runner], { input: JSON.stringify(samples), encoding: 'utf8' });
    if (outcome.status !== 0) throw new Error(outcome.stderr);
    found = JSON.parse(outcome.stdout) as typeof found;
  }, 60_000);

  it.each(samples.map((sample, index) => ({ ...sample, index, title: sample.text.split('\n')[0] ?? '' })))(
    '$file: $title → $rules',
    ({ index, rules }) => {
      expect(found[index]?.rules).toEqual(rules);
    },
  );
});
