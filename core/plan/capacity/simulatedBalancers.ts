import type { LbPolicy } from '../../spec/settings.js';
import { ringShares } from './ringShares.js';

export interface Chooser {
  instance(proxy: number, now: number): number;
  /** Tells the balancer when the request that it has just placed will end. */
  began(proxy: number, instance: number, end: number): void;
}

interface ChooserInput {
  policy: LbPolicy;
  instances: number;
  proxies: number;
  /** All that will be placed. */
  requests: number;
}

/** How each proxy picks an instance, as Envoy does. */
export function chooser(input: ChooserInput, random: () => number): Chooser {
  switch (input.policy) {
    case 'LEAST_REQUEST':
      return leastRequest(input, random);
    case 'ROUND_ROBIN':
      return roundRobin(input, random);
    case 'RING_HASH':
      return byShare(ringShares(input.instances), random);
    case 'RANDOM':
    case 'MAGLEV':
      // Maglev's table gives every instance the same part of the keys to within a percent.
      return { instance: () => Math.floor(random() * input.instances), began: nothing };
  }
}

const nothing = (): void => undefined;

/**
 * The one of two random instances, drawn with replacement, that has fewer of the proxy's own requests; of equals the
 * first. What a proxy has in flight at an instance is a list of ends, cleared of what is over when it is looked at.
 */
function leastRequest({ instances, proxies, requests }: ChooserInput, random: () => number): Chooser {
  const first = new Int32Array(instances * proxies).fill(-1);
  const next = new Int32Array(requests);
  const ends = new Float64Array(requests);
  let placed = 0;
  const inFlight = (pair: number, now: number): number => {
    let count = 0;
    let before = -1;
    for (let at = first[pair] ?? -1; at >= 0; at = next[at] ?? -1) {
      if ((ends[at] ?? 0) > now) {
        count++;
        before = at;
      } else if (before < 0) first[pair] = next[at] ?? -1;
      else next[before] = next[at] ?? -1;
    }
    return count;
  };
  return {
    instance(proxy, now) {
      const one = Math.floor(random() * instances);
      const other = Math.floor(random() * instances);
      if (one === other) return one;
      const base = proxy * instances;
      return inFlight(base + other, now) < inFlight(base + one, now) ? other : one;
    },
    began(proxy, instance, end) {
      const pair = proxy * instances + instance;
      ends[placed] = end;
      next[placed] = first[pair] ?? -1;
      first[pair] = placed++;
    },
  };
}

function roundRobin({ instances, proxies }: ChooserInput, random: () => number): Chooser {
  const turn = Int32Array.from({ length: proxies }, () => Math.floor(random() * instances));
  return {
    instance(proxy) {
      const at = turn[proxy] ?? 0;
      turn[proxy] = at + 1 === instances ? 0 : at + 1;
      return at;
    },
    began: nothing,
  };
}

function byShare(shares: Float64Array, random: () => number): Chooser {
  const upTo = new Float64Array(shares.length);
  let sum = 0;
  for (const [i, share] of shares.entries()) upTo[i] = sum += share;
  return {
    instance() {
      const u = random() * sum;
      let [low, high] = [0, upTo.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((upTo[middle] ?? 1) > u) high = middle;
        else low = middle + 1;
      }
      return low;
    },
    began: nothing,
  };
}
