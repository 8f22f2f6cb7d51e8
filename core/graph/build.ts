import type { GraphEdgeSpec, RegionSpec } from '../spec/region.js';
import type { ServiceEdge, ServiceGraph } from '../spec/graph.js';
import { findCycles } from '../spec/graphCycles.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import { STATED_CONFIDENCE } from './edgeSet.js';
import type { EdgeSet, SourcedEdge } from './edgeSet.js';
import { parseOtelServicegraph } from './otelServicegraph.js';
import { parseYamlEdges } from './yamlEdges.js';

export interface GraphInput {
  /** Services that may appear; absent: all that the sources name. */
  services?: readonly string[];
  /** Stated by hand in the region file. */
  edges?: readonly GraphEdgeSpec[];
  sources?: readonly EdgeSet[];
}

/** Two sources agree on an edge when their calls per request differ by no more than this, relatively. */
const AGREEMENT = 0.1;

/**
 * Merges what several sources say of who calls whom. Where they agree, the mean weighted by confidence holds and
 * confidence grows; where they contradict each other, the more confident one holds (the larger rate when equal),
 * its confidence is halved and a warning says so. An edge to a service that is not among `services` is left out
 * with a warning. Cycles are listed, not refused: propagation refuses them.
 */
export function buildGraph(input: GraphInput): Result<ServiceGraph> {
  const stated = (input.edges ?? []).map((edge) => ({
    ...edge,
    source: 'graph.edges',
    confidence: STATED_CONFIDENCE,
  }));
  const all = [...stated, ...(input.sources ?? []).flatMap((source) => source.edges)];
  const problems = all.flatMap(edgeProblems);
  if (problems.length > 0) return refused(problems);
  const warnings = (input.sources ?? []).flatMap((source) => source.notes);
  const services = input.services ?? [...new Set(all.flatMap(({ caller, callee }) => [caller, callee]))].sort();
  const known = new Set(services);
  const usable = all.filter((edge) => {
    const unknown = [edge.caller, edge.callee].filter((name) => !known.has(name));
    if (unknown.length > 0) {
      warnings.push(`${edge.source}: ${edge.caller} → ${edge.callee} left out: no service ${unknown.join(', ')} here`);
    }
    return unknown.length === 0;
  });
  const edges = group(usable).map((same) => mergeEdge(same, warnings));
  edges.sort((a, b) => compare(a.caller, b.caller) || compare(a.callee, b.callee));
  const cycles = findCycles(edges);
  return ok({ services: [...services], edges, cycles, warnings: [...new Set(warnings)] });
}

/**
 * The graph that a region file describes. `texts` holds the text of each file that `region.graph.sources` names;
 * every unreadable source is named, not only the first.
 */
export function graphOfRegion(region: RegionSpec, texts: Readonly<Record<string, string>>): Result<ServiceGraph> {
  const sources: EdgeSet[] = [];
  const problems: Problem[] = [];
  (region.graph.sources ?? []).forEach(({ kind, file }, i) => {
    const text = texts[file];
    if (text === undefined) {
      problems.push({ code: 'graph-source', field: `graph.sources[${i}].file`, message: `${file} was not read` });
      return;
    }
    const parsed = kind === 'yaml' ? parseYamlEdges(text, file) : parseOtelServicegraph(text, file);
    if (parsed.ok) sources.push(parsed.value);
    else problems.push(...parsed.problems);
  });
  if (problems.length > 0) return refused(problems);
  const services = region.services.map((service) => service.name);
  return buildGraph({ services, edges: region.graph.edges ?? [], sources });
}

function edgeProblems(edge: SourcedEdge): Problem[] {
  if (edge.callsPerRequest >= 0 && Number.isFinite(edge.callsPerRequest)) return [];
  return [
    {
      code: 'graph-edge',
      field: `${edge.source}: ${edge.caller} → ${edge.callee}`,
      message: `calls per request is ${edge.callsPerRequest}`,
      expected: 'a number ≥ 0',
    },
  ];
}

function group(edges: readonly SourcedEdge[]): SourcedEdge[][] {
  const byPair = new Map<string, SourcedEdge[]>();
  for (const edge of edges) {
    const key = JSON.stringify([edge.caller, edge.callee]);
    const same = byPair.get(key);
    if (same === undefined) byPair.set(key, [edge]);
    else same.push(edge);
  }
  return [...byPair.values()];
}

function mergeEdge(same: readonly SourcedEdge[], warnings: string[]): ServiceEdge {
  const best = same.reduce((a, b) => (outranks(b, a) ? b : a));
  const sources = [...new Set(same.map((edge) => edge.source))].sort();
  const ends = { caller: best.caller, callee: best.callee, sources };
  const contrary = same.filter((edge) => !agrees(edge.callsPerRequest, best.callsPerRequest));
  if (contrary.length > 0) {
    const said = same.map((edge) => `${round(edge.callsPerRequest)} by ${edge.source}`).join(', ');
    warnings.push(`${best.caller} → ${best.callee}: sources contradict each other (${said}); ${best.source} holds`);
    return { ...ends, callsPerRequest: best.callsPerRequest, confidence: best.confidence / 2 };
  }
  const total = same.reduce((sum, edge) => sum + edge.confidence, 0);
  const mean = same.reduce((sum, edge) => sum + edge.callsPerRequest * edge.confidence, 0) / total;
  const doubt = same.reduce((product, edge) => product * (1 - edge.confidence), 1);
  return { ...ends, callsPerRequest: total > 0 ? mean : best.callsPerRequest, confidence: 1 - doubt };
}

function outranks(a: SourcedEdge, b: SourcedEdge): boolean {
  if (a.confidence !== b.confidence) return a.confidence > b.confidence;
  return a.callsPerRequest > b.callsPerRequest;
}

function agrees(a: number, b: number): boolean {
  return Math.abs(a - b) <= AGREEMENT * Math.max(a, b);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
