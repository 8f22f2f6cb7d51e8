import type { NeighbourSpec } from '../spec/region.js';

/**
 * Whole percents with the proportions of `shares`, summing to 100 (largest remainder; ties to the first named).
 * Shares that sum to nothing give the whole to the first.
 */
export function wholePercents(shares: Readonly<Record<string, number>>): Record<string, number> {
  const names = Object.keys(shares);
  const total = names.reduce((sum, name) => sum + (shares[name] ?? 0), 0);
  if (total <= 0) return Object.fromEntries(names.map((name, i) => [name, i === 0 ? 100 : 0]));
  const exact = names.map((name) => ((shares[name] ?? 0) / total) * 100);
  const percents = exact.map((value) => Math.floor(value + 1e-9));
  const left = 100 - percents.reduce((sum, value) => sum + value, 0);
  const byRemainder = names
    .map((_, i) => i)
    .sort((a, b) => remainder(exact, percents, b) - remainder(exact, percents, a));
  for (const i of byRemainder.slice(0, left)) percents[i] = (percents[i] ?? 0) + 1;
  return Object.fromEntries(names.map((name, i) => [name, percents[i] ?? 0]));
}

function remainder(exact: readonly number[], whole: readonly number[], i: number): number {
  return (exact[i] ?? 0) - (whole[i] ?? 0);
}

/** Neighbours that have capacity to spare for a service, nearest first; equals by name. */
export function neighboursFor(service: string, neighbours: readonly NeighbourSpec[]): NeighbourSpec[] {
  return neighbours
    .filter((neighbour) => (neighbour.spareRps[service] ?? 0) > 0)
    .sort((a, b) => a.networkLatencyMs - b.networkLatencyMs || (a.name < b.name ? -1 : 1));
}

export interface Spill {
  /** rps by neighbour, in the order given. */
  rps: Record<string, number>;
  /** rps that no neighbour has room for. */
  leftRps: number;
}

/** Fills neighbours one after the other, in the order given, each up to what it can spare. */
export function spillOver(service: string, rps: number, neighbours: readonly NeighbourSpec[]): Spill {
  const filled: Record<string, number> = {};
  let leftRps = rps;
  for (const neighbour of neighbours) {
    const share = Math.min(leftRps, neighbour.spareRps[service] ?? 0);
    filled[neighbour.name] = share;
    leftRps -= share;
  }
  return { rps: filled, leftRps: Math.max(0, leftRps) };
}

/**
 * The weights when local gets `localPercent` of what is planned: what local gives up goes to the neighbours in the
 * proportion planned for them, or, where the plan keeps all local, to the nearest with spare capacity, as much as
 * each can take at `demandRps`. Where no neighbour can take any, local keeps all: nothing else would answer.
 */
export function stagedWeights(input: {
  service: string;
  own: string;
  planned: Readonly<Record<string, number>>;
  localPercent: number;
  demandRps: number;
  neighbours: readonly NeighbourSpec[];
}): Record<string, number> {
  const { service, own, planned, demandRps } = input;
  if (input.localPercent >= 100) return { ...planned };
  const local = ((planned[own] ?? 0) * Math.max(0, input.localPercent)) / 100;
  const others = Object.keys(planned).filter((name) => name !== own);
  const plannedAway = others.reduce((sum, name) => sum + (planned[name] ?? 0), 0);
  const shares: Record<string, number> = { [own]: local };
  if (plannedAway > 0) {
    for (const name of others) shares[name] = ((100 - local) * (planned[name] ?? 0)) / plannedAway;
    return wholePercents(shares);
  }
  const nearest = neighboursFor(service, input.neighbours);
  const [first] = nearest;
  if (first === undefined) return { ...planned };
  const away = 100 - local;
  const spill = spillOver(service, Math.max(demandRps, 1) * (away / 100), nearest);
  const placed = Math.max(demandRps, 1) * (away / 100);
  for (const name of others) shares[name] = ((spill.rps[name] ?? 0) / placed) * away;
  shares[first.name] = (shares[first.name] ?? 0) + (spill.leftRps / placed) * away;
  return wholePercents(shares);
}

/**
 * Weights with some of them fixed by hand: the others keep their proportions and are rescaled so that all sum to 100.
 * If the others had nothing, the rest goes to the first of them in `preference`; if nobody is left, or the fixed ones
 * exceed 100, the fixed ones are rescaled themselves.
 */
export function fixWeights(
  weights: Readonly<Record<string, number>>,
  fixed: Readonly<Record<string, number>>,
  preference: readonly string[],
): Record<string, number> {
  const names = Object.keys(weights);
  const fixedSum = names.reduce((sum, name) => sum + (fixed[name] ?? 0), 0);
  const free = names.filter((name) => !(name in fixed));
  if (fixedSum > 100 || free.length === 0) return wholePercents({ ...zero(names), ...fixed });
  const freeSum = free.reduce((sum, name) => sum + (weights[name] ?? 0), 0);
  const heir = preference.find((name) => free.includes(name)) ?? free[0];
  const shares = Object.fromEntries(
    names.map((name) => {
      if (name in fixed) return [name, fixed[name] ?? 0];
      if (freeSum > 0) return [name, ((100 - fixedSum) * (weights[name] ?? 0)) / freeSum];
      return [name, name === heir ? 100 - fixedSum : 0];
    }),
  );
  return wholePercents(shares);
}

function zero(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, 0]));
}
