import highsLoader from 'highs';
import type { Network } from '../../core/plan/routing/network.js';
import { evaluateCurve } from '../../core/plan/routing/queueCurve.js';
import { routedFlow } from '../../core/plan/routing/flow.js';
import { flowFrom } from '../../core/plan/routing/solve.js';

/** Its types are written for CommonJS, where the loader is `default`; as a module it is the import itself. */
const loadHighs = highsLoader as unknown as typeof highsLoader.default;

export interface Checked {
  /** Value of the linear programme: tangents lie below the curves, so no flow costs less. */
  bound: number;
  /** What the programme's own flow costs by the true curves. */
  cost: number;
  rounds: number;
  ms: number;
}

/** Tangents at these fractions of the capacity, and inside the band above it. */
const BELOW = [0, 0.35, 0.6, 0.8, 0.92, 1];
const ABOVE = [0.02, 0.06, 0.15, 0.35, 0.7, 1, 20];
const BAND = 0.02;
const MOST_ROUNDS = 5;
const NEAR = 0.002;

/**
 * The same problem as a linear programme, by HiGHS: flows by arc, queues as tangents from below. Tangents are added at
 * the solution (Kelley's cutting planes) until its true cost is within 0.2 % of the programme's value. Undefined where
 * HiGHS gives no optimum, or one that does not satisfy the programme.
 */
export async function checkByHighs(network: Network, scale: number): Promise<Checked | undefined> {
  const begun = process.cpuUsage();
  const cuts = new Map<number, number[]>();
  network.curves.forEach((curve, site) => {
    if (curve === null) return;
    const { capacityRps } = curve;
    cuts.set(site, [...BELOW.map((u) => u * capacityRps), ...ABOVE.map((u) => capacityRps * (1 + BAND * u))]);
  });
  let checked: Omit<Checked, 'ms'> | undefined;
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const solved = await solveOnce(network, cuts, scale);
    if (solved === undefined) break;
    const flow = flowFrom(network, solved.weights, solved.admitted);
    const cost = Math.min(routedFlow(network, flow).objective, checked?.cost ?? Infinity);
    checked = { bound: Math.max(solved.value, checked?.bound ?? -Infinity), cost, rounds: round };
    if (cost - checked.bound <= NEAR * cost) break;
    for (const [site, points] of cuts) points.push(solved.load[site]!, flow.load[site]!);
  }
  const used = process.cpuUsage(begun);
  return checked && { ...checked, ms: (used.user + used.system) / 1000 };
}

interface Solved {
  value: number;
  weights: Float64Array;
  admitted: Float64Array;
  load: Float64Array;
}

async function solveOnce(network: Network, cuts: Map<number, number[]>, scale: number): Promise<Solved | undefined> {
  // A fresh instance each time: an instance that has solved a few hundred programmes fails.
  const highs = await loadHighs();
  const { text, constant } = programme(network, cuts, scale);
  const result = highs.solve(text);
  if (result.Status !== 'Optimal') return undefined;
  const value = (name: string): number => result.Columns[name]?.Primal ?? 0;
  const { S, R, entryRps } = network;
  const weights = new Float64Array(S * R * R);
  const load = new Float64Array(S * R);
  for (let row = 0; row < S * R; row++) {
    let sum = 0;
    for (let j = 0; j < R; j++) sum += weights[row * R + j] = Math.max(0, value(`x${row * R + j}`));
    for (let j = 0; j < R; j++) load[Math.floor(row / R) * R + j]! += weights[row * R + j]!;
    if (sum > 1e-9) for (let j = 0; j < R; j++) weights[row * R + j]! /= sum;
    else for (let j = 0; j < R; j++) weights[row * R + j] = 0;
  }
  const admitted = entryRps.map((rps, k) => (rps > 0 ? Math.min(1, Math.max(0, value(`a${k}`) / rps)) : 1));
  if (!balanced(network, load, value)) return undefined;
  return { value: (result.ObjectiveValue + constant) / scale, weights, admitted, load };
}

