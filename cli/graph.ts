import type { Command } from 'commander';

import { buildGraph } from '../core/graph/build.js';
import type { EdgeSet } from '../core/graph/edgeSet.js';
import { graphToDot, graphToMermaid } from '../core/graph/draw.js';
import { detectGraphSource } from '../core/graph/sources/detectGraphSource.js';
import { parseGraphSource } from '../core/graph/sources/parseGraphSource.js';
import type { ServiceGraph } from '../core/spec/graph.js';
import type { Problem, Result } from '../core/spec/problem.js';
import { printJson, refuse } from './output.js';
import { readText } from './readText.js';

const FORMATS = ['json', 'mermaid', 'dot'] as const;
type Format = (typeof FORMATS)[number];

const SOURCES =
  'files, each told by what it holds: OTLP traces, servicegraph metrics, Jaeger or Zipkin dependencies, ' +
  'Kiali graphs, Istio metrics, Kubernetes manifests, Compose files, YAML lists of edges (docs/graph-sources.md)';

export function registerGraph(program: Command): void {
  program
    .command('graph')
    .description('merge what sources say of who calls whom into one service graph')
    .argument('<source...>', SOURCES)
    .option('--format <format>', FORMATS.join(', '), 'json')
    .action(async (files: string[], options: { format: string }) => {
      const format = FORMATS.find((one) => one === options.format);
      if (format === undefined) {
        const message = `is ${JSON.stringify(options.format)}`;
        return refuse([{ code: 'option', field: '--format', message, expected: FORMATS.join(', ') }], 'text');
      }
      const graph = await graphOfFiles(files);
      if (!graph.ok) return refuse(graph.problems, format === 'json' ? 'json' : 'text');
      for (const warning of graph.value.warnings) process.stderr.write(`warning: ${warning}\n`);
      print(graph.value, format);
    });
}

function print(graph: ServiceGraph, format: Format): void {
  if (format === 'json') printJson(graph);
  else process.stdout.write(format === 'mermaid' ? graphToMermaid(graph) : graphToDot(graph));
}

/** The graph that several sources tell together; every problem of every file. */
export async function graphOfFiles(files: readonly string[]): Promise<Result<ServiceGraph>> {
  const sources: EdgeSet[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const text = await readText(file);
    const parsed = text.ok ? parseSource(text.value, file) : text;
    if (parsed.ok) sources.push(parsed.value);
    else problems.push(...parsed.problems);
  }
  return problems.length > 0 ? { ok: false, problems } : buildGraph({ sources });
}

function parseSource(text: string, file: string): Result<EdgeSet> {
  const kind = detectGraphSource(text, file);
  if (kind !== null) return parseGraphSource(kind, text, file);
  const expected = 'one of the sources in docs/graph-sources.md';
  return {
    ok: false,
    problems: [{ code: 'graph-kind', file, field: '(file)', message: 'is of no known kind', expected }],
  };
}
