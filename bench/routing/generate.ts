import type {
  RoutedCall,
  RoutedEntry,
  RoutedService,
  RoutedSite,
  RoutingProblem,
} from '../../core/plan/routing/problem.js';

export interface GenerateInput {
  services: number;
  regions: number;
  seed: number;
  /** Of all services' capacity over demand; below 1 not everything can be served. Absent: drawn from 1.15–2. */
  headroom?: number;
  /** Calls back up the graph, so that circles appear. */
  cycles?: boolean;
  /** Factor on all demand, with the capacity as it is. */
  demandFactor?: number;
}

/** Uniform in [0, 1) from a seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A layered graph with fan-out and shared services over regions on a plane. Some services miss in some regions, some
 * regions are hotter than their capacity was meant for, and the prices of waiting and of egress span what clouds ask.
 */
export function generateProblem(input: GenerateInput): RoutingProblem {
  const random = chance(input.seed);
  const between = (low: number, high: number): number => low * (high / low) ** random();
  const { services: S, regions: R } = input;
  const places = Array.from({ length: R }, () => [random(), random()] as const);
  const latencyMs = places.map(([x, y], i) =>
    places.map(([u, v], j) => (i === j ? 0.25 : 2 + 110 * Math.hypot(x - u, y - v))),
  );
  const egress = places.map(() => between(0.01, 0.12));
  const egressPerGb = places.map((_, i) => places.map((__, j) => (i === j ? 0 : (egress[i] ?? 0))));
  const entryCount = Math.max(1, Math.round(S / 20));
  const calls = drawCalls(S, entryCount, input.cycles ?? false, random);
  const usual = places.map(() => between(0.3, 3));
  const entries: RoutedEntry[] = Array.from({ length: entryCount }, (_, service) => {
    const base = between(20, 2000) * (input.demandFactor ?? 1);
    return {
      service,
      rps: usual.map((share) => (random() < 0.1 ? 0 : base * share * between(0.5, 2) * (random() < 0.15 ? 2.5 : 1))),
      // Set below, once it is known what a request sets off.
      valuePerRequest: 0,
    };
  });
  const demand = totalDemand(S, calls, entries).map((rps) => rps / (input.demandFactor ?? 1));
  const headroom = input.headroom ?? between(1.15, 2);
  const services: RoutedService[] = Array.from({ length: S }, (_, s) => {
    const service = { serviceTimeMs: between(1, 60), concurrency: Math.round(between(1, 16)) };
    return {
      name: `service${s}`,
      serviceTimeMs: service.serviceTimeMs,
      requestBytes: between(300, 30_000),
      responseBytes: between(500, 300_000),
      sites: drawSites({ ...service, total: headroom * Math.max(demand[s] ?? 0, 1), usual, random, between }),
    };
  });
  const costPerSecond = between(1e-5, 1e-3);
  const seconds = secondsBelow(services, calls);
  return {
    regions: places.map((_, r) => `region${r}`),
    services,
    calls,
    entries: entries.map((entry) => ({
      ...entry,
      valuePerRequest: costPerSecond * (seconds[entry.service] ?? 0) * between(3, 60),
    })),
    latencyMs,
    egressPerGb,
    costPerSecond,
  };
}

/** Service time of a request and all calls below it, with some way to go for each; calls back up are left out. */
function secondsBelow(services: readonly RoutedService[], calls: readonly RoutedCall[]): number[] {
  const seconds = services.map(({ serviceTimeMs }) => (serviceTimeMs + 20) / 1000);
  const byCaller = [...calls].filter(({ caller, callee }) => caller < callee).sort((a, b) => b.caller - a.caller);
  for (const { caller, callee, callsPerRequest } of byCaller) {
    seconds[caller] = (seconds[caller] ?? 0) + callsPerRequest * (seconds[callee] ?? 0);
  }
  return seconds;
}

function drawCalls(S: number, entryCount: number, cycles: boolean, random: () => number): RoutedCall[] {
  const calls: RoutedCall[] = [];
  for (let callee = entryCount; callee < S; callee++) {
    const callers = 1 + Math.floor(random() * random() * 4);
    for (let k = 0; k < callers; k++) {
      // Later services hang under recent ones, so that paths get deep; some are shared widely.
      const reach = random() < 0.7 ? Math.min(callee, 4 * entryCount + 8) : callee;
      const caller = callee - 1 - Math.floor(random() * reach);
      calls.push({ caller, callee, callsPerRequest: random() < 0.8 ? 0.2 + 0.8 * random() : 1 + 2 * random() });
    }
  }
  if (!cycles) return calls;
  const back = calls.filter(() => random() < 0.1).map(({ caller, callee }) => [callee, caller] as const);
  return [...calls, ...back.map(([caller, callee]) => ({ caller, callee, callsPerRequest: 0.02 + 0.08 * random() }))];
}

/** Over all regions; what goes round a circle is counted until little is left. */
function totalDemand(S: number, calls: readonly RoutedCall[], entries: readonly RoutedEntry[]): number[] {
  const total = new Array<number>(S).fill(0);
  let arriving = new Array<number>(S).fill(0);
  for (const { service, rps } of entries) arriving[service] = (arriving[service] ?? 0) + rps.reduce((a, b) => a + b, 0);
  for (let round = 0; round < S + 50; round++) {
    arriving.forEach((rps, s) => (total[s] = (total[s] ?? 0) + rps));
    const next = new Array<number>(S).fill(0);
    for (const { caller, callee, callsPerRequest } of calls) {
      next[callee] = (next[callee] ?? 0) + (arriving[caller] ?? 0) * callsPerRequest;
    }
    if (next.every((rps) => rps < 1e-9)) break;
    arriving = next;
  }
  return total;
}

interface SitesInput {
  serviceTimeMs: number;
  concurrency: number;
  total: number;
  usual: readonly number[];
  random: () => number;
  between: (low: number, high: number) => number;
}

function drawSites({ serviceTimeMs, concurrency, total, usual, random, between }: SitesInput): (RoutedSite | null)[] {
  const present = usual.map(() => random() >= 0.15);
  if (!present.includes(true)) present[Math.floor(random() * present.length)] = true;
  const shares = usual.map((share, j) => (present[j] ? share * between(0.6, 1.7) : 0));
  const sum = shares.reduce((a, b) => a + b, 0);
  const utilisation = 0.6 + 0.2 * random();
  return shares.map((share) => {
    if (share === 0) return null;
    const capacityRps = (total * share) / sum;
    const instances = Math.max(1, Math.ceil((capacityRps * serviceTimeMs) / (1000 * concurrency * utilisation)));
    return { instances, concurrency, capacityRps };
  });
}
