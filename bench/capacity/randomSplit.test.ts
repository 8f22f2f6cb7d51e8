import { describe, expect, it } from '@jest/globals';
import { simulateQueues } from '../../core/plan/capacity/queueSimulation.js';
import { randomSplitRps } from './randomSplit.js';

describe('randomSplitRps', () => {
  it('is exact for M/M/1: the p99 is ln 100 ÷ (µ − λ)', () => {
    const rps = randomSplitRps({ concurrency: 1, serviceTimeMs: 10, sloP99Ms: 100 });
    expect(rps).toBeCloseTo(100 - Math.log(100) * 10, 3);
  });

  it.each([
    [4, 20, 150],
    [8, 20, 120],
  ])(
    'holds the SLO of %d workers in the simulation of a random split, and not by much',
    (concurrency, serviceTimeMs, slo) => {
      const rps = randomSplitRps({ concurrency, serviceTimeMs, sloP99Ms: slo });
      const p99At = (load: number): number => {
        const utilisation = (load * rps * serviceTimeMs) / (1000 * concurrency);
        const setting = { policy: 'RANDOM', instances: 5, proxies: 1, serviceTimeCv: 1, arrivalCv2: 1 } as const;
        return serviceTimeMs * simulateQueues({ ...setting, concurrency, utilisation, requests: 100_000, seed: 7 }).p99;
      };
      expect(p99At(1)).toBeLessThan(slo * 1.05);
      expect(p99At(1.2)).toBeGreaterThan(slo);
    },
  );

  it('is nothing when the SLO is not above the mean service time', () => {
    expect(randomSplitRps({ concurrency: 4, serviceTimeMs: 100, sloP99Ms: 100 })).toBe(0);
  });
});
