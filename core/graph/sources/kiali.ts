import { refused } from '../../spec/problem.js';
import type { Result } from '../../spec/problem.js';
import { isRecord } from '../../spec/rawDocument.js';
import type { Raw } from '../../spec/rawDocument.js';
import type { EdgeSet } from '../edgeSet.js';
import { CallSums, edgesOfCounts } from './countedCalls.js';
import { readJson } from './jsonText.js';
import type { JsonPart } from './jsonText.js';
import { countOf, shown } from './numbers.js';
import { isOutside } from './outside.js';

const REQUEST_PROTOCOLS = ['http', 'grpc'];

/**
 * Kiali's `GET /api/namespaces/graph` (Cytoscape JSON). Numbers are written as text: requests per second under
 * `traffic.rates.http` or `.grpc`. Service nodes that stand between callers and workloads are passed through, by the
 * share of each workload. Latency is not read: Kiali gives one percentile, and does not say which.
 */
export function parseKiali(text: string, file: string): Result<EdgeSet> {
  const { parts, problems } = readJson(text, file);
  const graphs = parts.map(readGraph);
  if (problems.length > 0) return refused(problems);
  const outside = new Map<string, number>();
  const sums = new CallSums();
  const notes = new Set<string>();
  for (const { nodes, edges } of graphs) {
    for (const { from, to, rps } of passThrough(nodes, edges)) {
      if (from === to && rps.viaService) continue;
      if (isOutside(from)) outside.set(to, (outside.get(to) ?? 0) + rps.value);
      else sums.add(from, to, rps.value);
    }
    const silent = edges.filter((edge) => edge.rps === 0).length;
    if (silent > 0) notes.add(`${file}: ${silent} edges have no rate of requests (HTTP or gRPC) and are left out`);
  }
  const calls = sums.all().filter(({ count }) => count > 0);
  if (calls.length === 0 && outside.size === 0) {
    const message = 'has no edge with a rate of requests';
    return refused([{ code: 'graph-empty', file, field: 'elements.edges', message, expected: 'traffic.rates.http' }]);
  }
  const requestsPerCount = Math.max(1, ...graphs.map(({ seconds }) => seconds));
  return edgesOfCounts({ source: file, calls, outside, requestsPerCount, notes: [...notes] });
}

interface Node {
  name: string;
  isService: boolean;
}

interface Edge {
  source: string;
  target: string;
  rps: number;
}

interface Graph {
  nodes: ReadonlyMap<string, Node>;
  edges: readonly Edge[];
  /** That the rates were taken over. */
  seconds: number;
}

function readGraph(part: JsonPart): Graph {
  const root: Raw = isRecord(part.value) ? part.value : {};
  const elements = root['elements'];
  const nodes = new Map<string, Node>();
  const edges: Edge[] = [];
  if (!isRecord(elements)) {
    part.fail(
      'graph-shape',
      ['elements'],
      `is ${shown(elements)}`,
      'a graph of Kiali: {"elements": {"nodes": [], "edges": []}}',
    );
    return { nodes, edges, seconds: 0 };
  }
  for (const [data, path] of dataOf(part, elements, 'nodes')) readNode(part, data, path, nodes);
  for (const [data, path] of dataOf(part, elements, 'edges')) readEdge(part, data, path, nodes, edges);
  return { nodes, edges, seconds: countOf(root['duration']) ?? 0 };
}

function dataOf(part: JsonPart, elements: Raw, key: 'nodes' | 'edges'): [Raw, PropertyKey[]][] {
  const list = elements[key] ?? [];
  if (!Array.isArray(list)) {
    part.fail('graph-shape', ['elements', key], `is ${shown(list)}`, 'a list');
    return [];
  }
  return list.flatMap((item: unknown, i): [Raw, PropertyKey[]][] => {
    const data = isRecord(item) ? item['data'] : undefined;
    if (isRecord(data)) return [[data, ['elements', key, i, 'data']]];
    part.fail('graph-shape', ['elements', key, i], 'has no data', '{"data": {…}}');
    return [];
  });
}

function readNode(part: JsonPart, data: Raw, path: PropertyKey[], nodes: Map<string, Node>): void {
  const { id, nodeType } = data;
  if (typeof id !== 'string') return part.fail('graph-shape', [...path, 'id'], `is ${shown(id)}`, 'text');
  if (nodeType === 'box') return;
  const names = [data['app'], data['workload'], data['service']];
  const name = names.find((one): one is string => typeof one === 'string' && one !== '' && one !== 'unknown');
  const isService = nodeType === 'service';
  nodes.set(id, { name: name ?? 'unknown', isService });
}

function readEdge(
  part: JsonPart,
  data: Raw,
  path: PropertyKey[],
  nodes: ReadonlyMap<string, Node>,
  edges: Edge[],
): void {
  const { source, target, traffic } = data;
  const ends = { source, target };
  for (const [key, id] of Object.entries(ends)) {
    if (typeof id === 'string' && nodes.has(id)) continue;
    part.fail('graph-edge', [...path, key], `is ${shown(id)}`, 'the id of a node');
  }
  const rates = isRecord(traffic) ? traffic['rates'] : undefined;
  let rps = 0;
  for (const protocol of REQUEST_PROTOCOLS) {
    const rate = isRecord(rates) ? rates[protocol] : undefined;
    if (rate === undefined) continue;
    const count = countOf(rate);
    const at = [...path, 'traffic', 'rates', protocol];
    if (count === null) part.fail('graph-edge', at, `is ${shown(rate)}`, 'requests per second ≥ 0');
    rps += count ?? 0;
  }
  if (typeof source === 'string' && typeof target === 'string') edges.push({ source, target, rps });
}

interface Passed {
  from: string;
  to: string;
  rps: { value: number; viaService: boolean };
}

/** Caller → service → workloads becomes caller → workloads. A service that leads nowhere stands for itself. */
function passThrough(nodes: ReadonlyMap<string, Node>, edges: readonly Edge[]): Passed[] {
  const behind = new Map<string, Edge[]>();
  for (const edge of edges) {
    if (nodes.get(edge.source)?.isService !== true || edge.rps === 0) continue;
    behind.set(edge.source, [...(behind.get(edge.source) ?? []), edge]);
  }
  const into = new Set(edges.filter((edge) => edge.rps > 0).map((edge) => edge.target));
  return edges.flatMap(({ source, target, rps }): Passed[] => {
    const from = nodes.get(source);
    const to = nodes.get(target);
    if (from === undefined || to === undefined || rps === 0) return [];
    // Its callers bring these; a service node that nothing leads into is a caller from outside.
    if (from.isService && into.has(source)) return [];
    const caller = from.isService ? 'unknown' : from.name;
    const workloads = to.isService ? (behind.get(target) ?? []) : [];
    const total = workloads.reduce((sum, edge) => sum + edge.rps, 0);
    const one = { from: caller, to: to.name, rps: { value: rps, viaService: to.isService } };
    if (total === 0) return [one];
    return workloads.map((edge) => ({
      from: caller,
      to: nodes.get(edge.target)?.name ?? to.name,
      rps: { value: (rps * edge.rps) / total, viaService: true },
    }));
  });
}
