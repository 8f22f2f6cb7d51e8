import { describe, expect, it } from '@jest/globals';
import { chance, generateProblem } from '../../../bench/routing/generate.js';
import { peerFlows } from '../../../bench/routing/peers.js';
import { compileNetwork } from './network.js';
import { priceFlow, emptyPrices } from './prices.js';
import type { RoutingProblem } from './problem.js';
import { evaluateRouting, flowFrom, solveRouting } from './solve.js';

/** One service in two regions, `rps` in the first and a tenth of it in the second; room for 100 rps in each. */
function twoRegions(rps: number, change: Partial<RoutingProblem> = {}): RoutingProblem {
  const site = { instances: 4, concurrency: 4, capacityRps: 100 };
  return {
    regions: ['a', 'b'],
    services: [{ name: 'shop', serviceTimeMs: 100, sites: [site, site] }],
    calls: [],
    entries: [{ service: 0, rps: [rps, rps / 10], valuePerRequest: 1 }],
    latencyMs: [
      [0, 40],
      [40, 0],
    ],
    egressPerGb: [
      [0, 0],
      [0, 0],
    ],
    costPerSecond: 0.01,
    ...change,
  };
}

describe('two regions, one service', () => {
  it('keeps all local while waiting elsewhere saves less than the way there costs', () => {
    const solution = solveRouting(twoRegions(60));
    expect([...solution.weights]).toEqual([1, 0, 0, 1]);
    expect([...solution.admitted]).toEqual([1, 1]);
  });

  it('fills the full site to its edge and sends the rest next door', () => {
    const solution = solveRouting(twoRegions(150), { gapTarget: 1e-4, maxIterations: 500 });
    expect(solution.load[0]).toBeGreaterThan(97);
    expect(solution.load[0]).toBeLessThan(101);
    expect(solution.load[0]! + solution.load[1]!).toBeCloseTo(165, 6);
    expect(solution.components.shed).toBe(0);
    // Of two sites that both get requests of one row, the marginal costs are equal: 0.01 × 0.08 s is the way.
    expect(solution.sitePrice[0]! - solution.sitePrice[1]!).toBeCloseTo(0.0008, 4);
    expect(solution.capacityPrice[0]).toBeGreaterThan(0);
    expect(solution.capacityPrice[1]).toBe(0);
  });

  it('has the optimum of a line search over the one weight that matters', () => {
    const problem = twoRegions(150);
    const solution = solveRouting(problem, { gapTarget: 1e-5, maxIterations: 1000 });
    let best = Infinity;
    for (let local = 0.6; local <= 0.7; local += 1e-5) {
      best = Math.min(best, evaluateRouting(problem, Float64Array.of(local, 1 - local, 0, 1)).objective);
    }
    expect(solution.objective / best).toBeLessThan(1.0002);
    expect(solution.lowerBound).toBeLessThanOrEqual(best * (1 + 1e-12));
  });

  it('leaves the weights of regions that are not ours alone', () => {
    const solution = solveRouting(twoRegions(150, { fixed: [0] }));
    expect([...solution.weights]).toEqual([1, 0, 0, 1]);
    expect([...solution.admitted]).toEqual([1, 1]);
  });

  it('pays for egress only where waiting is dearer', () => {
    const dear = [
      [0, 50],
      [50, 0],
    ];
    const change = { egressPerGb: dear, costPerSecond: 0.01 };
    const light = twoRegions(95, change);
    const heavy = { ...light, services: [{ ...light.services[0]!, requestBytes: 1e6, responseBytes: 1e6 }] };
    expect(solveRouting(heavy).components.egress).toBe(0);
  });
});

