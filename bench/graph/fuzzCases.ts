import { buildGraph } from '../../core/graph/build.js';
import { graphToDot, graphToMermaid } from '../../core/graph/draw.js';
import { propagateDemand } from '../../core/graph/propagate.js';
import { detectGraphSource } from '../../core/graph/sources/detectGraphSource.js';
import { parseGraphSource } from '../../core/graph/sources/parseGraphSource.js';
import type { ServiceGraph } from '../../core/spec/graph.js';
import type { Problem } from '../../core/spec/problem.js';
import { GRAPH_SOURCE_KINDS } from '../../core/spec/region.js';
import type { GraphSourceKind } from '../../core/spec/region.js';
import { chanceOf } from '../campaigns/fuzzChance.js';
import type { Outcome } from '../campaigns/fuzzRun.js';
import { validTexts } from './fuzzTexts.js';
import { mutate } from './mutate.js';

const FILE = 'fuzzed';

/**
 * One malformed text: read as what it seems to be, or as what it was. It must end in a graph that holds (rates ≥ 0 and
 * finite, confidence in 0…1, demand finite or refused for a circle) or in listed problems that name the file.
 */
export function runGraphFuzzCase(seed: number, index: number): { entry: GraphSourceKind; outcome: Outcome } {
  const chance = chanceOf(seed, index);
  const entry = GRAPH_SOURCE_KINDS[index % GRAPH_SOURCE_KINDS.length] ?? 'yaml';
  const text = mutate(validTexts(chance.whole(1000))[entry], chance);
  try {
    const detected = detectGraphSource(text, FILE);
    const kind = chance.is(0.3) ? (detected ?? entry) : entry;
    return { entry, outcome: outcomeOf(kind, text) };
  } catch (error) {
    return {
      entry,
      outcome: failed(`throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    };
  }
}

function outcomeOf(kind: GraphSourceKind, text: string): Outcome {
  const parsed = parseGraphSource(kind, text, FILE);
  if (!parsed.ok) return refusal(parsed.problems);
  const built = buildGraph({ sources: [parsed.value] });
  if (!built.ok) return refusal(built.problems);
  const graph = built.value;
  const wrong = wrongIn(graph);
  if (wrong !== null) return failed(wrong);
  if (graphToDot(graph) === '' || graphToMermaid(graph) === '') return failed('draws nothing');
  const demand = propagateDemand(graph, Object.fromEntries(graph.services.map((name) => [name, 1])));
  if (!demand.ok) {
    const codes = demand.problems.map((problem) => problem.code);
    return codes.every((code) => code === 'graph-cycle' || code === 'graph-demand')
      ? { kind: 'answered' }
      : failed(`demand is refused by ${codes.join(', ')}`);
  }
  const odd = Object.entries(demand.value).find(([, rps]) => !(rps >= 1) || !Number.isFinite(rps));
  return odd === undefined ? { kind: 'answered' } : failed(`demand of ${odd[0]} is ${odd[1]}`);
}

function refusal(problems: readonly Problem[]): Outcome {
  if (problems.length === 0) return failed('is refused without a problem');
  const nameless = problems.find(({ file, field, message }) => file !== FILE || field === '' || message === '');
  if (nameless !== undefined) return failed(`a problem has no place: ${JSON.stringify(nameless)}`);
  const line = problems.find((problem) => problem.line !== undefined && !(problem.line >= 1));
  return line === undefined ? { kind: 'refused' } : failed(`a problem is on line ${line.line}`);
}

function wrongIn(graph: ServiceGraph): string | null {
  const known = new Set(graph.services);
  if (known.size !== graph.services.length) return 'a service is there twice';
  for (const edge of graph.edges) {
    const rates = [edge.callsPerRequest, ...Object.values({ ...edge.callsByEntry, ...edge.callsByRoute })];
    const sizes = [edge.bytesPerCall ?? 0, edge.latency?.p50Ms ?? 0, edge.latency?.p99Ms ?? 0];
    if (![...rates, ...sizes].every((value) => value >= 0 && Number.isFinite(value))) return `rates of ${name(edge)}`;
    if (!(edge.confidence >= 0 && edge.confidence <= 1)) return `confidence of ${name(edge)} is ${edge.confidence}`;
    if (!known.has(edge.caller) || !known.has(edge.callee)) return `${name(edge)} is between no services`;
    if (edge.sources.length === 0) return `${name(edge)} has no source`;
  }
  return null;
}

function name({ caller, callee }: { caller: string; callee: string }): string {
  return JSON.stringify([caller, callee]).slice(0, 100);
}

function failed(why: string): Outcome {
  return { kind: 'failed', why };
}
