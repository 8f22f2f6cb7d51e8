import type { ServiceGraph } from '../spec/graph.js';

/** Mermaid flowchart; edges carry calls per request. */
export function graphToMermaid(graph: ServiceGraph): string {
  const ids = new Map(graph.services.map((name, i) => [name, `s${i}`]));
  const quote = (text: string): string => `"${text.replaceAll('"', '#quot;')}"`;
  const nodes = graph.services.map((name) => `  ${ids.get(name) ?? ''}[${quote(name)}]`);
  const edges = graph.edges.map(
    (edge) => `  ${ids.get(edge.caller) ?? ''} -->|${rate(edge.callsPerRequest)}| ${ids.get(edge.callee) ?? ''}`,
  );
  return `${['flowchart LR', ...nodes, ...edges].join('\n')}\n`;
}

/** Graphviz; edges carry calls per request. */
export function graphToDot(graph: ServiceGraph): string {
  const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const nodes = graph.services.map((name) => `  ${quote(name)};`);
  const edges = graph.edges.map(
    (edge) => `  ${quote(edge.caller)} -> ${quote(edge.callee)} [label="${rate(edge.callsPerRequest)}"];`,
  );
  return `${['digraph services {', '  rankdir=LR;', ...nodes, ...edges, '}'].join('\n')}\n`;
}

function rate(callsPerRequest: number): string {
  return String(Number(callsPerRequest.toFixed(2)));
}
