import type { GraphEdgeSpec, RegionSpec } from '../spec/region.js';
import type { GraphContradiction, ServiceGraph } from '../spec/graph.js';
import { circlesOf, circleText } from '../spec/graphCycles.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import { calibrateRelative } from './calibrate.js';
import { STATED_CONFIDENCE } from './edgeSet.js';
import type { EdgeSet, SourcedEdge } from './edgeSet.js';
import { contradictionText, mergeStatements } from './merge.js';
import type { MergedEdge } from './merge.js';
import { parseGraphSource } from './sources/parseGraphSource.js';

export interface GraphInput {
  /** Services that may appear; absent: all that the sources name. */
  services?: readonly string[];
  /** Stated by hand in the region file. */
  edges?: readonly GraphEdgeSpec[];
  sources?: readonly EdgeSet[];
}

/**
 * Merges what several sources say of who calls whom; see `mergeStatements` for how. Contradictions are listed and
 * warned of, and so are edges that only a hint tells of. An edge to a service that is not among `services` is left out
 * with a warning. A hint never makes a circle endless: such a one is left out. Other circles are listed, not refused:
 * propagation refuses those that would never end. The order of sources and edges changes nothing.
 */
export function buildGraph(input: GraphInput): Result<ServiceGraph> {
  const stated = (input.edges ?? []).map((edge): SourcedEdge => ({
    ...edge,
    source: 'graph.edges',
    confidence: STATED_CONFIDENCE,
    basis: 'stated',
  }));
  const sources = input.sources ?? [];
  const all = [...stated, ...sources.flatMap((source) => source.edges)];
  const problems = all.flatMap(edgeProblems);
  if (problems.length > 0) return refused(problems);
  const warnings = sources.flatMap((source) => source.notes);
  const named = [...all.flatMap(({ caller, callee }) => [caller, callee]), ...sources.flatMap((s) => s.services ?? [])];
  const services = input.services ?? [...new Set(named)].sort();
  const { edges: calibrated, notes } = calibrateRelative(all);
  warnings.push(...notes);
  const usable = knownEnds(calibrated, new Set(services), warnings);
  const merged = withoutEndlessHints(group(usable).map(mergeStatements), warnings);
  merged.sort((a, b) => compare(a.edge.caller, b.edge.caller) || compare(a.edge.callee, b.edge.callee));
  const contradictions = merged.flatMap(({ contradiction }) => (contradiction === undefined ? [] : [contradiction]));
  warnings.push(...contradictions.map(contradictionText), ...merged.flatMap(hintWarning));
  return ok(graphOf(services, merged, warnings, contradictions));
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
    const parsed = parseGraphSource(kind, text, file);
    if (parsed.ok) sources.push(parsed.value);
    else problems.push(...parsed.problems);
  });
  if (problems.length > 0) return refused(problems);
  const services = region.services.map((service) => service.name);
  return buildGraph({ services, edges: region.graph.edges ?? [], sources });
}

function graphOf(
  services: readonly string[],
  merged: readonly MergedEdge[],
  warnings: readonly string[],
  contradictions: readonly GraphContradiction[],
): ServiceGraph {
  const edges = merged.map(({ edge }) => edge);
  const cycles = circlesOf(edges).map((circle) => circle.services);
  const graph = { services: [...services], edges, cycles, warnings: [...new Set(warnings)].sort() };
  return contradictions.length === 0 ? graph : { ...graph, contradictions };
}

function edgeProblems(edge: SourcedEdge): Problem[] {
  const field = `${edge.source}: ${edge.caller} → ${edge.callee}`;
  const rates = [
    edge.callsPerRequest,
    ...Object.values(edge.callsByEntry ?? {}),
    ...Object.values(edge.callsByRoute ?? {}),
  ];
  const wrong = rates.find((rate) => !(rate >= 0 && Number.isFinite(rate)));
  if (wrong === undefined) return [];
  return [
    {
      code: 'graph-edge',
      file: edge.source,
      field,
      message: `calls per request is ${wrong}`,
      expected: 'a number ≥ 0',
    },
  ];
}

function knownEnds(edges: readonly SourcedEdge[], known: ReadonlySet<string>, warnings: string[]): SourcedEdge[] {
  return edges.filter((edge) => {
    const unknown = [...new Set([edge.caller, edge.callee])].filter((name) => !known.has(name));
    if (unknown.length > 0) {
      warnings.push(`${edge.source}: ${edge.caller} → ${edge.callee} left out: no service ${unknown.join(', ')} here`);
    }
    return unknown.length === 0;
  });
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

/** The one call per request of a hint is a guess: it must not refuse what the others say. */
function withoutEndlessHints(merged: readonly MergedEdge[], warnings: string[]): MergedEdge[] {
  if (!merged.some(({ hintOnly }) => hintOnly)) return [...merged];
  const endless = circlesOf(merged.map(({ edge }) => edge)).filter((circle) => circle.endless);
  const circleOf = new Map(endless.flatMap((circle) => circle.services.map((name) => [name, circle] as const)));
  return merged.filter(({ edge, hintOnly }) => {
    const circle = circleOf.get(edge.caller);
    if (!hintOnly || circle === undefined || circle !== circleOf.get(edge.callee)) return true;
    warnings.push(`${named(edge)} left out: it would close a circle of calls without end, ${circleText(circle)}`);
    return false;
  });
}

function hintWarning({ edge, hintOnly }: MergedEdge): string[] {
  return hintOnly ? [`${named(edge)}: nothing measured it; one call per request is a guess`] : [];
}

function named({ caller, callee, sources }: MergedEdge['edge']): string {
  return `${caller} → ${callee}, only hinted at by ${sources.join(', ')}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
