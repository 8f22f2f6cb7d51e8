import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { graphOfRegion } from '../../core/graph/build.js';
import { lintMesh } from '../../core/plan/lint.js';
import { liveMesh } from '../../core/plan/live.js';
import { planMesh } from '../../core/plan/plan.js';
import { windowAt } from '../../core/plan/windowAt.js';
import type { FileSet } from '../../core/spec/artifact.js';
import { canonicalJson, planHash } from '../../core/spec/hash.js';
import { parseDemand } from '../../core/spec/parseDemand.js';
import { parseRegion } from '../../core/spec/parseRegion.js';
import type { Result } from '../../core/spec/problem.js';
import { renderIstio } from '../../mesh/istio/render.js';
import { MESHES } from '../../mesh/registry.js';

const FOLDER = 'test/plan/golden';
/** What a region's output is made from; everything else in its folder is output. */
const INPUTS = ['region.yaml', 'demand.json'];
const MOST_BYTES = 250_000;
const FULL = { stage: { localPercent: 100, enforceLimits: true }, adjustments: [], overrides: [] };
const ANEW = `UPDATE_GOLDEN=1 npm test -- ${FOLDER}.test.ts`;

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 2));
  return result.value;
}

/**
 * What `psmg plan` writes, by the same functions, but for the playbook and the one-file form of the same proxies. Of a
 * later host only what it does not share with the first: a file that is no longer the same shows as one too many.
 */
function outputOf(name: string): FileSet {
  const read = (file: string): string => readFileSync(path.join(FOLDER, name, file), 'utf8');
  const region = valueOf(parseRegion(read('region.yaml'), 'region.yaml'));
  const forecast = valueOf(parseDemand(read('demand.json'), 'demand.json'));
  const plan = valueOf(planMesh({ region, forecast, graph: valueOf(graphOfRegion(region, {})) }));
  const hash = planHash(plan);
  for (const { from } of plan.windows) {
    const live = liveMesh(region, plan, hash, { ...FULL, window: from });
    expect(lintMesh(live, region, plan, { at: from })).toEqual([]);
  }
  const live = liveMesh(region, plan, hash, FULL);
  const calls = Object.fromEntries(windowAt(plan).services.map((one) => [one.service, one.calls ?? {}]));
  const files: Record<string, string> = {
    'plan.json': `${JSON.stringify(JSON.parse(canonicalJson(plan)), null, 2)}\n`,
  };
  const mesh = MESHES[region.mesh.kind];
  const add = (folder: string, some: FileSet): void => {
    for (const [file, text] of Object.entries(some)) files[`${folder}/${file}`] = text;
  };
  let first: FileSet = {};
  for (const host of region.delivery.hosts) {
    const rendered = mesh.render(live, region, host);
    const own = Object.entries(rendered).filter(([file, text]) => first[file] !== text);
    add(`${region.mesh.kind}/${host.name}`, Object.fromEntries(own));
    if (host === region.delivery.hosts[0]) first = rendered;
  }
  add('istio', renderIstio(live, region, { calls }));
  return files;
}

function goldenOf(name: string): Record<string, string> {
  const folder = path.join(FOLDER, name);
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = found.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const output = names.filter((file) => !INPUTS.includes(file));
  return Object.fromEntries(output.map((file) => [file, readFileSync(path.join(folder, file), 'utf8')]));
}

/** Away with what is no longer written, so that no file of an older plan stays behind. */
function writeAnew(name: string, files: FileSet): void {
  const folder = path.join(FOLDER, name);
  for (const entry of readdirSync(folder)) {
    if (!INPUTS.includes(entry)) rmSync(path.join(folder, entry), { recursive: true });
  }
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
}

/** The first line in which two texts differ, in words; `null` where they are the same to the byte. */
function firstDifference(file: string, golden: string | undefined, now: string | undefined): string | null {
  if (golden === now) return null;
  if (golden === undefined) return `${file}: is written now, and there is no golden file`;
  if (now === undefined) return `${file}: is a golden file, and is not written any more`;
  const [before, after] = [golden.split('\n'), now.split('\n')];
  const line = before.findIndex((text, i) => text !== after[i]);
  const at = line < 0 ? before.length : line;
  return `${file}:${at + 1}\n  golden: ${before[at] ?? '(ends)'}\n  now:    ${after[at] ?? '(ends)'}`;
}

function differences(golden: FileSet, now: FileSet): string[] {
  const names = [...new Set([...Object.keys(golden), ...Object.keys(now)])].sort();
  return names.flatMap((file) => firstDifference(file, golden[file], now[file]) ?? []);
}

describe('golden files', () => {
  const regions = readdirSync(FOLDER).sort();

  it.each(regions)('%s is planned and rendered to the byte as it was', (name) => {
    const now = outputOf(name);
    if (process.env['UPDATE_GOLDEN'] === '1') writeAnew(name, now);
    const found = differences(goldenOf(name), now);
    if (found.length > 0) {
      throw new Error(`${found.length} files differ; if that is meant: ${ANEW}\n${found.join('\n')}`);
    }
  });

  it('are of two regions and small enough to be read', () => {
    expect(regions).toEqual(['harbour', 'meadow']);
    const bytes = regions.flatMap((name) => Object.values(goldenOf(name))).map((text) => Buffer.byteLength(text));
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(MOST_BYTES);
  });

  it('names the file and the line that differ first', () => {
    expect(differences({ 'a/b': 'one\ntwo\nthree\n' }, { 'a/b': 'one\n2\n3\n' })).toEqual([
      'a/b:2\n  golden: two\n  now:    2',
    ]);
    expect(differences({ a: 'one\n' }, { a: 'one\nmore' })).toEqual(['a:2\n  golden: \n  now:    more']);
    expect(differences({ a: 'one' }, { b: 'one' })).toEqual([
      'a: is a golden file, and is not written any more',
      'b: is written now, and there is no golden file',
    ]);
    expect(differences({ a: 'one' }, { a: 'one' })).toEqual([]);
  });
});
