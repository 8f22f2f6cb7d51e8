import type { SourcedEdge } from './edgeSet.js';

/**
 * Statements of basis `relative` give only the proportions between the callees of a caller. Where another source knows
 * the calls per request of one of those edges, it gives the scale for all of them.
 */
export function calibrateRelative(edges: readonly SourcedEdge[]): { edges: SourcedEdge[]; notes: string[] } {
  const anchors = new Map<string, SourcedEdge[]>();
  for (const edge of edges) {
    if (edge.basis === 'measured' || edge.basis === 'stated') push(anchors, pair(edge), edge);
  }
  const groups = new Map<string, SourcedEdge[]>();
  for (const edge of edges)
    if (edge.basis === 'relative') push(groups, JSON.stringify([edge.source, edge.caller]), edge);
  const scaled = new Map<SourcedEdge, SourcedEdge>();
  const notes: string[] = [];
  for (const group of groups.values()) {
    const scale = scaleOf(group, anchors);
    const [first] = group;
    if (first === undefined) continue;
    notes.push(scale === null ? guessed(first, group) : taken(first));
    if (scale === null) continue;
    for (const edge of group) {
      const callsPerRequest = edge.callsPerRequest * scale.factor;
      scaled.set(edge, { ...edge, callsPerRequest, confidence: Math.max(edge.confidence, scale.confidence) });
    }
  }
  return { edges: edges.map((edge) => scaled.get(edge) ?? edge), notes };
}

/** Between the scale that its anchors give and what they are worth; half of it, as traffic may have changed meanwhile. */
function scaleOf(
  group: readonly SourcedEdge[],
  anchors: ReadonlyMap<string, readonly SourcedEdge[]>,
): { factor: number; confidence: number } | null {
  let [known, relative, weight, best] = [0, 0, 0, 0];
  for (const edge of group.toSorted((a, b) => (a.callee < b.callee ? -1 : 1))) {
    const own = anchors.get(pair(edge)) ?? [];
    if (own.length === 0 || edge.callsPerRequest === 0) continue;
    const surest = own.reduce((a, b) => (outranks(b, a) ? b : a));
    known += surest.confidence * surest.callsPerRequest;
    relative += surest.confidence * edge.callsPerRequest;
    weight += surest.confidence;
    best = Math.max(best, surest.confidence);
  }
  const factor = known / relative;
  return weight > 0 && Number.isFinite(factor) && factor > 0 ? { factor, confidence: best / 2 } : null;
}

function outranks(a: SourcedEdge, b: SourcedEdge): boolean {
  return a.confidence === b.confidence ? a.callsPerRequest > b.callsPerRequest : a.confidence > b.confidence;
}

function guessed({ source, caller }: SourcedEdge, group: readonly SourcedEdge[]): string {
  const most = group.reduce((a, b) =>
    b.callsPerRequest > a.callsPerRequest || (b.callsPerRequest === a.callsPerRequest && b.callee < a.callee) ? b : a,
  );
  return `${source}: what arrives at ${caller} from outside is not counted there: one call to ${most.callee}, which it calls most, is taken for each request; state one of its edges in graph.edges and the others follow`;
}

function taken({ source, caller }: SourcedEdge): string {
  return `${source}: what arrives at ${caller} from outside is not counted there: the scale of its calls is that of other sources`;
}

function pair({ caller, callee }: SourcedEdge): string {
  return JSON.stringify([caller, callee]);
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
