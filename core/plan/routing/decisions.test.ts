import { describe, expect, it } from '@jest/globals';
import { generateProblem } from '../../../bench/routing/generate.js';
import { admission } from './admission.js';
import { solveWithEgressCap } from './egressCap.js';
import { failoverTargets } from './failover.js';
import { integerWeights, largestRemainder } from './integerWeights.js';
import type { RoutedFlow, RoutingProblem } from './problem.js';
import { evaluateRouting, solveRouting } from './solve.js';

const PROBLEMS = [1, 2, 5].map((seed) => generateProblem({ seed, services: 8, regions: 4, cycles: seed === 5 }));

describe('integerWeights', () => {
  it('gives whole percents that sum to 100, on sites that are there, and says what that costs', () => {
    for (const problem of PROBLEMS) {
      const R = problem.regions.length;
      const solution = solveRouting(problem);
      const rounded = integerWeights(problem, solution);
      problem.services.forEach(({ sites }, s) => {
        for (let i = 0; i < R; i++) {
          const row = rounded.percents.subarray((s * R + i) * R, (s * R + i + 1) * R);
          expect(row.reduce((a, b) => a + b, 0)).toBe(100);
          row.forEach((percent, j) => expect(percent === 0 || sites[j] !== null).toBe(true));
        }
      });
      const shares = Float64Array.from(rounded.percents, (percent) => percent / 100);
      const again = evaluateRouting(problem, shares, rounded.admitted).objective;
      expect(again / rounded.objective).toBeCloseTo(1, 9);
      expect(rounded.loss).toBeCloseTo(again / solution.objective - 1, 9);
      expect(rounded.loss).toBeLessThan(0.2);
    }
  });

  it('makes a row that is nearly all local all local', () => {
    const site = { instances: 4, concurrency: 4, capacityRps: 100 };
    const problem = pair([site, site], [50, 50]);
    const solution = solveRouting(problem);
    solution.weights.set([0.996, 0.004, 0.5, 0.5]);
    expect([...integerWeights(problem, solution).percents.subarray(0, 2)]).toEqual([100, 0]);
  });

  it.each([
    [
      [1 / 3, 1 / 3, 1 / 3],
      [34, 33, 33],
    ],
    [
      [0.005, 0.995],
      [1, 99],
    ],
    [
      [0.125, 0.125, 0.75],
      [13, 12, 75],
    ],
  ])('rounds %j by the largest remainder', (shares, percents) => {
    expect([...largestRemainder(Float64Array.from(shares))]).toEqual(percents);
  });
});

describe('failoverTargets', () => {
  const site = (capacityRps: number) => ({ instances: 4, concurrency: 4, capacityRps });

  it('names only regions with room for all that would move, nearest first', () => {
    const problem: RoutingProblem = {
      ...pair([site(100), site(150), site(300), site(80)], [60, 50, 100, 0]),
      regions: ['a', 'b', 'c', 'd'],
      latencyMs: [
        [0, 30, 20, 1],
        [30, 0, 30, 30],
        [20, 30, 0, 30],
        [1, 30, 30, 0],
      ],
      egressPerGb: Array.from({ length: 4 }, () => [0, 0, 0, 0]),
    };
    const local = evaluateRouting(problem, identity(4));
    // c has 200 to spare at 20 ms, d 80 at 1 ms, b 100 at 30 ms.
    expect(failoverTargets(problem, local, 0, 0).targets).toEqual([
      { region: 3, spareRps: 80 },
      { region: 2, spareRps: 200 },
      { region: 1, spareRps: 100 },
    ]);
    expect(failoverTargets(problem, local, 0, 2).targets).toEqual([{ region: 1, spareRps: 100 }]);
  });

  it('says why there is none', () => {
    const tight = pair([site(100), site(100)], [80, 80]);
    const refused = failoverTargets(tight, evaluateRouting(tight, identity(2)), 0, 0);
    expect(refused.targets).toEqual([]);
    expect(refused.reason).toBe(
      '80.0 rps of shop would move from a; the most that another region can take is 20.0 rps (b)',
    );
    const alone = pair([site(100), null], [50, 0]);
    expect(failoverTargets(alone, evaluateRouting(alone, Float64Array.of(1, 0, 1, 0)), 0, 0).reason).toBe(
      'shop runs in no other region than a',
    );
  });
});

describe('admission', () => {
  it('lets in all that is worth its price and names what is refused, by route and region', () => {
    const site = { instances: 4, concurrency: 4, capacityRps: 100 };
    const problem = pair([site, site], [150, 150]);
    const solution = solveRouting(problem, { gapTarget: 1e-3, maxIterations: 1000 });
    const found = admission(problem, solution);
    expect(found).toHaveLength(2);
    const refused = found.reduce((sum, { refusedRps }) => sum + refusedRps, 0);
    expect(refused).toBeGreaterThan(95);
    expect(refused).toBeLessThan(100.5);
    for (const { price, value, reason } of found) {
      expect(price / value).toBeCloseTo(1, 1);
      expect(reason).toMatch(/rps are refused$/);
    }
    const calm = admission(pair([site, site], [50, 50]), solveRouting(pair([site, site], [50, 50])));
    expect(calm.map(({ admit }) => admit)).toEqual([1, 1]);
    expect(calm[0]?.reason).toMatch(/all are let in$/);
  });
});

describe('solveWithEgressCap', () => {
  it('keeps the cap and is no slower than a flow that keeps it', () => {
    for (const problem of PROBLEMS.slice(0, 2)) {
      const start = solveRouting(problem, { egressFactor: 50 });
      const capped = solveWithEgressCap(problem, start.components.egress, { start, maxIterations: 40 });
      expect(capped).toBeDefined();
      expect(capped!.components.egress).toBeLessThanOrEqual(start.components.egress * (1 + 1e-8));
      const time = ({ components: c }: RoutedFlow): number => c.latency + c.network + c.shed;
      expect(time(capped!)).toBeLessThanOrEqual(time(start) * (1 + 1e-9));
    }
  });
});

function identity(R: number): Float64Array {
  return Float64Array.from({ length: R * R }, (_, k) => (k % (R + 1) === 0 ? 1 : 0));
}

function pair(sites: RoutingProblem['services'][number]['sites'], rps: readonly number[]): RoutingProblem {
  return {
    regions: ['a', 'b'],
    services: [{ name: 'shop', serviceTimeMs: 100, sites }],
    calls: [],
    entries: [{ service: 0, rps, valuePerRequest: 1 }],
    latencyMs: [
      [0, 40],
      [40, 0],
    ],
    egressPerGb: [
      [0, 0],
      [0, 0],
    ],
    costPerSecond: 0.01,
  };
}
