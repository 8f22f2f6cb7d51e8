import type { ServiceGraph } from '../../core/spec/graph.js';
import type { App } from './apps.js';
import { makeApp } from './apps.js';

/** Calls per request of `caller>callee`. */
function graphOf(calls: Readonly<Record<string, number>>): ServiceGraph {
  const edges = Object.entries(calls).map(([edge, callsPerRequest]) => {
    const [caller = '', callee = ''] = edge.split('>');
    return { caller, callee, callsPerRequest, sources: ['made'], confidence: 1 };
  });
  const services = [...new Set(edges.flatMap(({ caller, callee }) => [caller, callee]))];
  return { services, edges, cycles: [], warnings: [] };
}

/** One service that all requests need, behind one that has room: the quota is all used, no neighbour helps. */
export function singleBottleneck(callsPerSecond = 600): App {
  return makeApp({
    name: 'single-bottleneck',
    entries: [{ service: 'front', share: 1 }],
    graph: graphOf({ 'front>work': 1 }),
    timesMs: { front: 4, work: 20 },
    ...{ seed: 1, quota: 1, neighbour: false, callsPerSecond },
  });
}

/**
 * Three ways in, two of which end in the same store, four calls deep: a search asks it twice, an order once, browsing
 * never. What the store refuses has been worked on by three services before, and a search is lost with either of its
 * calls. The times above are such that they have room for what the store takes, not for all that comes.
 */
export function deepBottleneck(callsPerSecond = 900): App {
  return makeApp({
    name: 'deep-bottleneck',
    entries: [
      { service: 'search', share: 0.35 },
      { service: 'order', share: 0.35 },
      { service: 'browse', share: 0.3 },
    ],
    graph: graphOf({
      'search>catalog': 1,
      'catalog>index': 1,
      'index>store': 2,
      'order>cart': 1,
      'cart>pricing': 1,
      'pricing>store': 1,
      'browse>media': 1,
    }),
    timesMs: { search: 4, catalog: 6, index: 6, order: 4, cart: 6, pricing: 6, browse: 4, media: 10, store: 20 },
    ...{ seed: 1, quota: 1, neighbour: false, callsPerSecond },
  });
}
