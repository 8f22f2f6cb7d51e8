import { expect, it } from '@jest/globals';

import type { RunMeasures } from './measures.js';
import type { Cell } from './run.js';
import { dayVerdicts, mostViolating, overloadVerdicts, verdictTable } from './verdict.js';

const roles = { ours: 'ours', peers: ['a', 'b'], perService: ['a'], topfull: 'b' };

function cell(policy: string, measures: Partial<RunMeasures>, scenario = 's'): Cell {
  const zero = { violatingPercent: 0, goodputShare: 1, goodputRps: 0, valuePerSecond: 0, surgeLostShare: 0 };
  const run = { ...zero, instanceSeconds: 100, reward: 0, ...measures };
  return { scenario, group: 'g', surge: 2, policy, runs: [run] };
}

it('allows half of a bad peer and a tenth of a point beside a good one', () => {
  expect([mostViolating(8), mostViolating(1), mostViolating(0.5)]).toEqual([4, 0.5, 0.6]);
});

it('compares with the best peer of each scenario, and says how many are reached', () => {
  const cells = [
    ...[cell('ours', { violatingPercent: 4 }), cell('a', { violatingPercent: 10 }), cell('b', { violatingPercent: 8 })],
    ...[cell('ours', { violatingPercent: 6 }, 't'), cell('a', { violatingPercent: 10 }, 't')],
    ...[cell('ours', { instanceSeconds: 120, surgeLostShare: 0.2 }, 'u'), cell('b', { surgeLostShare: 0.3 }, 'u')],
  ];
  const [half, elsewhere, capacity, surge] = dayVerdicts(cells, roles);
  expect(half).toMatchObject({ measured: '1 of 2 scenarios', reached: false });
  expect(elsewhere).toMatchObject({ measured: '1 of 1 scenarios', reached: true });
  expect(capacity).toMatchObject({ measured: '2 of 3 scenarios', reached: false });
  expect(surge).toMatchObject({ measured: '1 of 2 scenarios', reached: false });
});

it('says what was not run, and never that it was reached', () => {
  const lines = [
    ...dayVerdicts([], roles),
    ...overloadVerdicts({ single: [], deep: [] }, { capacityRps: 1, optimumRps: 1 }, roles),
  ];
  expect(lines.map(({ reached }) => reached)).toEqual(lines.map(() => null));
  expect(verdictTable(lines)).not.toContain('yes');
});

it('judges overload against capacity, the best peer, the best limiter and the optimum', () => {
  const single = [cell('ours', { goodputRps: 98 }), cell('a', { goodputRps: 99.5 }), cell('b', { goodputRps: 90 })];
  const deep = [cell('ours', { goodputRps: 90 }), cell('a', { goodputRps: 60 }), cell('b', { goodputRps: 80 })];
  const lines = overloadVerdicts({ single, deep }, { capacityRps: 100, optimumRps: 100 }, roles);
  expect(lines.map(({ measured }) => measured)).toEqual(['0.980', '0.985', '1.500', '1.667', '0.500']);
  expect(lines.map(({ reached }) => reached)).toEqual([true, false, true, null, true]);
});
