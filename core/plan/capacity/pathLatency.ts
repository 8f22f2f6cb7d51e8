import { createRandom } from '../../forecast/random.js';
import type { Calls } from '../paths.js';

/** A distribution of times: `timesMs[i]` is not exceeded with `levels[i]`; both rise. */
export interface QuantileTable {
  levels: readonly number[];
  timesMs: readonly number[];
}

export type CallOrder = 'serial' | 'parallel';

export interface PathInput {
  /** Service at which the requests enter. */
  entry: string;
  calls: Calls;
  /** Waiting and own work of each service, without its calls; one that is not named takes no time. */
  sojourns: ReadonlyMap<string, QuantileTable>;
  /** How a service makes its calls; absent: serial, the longer one. */
  order?: Readonly<Record<string, CallOrder>>;
  /** Both ways, of every call; absent: 0. */
  networkMs?: number;
  /** Of the requests to a service, those that are answered in other regions; `ms` both ways. */
  away?: ReadonlyMap<string, readonly Away[]>;
  /** Absent: 2,000. */
  samples?: number;
}

export interface Away {
  /** 0–1 */
  share: number;
  ms: number;
}

export interface PathLatency {
  p50Ms: number;
  p99Ms: number;
  /** Samples that were cut off, as their calls would not end: too many, or in a circle. */
  cut: number;
}

const DEFAULT_SAMPLES = 2000;
/** Of one sample. */
const MOST_CALLS = 5000;
const MOST_DEEP = 100;

/**
 * Latency of a whole request by sampled paths. The p99 of services are never summed: they do not happen together.
 * Calls of 0.4 a request are made by four of ten, of 2.4 twice or thrice.
 */
export function pathLatency(input: PathInput, seed: number): PathLatency {
  const random = createRandom(seed);
  const samples = input.samples ?? DEFAULT_SAMPLES;
  const nodes = nodesOf(input);
  const times = new Float64Array(samples);
  let cut = 0;
  for (let i = 0; i < samples; i++) {
    const budget = { calls: MOST_CALLS, cut: false };
    times[i] = walk(nodes, input.entry, 0, budget, random, input.networkMs ?? 0);
    if (budget.cut) cut++;
  }
  times.sort();
  return { p50Ms: at(times, 0.5), p99Ms: at(times, 0.99), cut };
}

interface Node {
  away: readonly Away[];
  table: QuantileTable | undefined;
  callees: readonly (readonly [string, number])[];
  parallel: boolean;
}

function nodesOf({ calls, sojourns, order = {}, entry, away }: PathInput): ReadonlyMap<string, Node> {
  const names = new Set([entry, ...Object.keys(calls), ...sojourns.keys()]);
  return new Map(
    [...names].map((name) => [
      name,
      {
        away: (away?.get(name) ?? []).filter((one) => one.share > 0),
        table: sojourns.get(name),
        // In order of names, so that the order of the input changes nothing.
        callees: Object.entries(calls[name] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
        parallel: order[name] === 'parallel',
      },
    ]),
  );
}

interface Budget {
  calls: number;
  cut: boolean;
}

function walk(
  nodes: ReadonlyMap<string, Node>,
  name: string,
  depth: number,
  budget: Budget,
  random: () => number,
  networkMs: number,
): number {
  const node = nodes.get(name);
  if (node === undefined) return 0;
  const own = node.table === undefined ? 0 : tableAt(node.table, random());
  let below = 0;
  for (const [callee, rate] of node.callees) {
    const times = Math.floor(rate) + (random() < rate % 1 ? 1 : 0);
    for (let i = 0; i < times; i++) {
      if (budget.calls-- <= 0 || depth >= MOST_DEEP) {
        budget.cut = true;
        break;
      }
      const call = networkMs + walk(nodes, callee, depth + 1, budget, random, networkMs);
      below = node.parallel ? Math.max(below, call) : below + call;
    }
  }
  return own + below + wayOf(node.away, random);
}

function wayOf(away: readonly Away[], random: () => number): number {
  if (away.length === 0) return 0;
  let left = random();
  for (const { share, ms } of away) {
    left -= share;
    if (left < 0) return ms;
  }
  return 0;
}

/** Straight between levels, from 0 at level 0; beyond the last level, as an exponential tail through the last two. */
export function tableAt({ levels, timesMs }: QuantileTable, u: number): number {
  const last = levels.length - 1;
  const above = levels.findIndex((level) => level >= u);
  if (above === 0) return ((timesMs[0] ?? 0) * u) / (levels[0] ?? 1);
  if (above > 0) {
    const [a, b] = [levels[above - 1] ?? 0, levels[above] ?? 1];
    const [from, to] = [timesMs[above - 1] ?? 0, timesMs[above] ?? 0];
    return from + ((to - from) * (u - a)) / (b - a);
  }
  const [a, b] = [levels[last - 1] ?? 0, levels[last] ?? 0];
  const [from, to] = [timesMs[last - 1] ?? 0, timesMs[last] ?? 0];
  const rate = Math.log((1 - a) / Math.max(1e-9, 1 - b));
  return rate > 0 ? to + ((to - from) * Math.log((1 - b) / Math.max(1e-9, 1 - u))) / rate : to;
}

function at(sorted: Float64Array, level: number): number {
  const place = level * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] ?? 0;
  return low + (place - below) * ((sorted[below + 1] ?? low) - low);
}
