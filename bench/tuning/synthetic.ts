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
 * Two ways in end in the same store, four calls deep: a search asks it four times at once, an order once. What the store
 * refuses has been worked on by three services before, and a search is lost with any of its calls, for which the store
 * then worked in vain; who knows that lets orders in first. Services above have room for twice what is planned.
 */
export function deepBottleneck(callsPerSecond = 900): App {
  return makeApp({
    name: 'deep-bottleneck',
    entries: [
      { service: 'search', share: 0.6 },
      { service: 'order', share: 0.4 },
    ],
    graph: graphOf({
      'search>catalog': 1,
      'catalog>index': 1,
      'index>store': 4,
      'order>cart': 1,
      'cart>pricing': 1,
      'pricing>store': 1,
    }),
    timesMs: { search: 4, catalog: 4, index: 4, order: 4, cart: 4, pricing: 4, store: 20 },
    ...{ seed: 1, quota: 1, neighbour: false, callsPerSecond, calls: 'parallel' },
  });
}
