import { describe, expect, it } from '@jest/globals';
import { neighbourSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { compareLatencies, latencyProblems, withMeasuredLatencies } from './networkLatencyComparison.js';
import type { LatencyRound } from './networkLatencyComparison.js';

const region = shopRegion({
  neighbours: [
    neighbourSpec({ name: 'near', networkLatencyMs: 5.0625 }),
    neighbourSpec({ name: 'far', networkLatencyMs: 20 }),
  ],
});

function rounds(neighbour: string, oneWayMs: readonly number[]): LatencyRound[] {
  return oneWayMs.map((ms, at) => ({ neighbour, at, rttP50Ms: 2 * ms }));
}

const FAR = [33, 34, 28, 36, 34, 41, 35, 34];

describe('compareLatencies', () => {
  it('tells where the stated latency is contradicted, with both numbers', () => {
    const found = compareLatencies(region, [...rounds('near', [5, 5, 6, 5, 5, 4]), ...rounds('far', FAR)]);
    expect(found.map(({ neighbour, verdict, measuredMs }) => [neighbour, verdict, measuredMs])).toEqual([
      ['near', 'agrees', 5],
      ['far', 'differs', 34],
    ]);
    expect(latencyProblems(region, found)).toEqual([
      {
        code: 'latency-contradicted',
        field: 'neighbours[1].networkLatencyMs',
        message:
          'network latency to far: 20 ms stated, 34 ms measured (28–41, 8 times), one way; ' +
          'weights, failover and time-outs of the plan rest on it',
        fix: 'state 34, or set planning.networkLatency to "measured"',
      },
    ]);
    const measured = withMeasuredLatencies(region, found);
    expect(measured.neighbours.map(({ networkLatencyMs }) => networkLatencyMs)).toEqual([5.0625, 34]);
    expect({ ...measured, neighbours: [] }).toEqual({ ...region, neighbours: [] });
  });

  it('knows nothing from fewer than six rounds, and changes nothing then', () => {
    const found = compareLatencies(region, rounds('far', FAR.slice(0, 5)));
    expect(found.map(({ verdict, measuredMs }) => [verdict, measuredMs])).toEqual([
      ['unknown', null],
      ['unknown', null],
    ]);
    expect(found[1]?.reason).toBe('20 ms stated; 5 measurements, of 6 that it takes');
    expect(latencyProblems(region, found)).toEqual([]);
    expect(withMeasuredLatencies(region, found)).toBe(region);
  });

  it('keeps what is stated where the measured encloses it, or is hardly another', () => {
    const wide = compareLatencies(region, rounds('far', [10, 60, 70, 80, 90, 19]));
    expect(wide[1]?.verdict).toBe('agrees');
    const close = compareLatencies(region, rounds('near', [6, 6, 6, 6, 6, 6, 6]));
    expect(close[0]).toMatchObject({ verdict: 'agrees', measuredMs: 6 });
    expect(compareLatencies(region, rounds('near', [6.5, 6.5, 6.5, 6.5, 6.5, 6.5]))[0]?.verdict).toBe('differs');
    expect(withMeasuredLatencies(region, [...wide, ...close])).toBe(region);
  });
});
