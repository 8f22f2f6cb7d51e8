import type { GraphSourceKind } from '../../spec/region.js';

/** Enough to know a text by; some are gigabytes of traces. */
const HEAD_LENGTH = 64 * 1024;

type Sign = readonly [GraphSourceKind, RegExp];

/** The first that is found in the head of a JSON text; keys that only one kind has come first. */
const JSON_SIGNS: readonly Sign[] = [
  ['otlp', /"resource_?[sS]pans"\s*:/],
  ['kiali', /"elements"\s*:\s*\{/],
  ['istio', /"istio_requests_total"/],
  ['otel-servicegraph', /"traces_service_graph_request_total"/],
  ['kubernetes', /"kind"\s*:\s*"(List|Service|Deployment|StatefulSet|DaemonSet|Pod|Job|CronJob|ConfigMap)"/],
  ['yaml', /"(caller|edges)"\s*:/],
  ['zipkin', /^\s*\[\s*(\{[^{}]*"(parent|child|callCount)"\s*:|\]\s*$)/],
  ['jaeger', /"(data|dependencies)"\s*:\s*(\[|null)/],
  ['compose', /"services"\s*:\s*\{/],
];

const METRIC_SIGNS: readonly Sign[] = [
  ['istio', /^istio_\w+(\{|\s)/m],
  ['otel-servicegraph', /^traces_service_graph_\w+(\{|\s)/m],
];

const YAML_SIGNS: readonly Sign[] = [
  ['kubernetes', /^apiVersion\s*:/m],
  ['compose', /^services\s*:/m],
  ['yaml', /^(edges\s*:|\s*-\s*(\{|caller\s*:|callee\s*:))/m],
];

/** The kind of a text, by what it holds, and where that does not tell, by the name of its file; null where neither does. */
export function detectGraphSource(text: string, fileName: string): GraphSourceKind | null {
  const head = text.slice(0, HEAD_LENGTH).replace(/^\uFEFF/, '');
  const isJson = /^\s*[{[]/.test(head);
  const signs = isJson ? JSON_SIGNS : [...METRIC_SIGNS, ...YAML_SIGNS];
  const found = signs.find(([, sign]) => sign.test(head));
  if (found !== undefined) return found[0];
  // Metrics of much else may come first.
  const late = isJson ? undefined : METRIC_SIGNS.find(([, sign]) => sign.test(text));
  return late?.[0] ?? byName(fileName);
}

function byName(fileName: string): GraphSourceKind | null {
  if (/(^|[/\\])(docker-)?compose[^/\\]*\.ya?ml$/i.test(fileName)) return 'compose';
  if (/\.(ya?ml|json)$/i.test(fileName)) return 'yaml';
  return /\.(prom|metrics|txt)$/i.test(fileName) ? 'otel-servicegraph' : null;
}