/** Every row's flows are what its callers and entries send, to a millionth. */
function balanced(network: Network, load: Float64Array, value: (name: string) => number): boolean {
  const { S, R, rows, problem } = network;
  const arrivals = new Float64Array(S * R);
  problem.entries.forEach(({ service }, e) => {
    for (let i = 0; i < R; i++) arrivals[service * R + i]! += value(`a${e * R + i}`);
  });
  for (let s = 0; s < S; s++) {
    for (let c = rows.start[s]!; c < rows.start[s + 1]!; c++) {
      for (let j = 0; j < R; j++) arrivals[rows.index[c]! * R + j]! += rows.calls[c]! * load[s * R + j]!;
    }
  }
  return arrivals.every((rps, row) => {
    let sum = 0;
    for (let j = 0; j < R; j++) sum += value(`x${row * R + j}`);
    return Math.abs(sum - rps) <= 1e-6 * Math.max(1, rps);
  });
}

function programme(network: Network, cuts: Map<number, number[]>, scale: number): { text: string; constant: number } {
  const { S, R, rows, siteStart, siteRegion, arcCost, fixedRegion, entryRps, entryFixed, problem } = network;
  const out = new Float64Array(3);
  const objective: string[] = [];
  const constraints: string[] = [];
  const bounds: string[] = [];
  const arrivals: string[][] = Array.from({ length: S * R }, () => []);
  let constant = 0;
  problem.entries.forEach(({ service, valuePerRequest }, e) => {
    for (let i = 0; i < R; i++) {
      const k = e * R + i;
      constant += entryRps[k]! * valuePerRequest * scale;
      objective.push(term(-valuePerRequest * scale, `a${k}`));
      arrivals[service * R + i]!.push(term(-1, `a${k}`));
      bounds.push(`${entryFixed[k] ? entryRps[k] : 0} <= a${k} <= ${entryRps[k]}`);
    }
  });
  for (let s = 0; s < S; s++) {
    for (let c = rows.start[s]!; c < rows.start[s + 1]!; c++) {
      for (let j = 0; j < R; j++) arrivals[rows.index[c]! * R + j]!.push(term(-rows.calls[c]!, `y${s * R + j}`));
    }
  }
  for (let s = 0; s < S; s++) {
    const sites = [...siteRegion.subarray(siteStart[s]!, siteStart[s + 1]!)];
    for (const j of sites) {
      const site = s * R + j;
      objective.push(term(1, `z${site}`));
      const inflow = Array.from({ length: R }, (_, i) => term(-1, `x${(s * R + i) * R + j}`));
      constraints.push(`${[term(1, `y${site}`), ...inflow].join('\n')} = 0`);
      for (const point of new Set(cuts.get(site))) {
        evaluateCurve(network.curves[site]!, point, out);
        const [value, slope] = [out[0]! * scale, out[1]! * scale];
        constraints.push(`${term(1, `z${site}`)} ${term(-slope, `y${site}`)} >= ${value - slope * point}`);
      }
    }
    for (let row = s * R; row < (s + 1) * R; row++) {
      const ways = sites.map((j) => {
        const arc = row * R + j;
        objective.push(term(arcCost[arc]! * scale, `x${arc}`));
        if (fixedRegion[row]! >= 0 && fixedRegion[row] !== j) bounds.push(`x${arc} = 0`);
        return term(1, `x${arc}`);
      });
      if (ways.length > 0) constraints.push(`${[...ways, ...arrivals[row]!].join('\n')} = 0`);
    }
  }
  const lines = ['Minimize', objective.join('\n'), 'Subject To', ...constraints, 'Bounds', ...bounds, 'End'];
  return { text: lines.join('\n'), constant };
}

/** One a line: longer lines than 560 characters are misread. */
function term(factor: number, name: string): string {
  return `${factor < 0 ? '-' : '+'} ${Math.abs(factor)} ${name}`;
}
