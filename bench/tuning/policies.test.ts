import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { idle } from './fixtures.js';
import { keptMeasure } from './kept.js';
import {
  ABLATIONS,
  comparedPolicies,
  LEARNING,
  OURS,
  PEER_NAMES,
  PER_SERVICE,
  PLAN_ONLY,
  TOPFULL,
} from './policies.js';
import { measureRun } from './run.js';
import { overloadScenario } from './scenarios.js';
import { singleBottleneck } from './synthetic.js';

const scenario = { ...overloadScenario(singleBottleneck(40), 1), durationMs: 70_000 };

describe('comparedPolicies', () => {
  it('knows by name whom the verdicts ask for', () => {
    for (const name of [...PER_SERVICE, TOPFULL]) expect(PEER_NAMES).toContain(name);
    expect(PEER_NAMES).not.toContain(OURS);
  });

  it('has each once, ours first, and those alone that were asked for', () => {
    const budget = { passes: 1, seed: 1 };
    const all = comparedPolicies([scenario], budget, { ablations: true }).map(({ name }) => name);
    expect(all).toEqual([OURS, ...Object.keys(ABLATIONS), PLAN_ONLY, ...PEER_NAMES]);
    expect(new Set(all).size).toBe(all.length);
    const some = comparedPolicies([scenario], budget, { ablations: false, names: [TOPFULL, PLAN_ONLY] });
    expect(some.map(({ name }) => name)).toEqual([PLAN_ONLY, TOPFULL]);
    expect(LEARNING).toEqual([OURS, ...Object.keys(ABLATIONS)]);
  });
});

it('keeps runs in a file and gives them back as they were, but for policies that learn', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cells-'));
  try {
    const file = path.join(folder, 'cells.jsonl');
    const measured = measureRun(scenario, idle, {}, 1);
    const options = { fresh: [] as string[], size: '40' };
    expect(keptMeasure(file, options)(scenario, idle, {}, 1)).toEqual(measured);
    const text = readFileSync(file, 'utf8');
    expect(keptMeasure(file, options)(scenario, idle, {}, 1)).toEqual(measured);
    expect(readFileSync(file, 'utf8')).toBe(text);
    keptMeasure(file, { ...options, fresh: ['idle'] })(scenario, idle, {}, 2);
    expect(readFileSync(file, 'utf8')).toBe(text);
    keptMeasure(file, options)(scenario, idle, {}, 2);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
