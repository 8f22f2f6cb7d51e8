import type { ServiceGraph } from '../spec/graph.js';
import { indexGraph } from './graphIndex.js';

export interface Component {
  /** More than one only where services call each other in a circle. */
  services: readonly string[];
  /** Present for a circle: what every round of calls multiplies requests by; see `Circle` in graphCycles.ts. */
  gain?: number;
}

/**
 * The graph without its circles: strongly connected components, callers before callees. Services that no call leads
 * into keep no order among themselves.
 */
export function condense(graph: ServiceGraph): readonly Component[] {
  const { components, names } = indexGraph(graph);
  return components.map(({ members, circle }) => {
    const services = members.map((id) => names[id] ?? '');
    return circle === undefined ? { services } : { services, gain: circle.gain };
  });
}
