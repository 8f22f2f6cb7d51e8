import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { MAX_UTILISATION, instancesFor, perInstanceRps } from './capacity.js';
import type { CapacityInput } from './capacity.js';
import { erlangC, sojournTail } from './queue.js';

/** mulberry32: small, seeded, good enough for a queue. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Simulation {
  instances: number;
  concurrency: number;
  serviceTimeMs: number;
  demandRps: number;
  requests: number;
  /** Picks an instance given the number of requests at each. */
  balance: 'random' | 'two-choices';
}

/** p99 of the time in the system, over first-come-first-served instances with exponential service, in ms. */
function simulateP99(input: Simulation): number {
  const random = seeded(7);
  const exponential = (mean: number): number => -mean * Math.log(1 - random());
  const free = Array.from({ length: input.instances }, () => new Array<number>(input.concurrency).fill(0));
  const leaving = Array.from({ length: input.instances }, (): number[] => []);
  const times: number[] = [];
  let now = 0;
  for (let i = 0; i < input.requests; i++) {
    now += exponential(1000 / input.demandRps);
    for (const list of leaving) while ((list[0] ?? Infinity) <= now) list.shift();
    const pick = (): number => Math.floor(random() * input.instances);
    let chosen = pick();
    if (input.balance === 'two-choices') {
      const other = pick();
      if ((leaving[other]?.length ?? 0) < (leaving[chosen]?.length ?? 0)) chosen = other;
    }
    const workers = free[chosen] ?? [];
    const worker = workers.indexOf(Math.min(...workers));
    const end = Math.max(now, workers[worker] ?? 0) + exponential(input.serviceTimeMs);
    workers[worker] = end;
    const list = leaving[chosen] ?? [];
    list.push(end);
    list.sort((a, b) => a - b);
    if (i > input.requests / 10) times.push(end - now);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)] ?? 0;
}

describe('queue formulas', () => {
  it('agree with the published table of Erlang C', () => {
    expect(erlangC(1, 0.5)).toBeCloseTo(0.5, 10);
    expect(erlangC(2, 1)).toBeCloseTo(1 / 3, 10);
    expect(erlangC(14, 10)).toBeCloseTo(0.1741, 3);
    expect(erlangC(5, 5)).toBe(1);
  });

  it('give for one server the exponential sojourn time that M/M/1 has', () => {
    const tail = sojournTail(50, { arrivalRps: 60, concurrency: 1, fixedMs: 0, exponentialMs: 10 });
    expect(tail).toBeCloseTo(Math.exp(-(0.1 - 0.06) * 50), 10);
  });
});

const input = fc.record({
  concurrency: fc.integer({ min: 1, max: 32 }),
  serviceTimeMs: fc.double({ min: 1, max: 500, noNaN: true }),
  ratio: fc.double({ min: 1.05, max: 50, noNaN: true }),
});
const spec = ({
  concurrency,
  serviceTimeMs,
  ratio,
}: {
  concurrency: number;
  serviceTimeMs: number;
  ratio: number;
}): CapacityInput => ({
  concurrency,
  serviceTimeMs,
  sloP99Ms: ratio * serviceTimeMs,
});

describe('perInstanceRps', () => {
  it('keeps the p99 in a simulation of the instances, by random choice and by the better of two', () => {
    for (const capacity of [
      { concurrency: 1, serviceTimeMs: 10, sloP99Ms: 100 },
      { concurrency: 4, serviceTimeMs: 20, sloP99Ms: 150 },
      { concurrency: 8, serviceTimeMs: 20, sloP99Ms: 120 },
    ]) {
      const { rps } = perInstanceRps(capacity);
      const load = { instances: 5, ...capacity, demandRps: 5 * rps, requests: 60_000 };
      const p99Ms = simulateP99({ ...load, balance: 'random' });
      expect(p99Ms).toBeLessThan(capacity.sloP99Ms * 1.05);
      expect(simulateP99({ ...load, balance: 'two-choices' })).toBeLessThan(p99Ms);
    }
  });

  it('does not give capacity away: a little above the bound by the SLO, the p99 is missed', () => {
    const capacity = { concurrency: 1, serviceTimeMs: 10, sloP99Ms: 100 };
    const { rps, binding } = perInstanceRps(capacity);
    expect(binding).toBe('slo');
    // M/M/1: the p99 is ln 100 ÷ (µ − λ), so the exact rate is 100 − 46.05 rps.
    expect(rps).toBeCloseTo(100 - Math.log(100) * 10, 3);
    const p99Ms = simulateP99({
      instances: 5,
      ...capacity,
      demandRps: 5 * rps * 1.2,
      requests: 60_000,
      balance: 'random',
    });
    expect(p99Ms).toBeGreaterThan(100);
  });

  it('never exceeds the utilisation cap, and takes no less when the SLO is looser or workers are more', () => {
    fc.assert(
      fc.property(input, fc.double({ min: 1, max: 2, noNaN: true }), (given, looser) => {
        const capacity = spec(given);
        const { rps } = perInstanceRps(capacity);
        const utilisation = (rps * capacity.serviceTimeMs) / 1000 / capacity.concurrency;
        expect(utilisation).toBeLessThanOrEqual(MAX_UTILISATION + 1e-9);
        const relaxed = perInstanceRps({ ...capacity, sloP99Ms: capacity.sloP99Ms * looser });
        expect(relaxed.rps).toBeGreaterThanOrEqual(rps * (1 - 1e-9));
        const wider = perInstanceRps({ ...capacity, concurrency: capacity.concurrency + 1 });
        expect(wider.rps).toBeGreaterThanOrEqual(rps * (1 - 1e-9));
      }),
    );
  });

  it('is nothing when the SLO is not above the mean service time', () => {
    expect(perInstanceRps({ concurrency: 4, serviceTimeMs: 100, sloP99Ms: 100 })).toEqual({ rps: 0, binding: 'slo' });
  });
});

describe('instancesFor', () => {
  it('never gives fewer instances for more demand, and always enough unless the endpoints end', () => {
    fc.assert(
      fc.property(
        input,
        fc.double({ min: 0, max: 1e5, noNaN: true }),
        fc.double({ min: 0, max: 1e4, noNaN: true }),
        (given, demandRps, more) => {
          const perInstance = perInstanceRps(spec(given));
          const base = { perInstance, minInstances: 2, maxInstances: 50 };
          const less = instancesFor({ ...base, demandRps });
          const greater = instancesFor({ ...base, demandRps: demandRps + more });
          expect(greater.count).toBeGreaterThanOrEqual(less.count);
          expect(less.count * perInstance.rps + less.shortfallRps).toBeGreaterThanOrEqual(demandRps * (1 - 1e-6));
          if (less.count > 2) expect((less.count - 1) * perInstance.rps).toBeLessThan(demandRps);
        },
      ),
    );
  });

  it('names what binds', () => {
    const perInstance = { rps: 100, binding: 'utilisation' as const };
    const base = { perInstance, minInstances: 2, maxInstances: 5 };
    expect(instancesFor({ ...base, demandRps: 400 })).toEqual({ count: 4, binding: 'utilisation', shortfallRps: 0 });
    expect(instancesFor({ ...base, demandRps: 50 })).toEqual({ count: 2, binding: 'minInstances', shortfallRps: 0 });
    expect(instancesFor({ ...base, demandRps: 620 })).toEqual({ count: 5, binding: 'endpoints', shortfallRps: 120 });
    expect(instancesFor({ ...base, demandRps: 0, minInstances: 9 })).toMatchObject({ count: 5 });
  });
});
