import { CHILD, PURPOSE, mix } from './hash.js';

/** Envoy's `minimum_ring_size`, which our renderer leaves as it is. */
const RING_POINTS = 1024;
/** Envoy's `table_size` of Maglev; a prime. */
const MAGLEV_SIZE = 65_537;
const RING_SIZE = 65_536;

export interface WeightedHost {
  host: number;
  /** Shares of the whole; sum 1. */
  share: number;
}

/**
 * Envoy's ring: each host has points in proportion to its share; a key belongs to the next point. As a table of which
 * host owns which part of the ring, exact to 1/65,536.
 */
export function ringTable(hosts: readonly WeightedHost[], seed: number): Int32Array {
  const least = Math.min(...hosts.map(({ share }) => share));
  // As Envoy scales: the smallest share has whole points, and all together at least the ring's size.
  const scale = Math.max(Math.ceil(least * RING_POINTS) / least, RING_POINTS);
  const points: { at: number; host: number }[] = [];
  for (const { host, share } of hosts) {
    const own = mix(seed, host + CHILD);
    for (let i = 0; i < Math.round(share * scale); i++)
      points.push({ at: mix(own, PURPOSE.ring + CHILD + i) >>> 0, host });
  }
  points.sort((a, b) => a.at - b.at || a.host - b.host);
  const table = new Int32Array(RING_SIZE);
  let next = 0;
  for (let slot = 0; slot < RING_SIZE; slot++) {
    while (next < points.length && points[next]!.at < slot * 65_536) next++;
    table[slot] = points[next % points.length]!.host;
  }
  return table;
}

/** Maglev's table (Eisenbud et al. 2016): hosts take turns, by weight, to take the next free slot of their own order. */
export function maglevTable(hosts: readonly WeightedHost[], seed: number): Int32Array {
  const table = new Int32Array(MAGLEV_SIZE).fill(-1);
  const most = Math.max(...hosts.map(({ share }) => share));
  const offset = hosts.map(({ host }) => (mix(seed, host + CHILD) >>> 0) % MAGLEV_SIZE);
  const skip = hosts.map(({ host }) => ((mix(seed, host + CHILD + 0x1000) >>> 0) % (MAGLEV_SIZE - 1)) + 1);
  const taken = hosts.map(() => 0);
  let filled = 0;
  for (let turn = 1; filled < MAGLEV_SIZE; turn++) {
    for (let i = 0; i < hosts.length && filled < MAGLEV_SIZE; i++) {
      // A host with half of the largest share sits out every other turn.
      if (turn * hosts[i]!.share < taken[i]! * most) continue;
      let slot = offset[i]!;
      while (table[slot]! >= 0) slot = (slot + skip[i]!) % MAGLEV_SIZE;
      table[slot] = hosts[i]!.host;
      offset[i] = (slot + skip[i]!) % MAGLEV_SIZE;
      taken[i]!++;
      filled++;
    }
  }
  return table;
}
