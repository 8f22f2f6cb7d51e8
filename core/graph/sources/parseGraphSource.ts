import type { Result } from '../../spec/problem.js';
import type { GraphSourceKind } from '../../spec/region.js';
import type { EdgeSet } from '../edgeSet.js';
import { parseCompose } from './compose.js';
import { parseJaeger, parseZipkin } from './dependencies.js';
import { parseIstio } from './istio.js';
import { parseKiali } from './kiali.js';
import { parseKubernetes } from './kubernetes.js';
import { parseOtelServicegraph } from './otelServicegraph.js';
import { parseOtlp } from './otlp.js';
import { parseYamlEdges } from './yamlEdges.js';

const PARSERS: Readonly<Record<GraphSourceKind, (text: string, file: string) => Result<EdgeSet>>> = {
  yaml: parseYamlEdges,
  'otel-servicegraph': parseOtelServicegraph,
  otlp: parseOtlp,
  jaeger: parseJaeger,
  zipkin: parseZipkin,
  kiali: parseKiali,
  istio: parseIstio,
  kubernetes: parseKubernetes,
  compose: parseCompose,
};

/** What a text of this kind says of who calls whom; every problem with its file and, where it has one, its line. */
export function parseGraphSource(kind: GraphSourceKind, text: string, file: string): Result<EdgeSet> {
  return PARSERS[kind](text, file);
}
