import { createRandom, normal } from '../../core/forecast/random.js';
import { buildGraph } from '../../core/graph/build.js';
import type { ServiceEdge, ServiceGraph } from '../../core/spec/graph.js';

export interface GeneratedGraphInput {
  services: number;
  seed: number;
}

export interface GeneratedGraph {
  graph: ServiceGraph;
  services: readonly string[];
  edges: readonly ServiceEdge[];
  /** Services that users reach. */
  entries: readonly string[];
}

/** Calls that a request makes, over all callees, at the median. */
const CALLS_PER_REQUEST = 1.3;
/** Of the callees that are drawn, those of the few services that everybody shares. */
const SHARED_DRAWS = 0.35;

/**
 * A graph like those of large systems: layers below a few entries, a fan-out with a heavy tail, some services that many
 * share, most edges rarer than one call a request, and a few circles, whose calls die out.
 * Every service is reached. Time grows with the number of services; about three edges each.
 */
export function generateGraph({ services: count, seed }: GeneratedGraphInput): GeneratedGraph {
  const random = createRandom(seed);
  const names = Array.from({ length: count }, (_, i) => `service-${i}`);
  const entryCount = Math.min(20, Math.max(1, Math.round(count / 25)));
  const layers = layersOf(count, entryCount, random);
  const pairs = new Map<string, { from: number; to: number; weight: number }>();
  const link = (from: number, to: number, weight: number): void => {
    const key = `${from} ${to}`;
    if (from !== to && !pairs.has(key)) pairs.set(key, { from, to, weight });
  };
  for (let layer = 1; layer < layers.length; layer++) {
    for (const to of layers[layer] ?? []) link(pick(layers[layer - 1] ?? [], random), to, drawWeight(random));
  }
  const shared = (layers.at(-1) ?? []).slice(0, Math.max(1, Math.round(count / 50)));
  for (const [depth, layer] of layers.entries()) {
    for (const from of layer) drawCallees(from, depth, { layers, shared, random, link });
  }
  const edges = ratesOf([...pairs.values()], names, random);
  edges.push(...circlesBack(edges, Math.round(count / 250), new Set(names.slice(0, entryCount)), random));
  const built = buildGraph({ services: names, edges });
  if (!built.ok) throw new Error(JSON.stringify(built.problems));
  return { graph: built.value, services: names, edges: built.value.edges, entries: names.slice(0, entryCount) };
}

/** Entries, then layers that grow towards the middle: as deep as call graphs of that size are. */
function layersOf(count: number, entryCount: number, random: () => number): number[][] {
  const depth = Math.max(1, Math.min(8, Math.round(1 + Math.log2(Math.max(1, count)) / 1.6)));
  const layers: number[][] = [Array.from({ length: entryCount }, (_, i) => i)];
  for (let i = 1; i <= depth; i++) layers.push([]);
  for (let i = entryCount; i < count; i++) {
    // The first of each layer first, so that no layer stays empty.
    const order = i - entryCount;
    const layer = order < depth ? order + 1 : 1 + Math.floor(((random() + random()) / 2) * depth);
    layers[layer]?.push(i);
  }
  return layers.filter((layer) => layer.length > 0);
}

interface Drawing {
  layers: readonly (readonly number[])[];
  shared: readonly number[];
  random: () => number;
  link: (from: number, to: number, weight: number) => void;
}

function drawCallees(from: number, depth: number, { layers, shared, random, link }: Drawing): void {
  if (depth >= layers.length - 1) return;
  // Pareto with a finite mean; the largest call dozens.
  const fanOut = Math.min(60, Math.floor((1 - random()) ** (-1 / 1.4)));
  for (let i = 0; i < fanOut; i++) {
    const deeper = layers[depth + 1 + Math.floor(random() ** 2 * (layers.length - 1 - depth))] ?? [];
    link(from, random() < SHARED_DRAWS ? pick(shared, random) : pick(deeper, random), drawWeight(random));
  }
}

/** The early ones far more often: what is popular stays popular. */
function pick(list: readonly number[], random: () => number): number {
  return list[Math.floor(random() ** 1.8 * list.length)] ?? 0;
}

function drawWeight(random: () => number): number {
  return Math.exp(normal(random));
}

interface Rated {
  caller: string;
  callee: string;
  callsPerRequest: number;
}

/** A service has a budget of calls, which its callees share: else wide fan-outs would multiply demand layer by layer. */
function ratesOf(
  pairs: readonly { from: number; to: number; weight: number }[],
  names: readonly string[],
  random: () => number,
): Rated[] {
  const total = new Map<number, number>();
  for (const { from, weight } of pairs) total.set(from, (total.get(from) ?? 0) + weight);
  const budget = new Map([...total.keys()].map((from) => [from, CALLS_PER_REQUEST * Math.exp(0.6 * normal(random))]));
  return pairs.map(({ from, to, weight }) => ({
    caller: names[from] ?? '',
    callee: names[to] ?? '',
    callsPerRequest: Math.max(0.001, ((budget.get(from) ?? 1) * weight) / (total.get(from) ?? 1)),
  }));
}

/** Some callees ask their caller back. */
function circlesBack(
  edges: readonly Rated[],
  count: number,
  entries: ReadonlySet<string>,
  random: () => number,
): Rated[] {
  const inner = edges.filter(({ caller }) => !entries.has(caller));
  const back = new Map<string, Rated>();
  for (let i = 0; i < count && inner.length > 0; i++) {
    const edge = inner[Math.floor(random() * inner.length)];
    if (edge === undefined) continue;
    const callsPerRequest = Math.min(0.1, 0.2 / edge.callsPerRequest) * random();
    back.set(`${edge.callee} ${edge.caller}`, { caller: edge.callee, callee: edge.caller, callsPerRequest });
  }
  return [...back.values()].filter(({ callsPerRequest }) => callsPerRequest > 0);
}