describe('not everything can be served', () => {
  const site = { instances: 4, concurrency: 4, capacityRps: 100 };
  const problem: RoutingProblem = {
    ...twoRegions(0),
    services: [
      {
        name: 'gold',
        serviceTimeMs: 1,
        sites: [
          { ...site, capacityRps: 1000 },
          { ...site, capacityRps: 1000 },
        ],
      },
      {
        name: 'tin',
        serviceTimeMs: 1,
        sites: [
          { ...site, capacityRps: 1000 },
          { ...site, capacityRps: 1000 },
        ],
      },
      { name: 'shared', serviceTimeMs: 100, sites: [site, site] },
    ],
    calls: [
      { caller: 0, callee: 2, callsPerRequest: 1 },
      { caller: 1, callee: 2, callsPerRequest: 1 },
    ],
    entries: [
      { service: 0, rps: [120, 40], valuePerRequest: 5 },
      { service: 1, rps: [60, 60], valuePerRequest: 1 },
    ],
  };

  it('refuses what is worth least, and just as much as does not fit', () => {
    const solution = solveRouting(problem, { gapTarget: 1e-3, maxIterations: 1000 });
    expect(solution.admitted[0]).toBeGreaterThan(0.999);
    expect(solution.admitted[1]).toBeGreaterThan(0.999);
    const served = 60 * solution.admitted[2]! + 60 * solution.admitted[3]!;
    expect(served).toBeGreaterThan(38);
    expect(served).toBeLessThan(45);
    expect(solution.gap).toBeLessThan(0.02);
  });

  it('prices the full service at the value of what it refuses', () => {
    const solution = solveRouting(problem, { gapTarget: 1e-3, maxIterations: 1000 });
    expect(solution.requestPrice[1 * 2]).toBeGreaterThan(0.9);
    expect(solution.requestPrice[1 * 2]).toBeLessThan(1.1);
  });

  it('refuses all where a route needs a service that is nowhere', () => {
    const services = problem.services.map((s) => (s.name === 'shared' ? { ...s, sites: [null, null] } : s));
    const solution = solveRouting({ ...problem, services }, { maxIterations: 1000 });
    expect(Math.max(...solution.admitted)).toBeLessThan(0.01);
  });
});

describe('circles of calls', () => {
  it('counts what goes round', () => {
    const site = { instances: 10, concurrency: 10, capacityRps: 1000 };
    const problem: RoutingProblem = {
      ...twoRegions(0),
      services: [
        { name: 'one', serviceTimeMs: 10, sites: [site, site] },
        { name: 'two', serviceTimeMs: 10, sites: [site, site] },
      ],
      calls: [
        { caller: 0, callee: 1, callsPerRequest: 1 },
        { caller: 1, callee: 0, callsPerRequest: 0.5 },
      ],
      entries: [{ service: 0, rps: [100, 0], valuePerRequest: 1 }],
    };
    const solution = solveRouting(problem);
    // 100 ÷ (1 − 0.5) at both.
    expect(solution.load[0]! + solution.load[1]!).toBeCloseTo(200, 6);
    expect(solution.load[2]! + solution.load[3]!).toBeCloseTo(200, 6);
    expect(solution.gap).toBeLessThan(0.01);
  });
});

const SEEDS = Array.from({ length: 30 }, (_, k) => 1000 + k);

function small(seed: number): RoutingProblem {
  const random = chance(seed);
  return generateProblem({
    seed,
    services: 4 + Math.floor(12 * random()),
    regions: 2 + Math.floor(4 * random()),
    cycles: seed % 5 === 0,
    ...(seed % 7 === 0 && { headroom: 0.85 }),
  });
}

