import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commandTree } from '../../cli/commandTree.js';
import { createProgram } from '../../cli/program.js';
import { projectRoot } from '../../testbed/run.js';
import { pageText } from '../readme/readme.js';

/** First cells of the rows of every table of a page, without their marks. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, cell = '']) => cell);
}

function section(page: string, title: string): string {
  const [, found] = new RegExp(`^## ${title}\n(.*?)(?=^## |$(?![\\s\\S]))`, 'ms').exec(pageText(page)) ?? [];
  if (found === undefined) throw new Error(`${page} has no section "${title}"`);
  return found;
}

/** Members of a union of literals in the sources, which is the vocabulary. */
function union(type: string): string[] {
  const source = readFileSync(path.join(projectRoot, 'core/spec/lifecycle.ts'), 'utf8').replace(/\/\*.*?\*\//gs, '');
  const [, body = ''] = new RegExp(`export type ${type} =(.*?);`, 's').exec(source) ?? [];
  return [...body.matchAll(/'([a-z-]+)'/g)].map(([, name = '']) => name);
}

describe('docs/operations.md', () => {
  it('has a row for every reason for which a region is blocked', () => {
    const reasons = union('BlockedReason');
    expect(reasons.length).toBeGreaterThan(10);
    expect(firstCells(section('docs/operations.md', 'At a block')).sort()).toEqual(reasons.sort());
  });

  it('has a row for every phase', () => {
    const phases = union('Phase');
    expect(phases.length).toBeGreaterThan(10);
    expect(firstCells(section('docs/operations.md', 'What a phase asks of you')).sort()).toEqual(phases.sort());
  });
});

describe('docs/cli.md', () => {
  it('lists exactly the commands of the program', async () => {
    const tree = commandTree(await createProgram());
    const isGroup = new Set(tree.filter(({ commands }) => commands.length > 0).map(({ path: at }) => at));
    const listed = firstCells(pageText('docs/cli.md')).filter((cell) => cell.startsWith('psmg '));
    const all = tree.map(({ path: at }) => at);
    expect(listed.filter((one) => !all.includes(one))).toEqual([]);
    expect(all.filter((one) => !isGroup.has(one) && !listed.includes(one))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });
});
