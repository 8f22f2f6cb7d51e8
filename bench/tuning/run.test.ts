import { describe, expect, it } from '@jest/globals';

import { trainingSegments, traceSegment } from './demand.js';
import { idle, limiting, madeSources, NO_ENGINES } from './fixtures.js';
import { tuningReport } from './matrix.js';
import { measureRun, tune } from './run.js';
import { overloadScenario } from './scenarios.js';
import { deepBottleneck, singleBottleneck } from './synthetic.js';

const overload = { ...overloadScenario(singleBottleneck(60), 1), durationMs: 90_000 };

describe('runs', () => {
  it('of one seed are the same, and those of two policies see the same demand', () => {
    const choking = limiting(1, 1000);
    const [one, again, choked] = [idle, idle, choking].map((policy) => measureRun(overload, policy, { most: 1 }, 4));
    expect(again).toEqual(one);
    expect(choked!.goodputShare).toBeLessThan(one!.goodputShare - 0.05);
    expect(measureRun(overload, idle, {}, 5)).not.toEqual(one);
  });

  it('take the better point of a grid, within the budget', () => {
    const policy = { ...limiting(0, 1000), grid: [{ most: 1 }, { most: 200 }] };
    const tuned = tune(policy, [overload], { budget: 2, seed: 1 });
    expect(tuned).toMatchObject({ params: { most: 200 }, tried: 2, of: 2 });
    expect(tune(policy, [overload], { budget: 1, seed: 1 })).toMatchObject({ params: { most: 1 }, tried: 0 });
  });
});

it('publishes every cell and the verdicts, the same bytes for the same seed', () => {
  const sources = madeSources();
  const report = (seed: number): string =>
    tuningReport({
      apps: [singleBottleneck(30)],
      test: [traceSegment(sources, 'noisy', 2400)],
      training: trainingSegments(sources).slice(0, 1),
      ...{ surges: [1, 2], rotate: false, single: singleBottleneck(30), deep: deepBottleneck(50) },
      ...{ seeds: [seed], budget: 2, engines: NO_ENGINES },
      policies: () => [idle, limiting(3, 2)],
      roles: { ours: 'idle', peers: ['limiting-3'], perService: ['limiting-3'], topfull: 'limiting-3' },
    });
  const text = report(1);
  expect(report(1)).toBe(text);
  for (const word of ['| idle', 'limiting-3', 'noisy 2400', '2 ×', 'none', 'deep-bottleneck', 'must reach']) {
    expect(text).toContain(word);
  }
  expect(text.match(/noisy 2400/g)).toHaveLength(2 * 4 + 1);
  expect(text).not.toContain('NaN');
});