describe('generated problems', () => {
  it.each(SEEDS)('seed %d: shares of 1, nothing where nothing is, never dearer than a peer', (seed) => {
    const problem = small(seed);
    const R = problem.regions.length;
    const solution = solveRouting(problem, { maxIterations: 60 });
    problem.services.forEach(({ sites }, s) => {
      for (let i = 0; i < R; i++) {
        const row = [...solution.weights.subarray((s * R + i) * R, (s * R + i + 1) * R)];
        expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
        row.forEach((share, j) => expect(share === 0 || (sites[j]?.capacityRps ?? 0) > 0).toBe(true));
      }
    });
    expect(evaluateRouting(problem, solution.weights, solution.admitted).objective).toBeCloseTo(solution.objective, 8);
    for (const peer of Object.values(peerFlows(compileNetwork(problem)))) {
      expect(solution.objective).toBeLessThanOrEqual(peer.objective * (1 + 1e-9));
    }
    expect(solution.lowerBound).toBeLessThanOrEqual(solution.objective);
  });

  it('is the same to the last bit when asked again', () => {
    const [a, b] = [solveRouting(small(1003)), solveRouting(small(1003))];
    expect([...a.weights]).toEqual([...b.weights]);
    expect(a.objective).toBe(b.objective);
  });

  it('comes to the same cost from a warm start, within the gaps', () => {
    for (const seed of SEEDS.slice(0, 8)) {
      const problem = small(seed);
      const cold = solveRouting(problem, { gapTarget: 0.005, maxIterations: 400 });
      const other = { ...problem, entries: problem.entries.map((e) => ({ ...e, rps: e.rps.map((rps) => rps * 0.9) })) };
      const warm = solveRouting(problem, { warm: solveRouting(other), gapTarget: 0.005, maxIterations: 400 });
      expect(Math.abs(warm.objective / cold.objective - 1)).toBeLessThan(Math.max(0.006, cold.gap, warm.gap));
    }
  });

  it('never lowers a price when demand grows and routing stays', () => {
    for (const seed of SEEDS.slice(0, 8)) {
      const problem = small(seed);
      const network = compileNetwork(problem);
      const { weights, admitted } = solveRouting(problem);
      const flow = flowFrom(network, weights, admitted);
      const before = emptyPrices(network);
      priceFlow(network, flow, before);
      const more = flowFrom(
        network,
        weights,
        admitted.map((share) => share * 1.1),
      );
      const after = emptyPrices(network);
      priceFlow(network, more, after);
      after.requestPrice.forEach((price, row) => {
        expect(price).toBeGreaterThanOrEqual(before.requestPrice[row]! * (1 - 1e-12));
      });
    }
  });
});

describe('order of input', () => {
  it('changes the cost of given weights by nothing, and of the solution by no more than the gaps', () => {
    for (const seed of SEEDS.slice(0, 8)) {
      const problem = small(seed);
      const [S, R] = [problem.services.length, problem.regions.length];
      const service = [...Array(S).keys()].reverse();
      const region = [...Array(R).keys()].reverse();
      const turned = reorder(problem, service, region);
      const [a, b] = [solveRouting(problem), solveRouting(turned)];
      const weights = new Float64Array(S * R * R);
      service.forEach((s, k) =>
        region.forEach((i, m) =>
          region.forEach((j, n) => (weights[(k * R + m) * R + n] = a.weights[(s * R + i) * R + j]!)),
        ),
      );
      const admitted = Float64Array.from(problem.entries.flatMap((_, e) => region.map((i) => a.admitted[e * R + i]!)));
      expect(evaluateRouting(turned, weights, admitted).objective / a.objective).toBeCloseTo(1, 9);
      expect(Math.abs(b.objective / a.objective - 1)).toBeLessThan(Math.max(a.gap, b.gap));
      expect(a.lowerBound).toBeLessThanOrEqual(b.objective * (1 + 1e-9));
    }
  });
});

function reorder(problem: RoutingProblem, service: readonly number[], region: readonly number[]): RoutingProblem {
  const matrix = (m: readonly (readonly number[])[]): number[][] => region.map((i) => region.map((j) => m[i]![j]!));
  return {
    ...problem,
    regions: region.map((i) => problem.regions[i]!),
    services: service.map((s) => ({
      ...problem.services[s]!,
      sites: region.map((i) => problem.services[s]!.sites[i]!),
    })),
    calls: problem.calls.map((call) => ({
      ...call,
      caller: service.indexOf(call.caller),
      callee: service.indexOf(call.callee),
    })),
    entries: problem.entries.map((entry) => ({
      ...entry,
      service: service.indexOf(entry.service),
      rps: region.map((i) => entry.rps[i]!),
    })),
    latencyMs: matrix(problem.latencyMs),
    egressPerGb: matrix(problem.egressPerGb),
  };
}
