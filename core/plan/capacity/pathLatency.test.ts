import { describe, expect, it } from '@jest/globals';
import { pathLatency, tableAt } from './pathLatency.js';
import type { QuantileTable } from './pathLatency.js';
import { sojournTable } from './sojournTable.js';

function exponential(meanMs: number): QuantileTable {
  const levels = Array.from({ length: 100 }, (_, i) => (i + 0.5) / 100).concat(0.999);
  return { levels, timesMs: levels.map((level) => -meanMs * Math.log(1 - level)) };
}

const constant = (ms: number): QuantileTable => ({ levels: [1e-9, 1], timesMs: [ms, ms] });
const sojourns = new Map(['a', 'b', 'c', 'd'].map((name) => [name, exponential(10)]));

describe('pathLatency', () => {
  it('is far below the sum of the p99', () => {
    const calls = { a: { b: 1 }, b: { c: 1 }, c: { d: 1 } };
    const { p99Ms } = pathLatency({ entry: 'a', calls, sojourns, samples: 20_000 }, 1);
    // Erlang of four stages: p99 is 100.5 ms; the sum of four p99 would be 184 ms.
    expect(p99Ms).toBeGreaterThan(96);
    expect(p99Ms).toBeLessThan(105);
  });

  it('takes the slowest of parallel calls and the sum of serial ones', () => {
    const times = new Map([
      ['a', constant(1)],
      ['b', constant(10)],
      ['c', constant(20)],
    ]);
    const input = { entry: 'a', calls: { a: { b: 2, c: 1 } }, sojourns: times };
    expect(pathLatency(input, 1).p50Ms).toBeCloseTo(41, 6);
    expect(pathLatency({ ...input, order: { a: 'parallel' } }, 1).p50Ms).toBeCloseTo(21, 6);
    expect(pathLatency({ ...input, networkMs: 3 }, 1).p50Ms).toBeCloseTo(50, 6);
  });

  it('makes a call of 0.3 a request three times in ten', () => {
    const times = new Map([
      ['a', constant(1)],
      ['b', constant(100)],
    ]);
    const found = pathLatency({ entry: 'a', calls: { a: { b: 0.3 } }, sojourns: times }, 1);
    expect([found.p50Ms, found.p99Ms].map(Math.round)).toEqual([1, 101]);
  });

  it('cuts calls that would not end and says so', () => {
    const found = pathLatency({ entry: 'a', calls: { a: { b: 1 }, b: { a: 1 } }, sojourns, samples: 20 }, 1);
    expect(found.cut).toBe(20);
    expect(Number.isFinite(found.p99Ms)).toBe(true);
  });

  it('does not depend on the order of the input', () => {
    const one = pathLatency({ entry: 'a', calls: { a: { b: 1.5, c: 0.5 }, b: { d: 2 } }, sojourns }, 7);
    const turned = new Map([...sojourns].reverse());
    expect(pathLatency({ entry: 'a', calls: { b: { d: 2 }, a: { c: 0.5, b: 1.5 } }, sojourns: turned }, 7)).toEqual(
      one,
    );
  });

  it('is nothing for a service that nobody knows', () => {
    expect(pathLatency({ entry: 'x', calls: {}, sojourns }, 1)).toEqual({ p50Ms: 0, p99Ms: 0, cut: 0 });
  });
});

describe('tableAt', () => {
  it('goes on exponentially beyond its last level', () => {
    const table = exponential(10);
    expect(tableAt(table, 0.9999)).toBeCloseTo(10 * Math.log(10_000), 0);
    expect(tableAt(table, 0)).toBe(0);
  });
});

describe('sojournTable', () => {
  const queues = {
    policy: 'RANDOM',
    clientProxies: 1,
    concurrency: 1,
    serviceTimeMs: 10,
    serviceTimeCv: 1,
    sloP99Ms: 500,
  } as const;

  it('is exponential for M/M/1 under a random split', () => {
    const table = sojournTable(queues, 20, 1400);
    const p50 = table?.timesMs[table.levels.indexOf(0.5)] ?? 0;
    // 10 ms ÷ (1 − 0.7) × ln 2
    expect(Math.abs(p50 / 23.1 - 1)).toBeLessThan(0.1);
  });

  it('is not there for an overloaded service', () => {
    expect(sojournTable(queues, 20, 2001)).toBeUndefined();
  });
});
