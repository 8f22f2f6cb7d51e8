import { describe, expect, it } from '@jest/globals';

import { EdgeAdmission } from './edgeAdmission.js';
import type { EdgeService } from './edgeAdmission.js';
import { Generator } from './generator.js';

const store: EdgeService = { name: 'store', workers: 10, workMs: 20, slackMs: 100 };
const front: EdgeService = { name: 'front', workers: 10, workMs: 1, slackMs: 100 };

/** Requests per second let in over a minute, by route, at Poisson arrivals. */
function letIn(edge: EdgeAdmission, rps: readonly number[]): number[] {
  const random = new Generator(3);
  const total = rps.reduce((a, b) => a + b, 0);
  const counts = rps.map(() => 0);
  for (let now = 0; now < 60_000; now -= (1000 * Math.log(1 - random.uniform())) / total) {
    const route = random.uniform() * total < rps[0]! ? 0 : rps.length - 1;
    if (edge.admits(route, now)) counts[route]!++;
  }
  return counts.map((count) => count / 60);
}

describe('admission by shadow prices', () => {
  it('lets everybody in while there is room', () => {
    const edge = new EdgeAdmission([front, store], [{ value: 1, visits: [1, 1] }]);
    expect(letIn(edge, [400])[0]).toBeGreaterThan(0.99 * 399);
  });

  it('in overload lets in what can be worked off, and no more', () => {
    const edge = new EdgeAdmission([front, store], [{ value: 1, visits: [1, 1] }]);
    const [admitted] = letIn(edge, [1000]);
    expect(admitted! / 500).toBeGreaterThan(0.98);
    expect(admitted! / 500).toBeLessThan(1.01);
    expect(edge.takeRefused(1) / 60 + admitted!).toBeCloseTo(1000, -2);
    expect([edge.takeRefused(0), edge.takeRefused(1)]).toEqual([0, 0]);
  });

  it('lets in first what is worth most for the work it makes, and fills up with the rest', () => {
    const routes = [
      { value: 1, visits: [1, 1] },
      { value: 1, visits: [1, 3] },
    ];
    const edge = new EdgeAdmission([front, store], routes);
    const [order, search] = letIn(edge, [200, 300]);
    // 500 calls to the store: 200 orders, and 100 searches of 3 calls each.
    expect(order).toBeGreaterThan(0.97 * 200);
    expect(search).toBeGreaterThan(0.9 * 100);
    expect(order! + 3 * search!).toBeLessThan(1.02 * 500);
  });

  it('does not turn all away for a service that a few of them call, and takes back up at once when it is there again', () => {
    const edge = new EdgeAdmission([front, store], [{ value: 1, visits: [1, 0.1] }]);
    edge.measured(1, 0, 20);
    expect(letIn(edge, [400])[0]).toBeGreaterThan(0.99 * 399);
    edge.measured(1, 10, 20);
    const before = edge.price(0, 60_000);
    expect(edge.price(0, 60_300)).toBeLessThan(Math.max(before, 1e-9));
    expect(edge.price(0, 60_300)).toBeCloseTo(0, 6);
  });

  it('follows what is seen: half the workers, or twice the work, is half of the rate', () => {
    for (const [workers, workMs] of [
      [5, 20],
      [10, 40],
    ] as const) {
      const edge = new EdgeAdmission([front, store], [{ value: 1, visits: [1, 1] }]);
      edge.measured(1, workers, workMs);
      expect(letIn(edge, [1000])[0]! / 250).toBeCloseTo(1, 1);
    }
  });

  it('the price rises with what was let in, and falls with time', () => {
    const edge = new EdgeAdmission([front, store], [{ value: 1, visits: [1, 1] }]);
    for (let n = 0; n < 40; n++) edge.admits(0, 0);
    const price = edge.price(0, 0);
    expect(price).toBeGreaterThan(0.2);
    expect(edge.price(0, 50)).toBeLessThan(price);
    expect(edge.price(0, 1000)).toBe(0);
  });
});
