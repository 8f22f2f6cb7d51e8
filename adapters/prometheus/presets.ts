import type { PrometheusPreset } from '../../core/spec/prometheus.js';
import type { SignalQuery } from '../../core/spec/signalSource.js';
import { selector } from './promql.js';

/** What a region file may narrow a preset by. */
export interface PresetChoice {
  serviceLabel?: string;
  /** Label → value that request metrics must have. */
  labels?: Readonly<Record<string, string>>;
  /** Kubernetes namespace of the workloads. */
  namespace?: string;
}

/** PromQL whose series are told apart by one label, which names the service. */
export interface LabelledQuery {
  query: string;
  label: string;
}

/** Where one kind of installation counts requests. Times of histograms are in `unitMs`. */
interface RequestMetrics {
  label: string;
  /** Counter of requests. */
  requests: string;
  /** Matchers of what counts as a request at all, and of those that failed. */
  all: readonly string[];
  failed: readonly string[];
  /** Counter of failed requests, where it is one of its own. */
  failedRequests?: string;
  /** Counter that the error rate is a share of; absent: `requests`. */
  answered?: string;
  /** Matchers of what errors are counted among, where not all requests are. */
  answeredOnly?: readonly string[];
  buckets: string;
  bucketsOnly?: readonly string[];
  unitMs: number;
  ready: readonly LabelledQuery[];
}

const MEMBERSHIP: LabelledQuery = {
  // As our own reading: the fewest that any proxy sees as healthy.
  query: `min by (envoy_cluster_name) (${fresh('envoy_cluster_membership_healthy')})`,
  label: 'envoy_cluster_name',
};

const METRICS: Readonly<Record<PrometheusPreset, RequestMetrics>> = {
  istio: {
    label: 'destination_service_name',
    requests: 'istio_requests_total',
    all: ['reporter="destination"'],
    failed: ['response_code=~"5.."'],
    buckets: 'istio_request_duration_milliseconds_bucket',
    unitMs: 1,
    ready: [],
  },
  envoy: {
    label: 'envoy_cluster_name',
    requests: 'envoy_cluster_upstream_rq_total',
    all: [],
    failed: ['envoy_response_code_class="5"'],
    answered: 'envoy_cluster_upstream_rq_xx',
    buckets: 'envoy_cluster_upstream_rq_time_bucket',
    unitMs: 1,
    ready: [MEMBERSHIP],
  },
  otel: {
    label: 'job',
    requests: 'http_server_request_duration_seconds_count',
    all: [],
    failed: ['http_response_status_code=~"5.."'],
    buckets: 'http_server_request_duration_seconds_bucket',
    unitMs: 1000,
    ready: [],
  },
  servicegraph: {
    label: 'server',
    requests: 'traces_service_graph_request_total',
    all: [],
    failed: [],
    failedRequests: 'traces_service_graph_request_failed_total',
    buckets: 'traces_service_graph_request_server_seconds_bucket',
    unitMs: 1000,
    ready: [],
  },
  psmg: {
    label: 'service',
    requests: 'envoy_psmg_requests',
    all: [],
    failed: ['code=~"5.."'],
    // What the rate limit refused is no answer of the service; our own reading leaves it out on both sides as well.
    answeredOnly: ['flags!~".*RL.*"'],
    buckets: 'envoy_psmg_latency_us_bucket',
    bucketsOnly: ['flags!~".*(RL|UO).*"'],
    unitMs: 0.001,
    ready: [MEMBERSHIP],
  },
};

/** Requests per second over the step before each evaluation; `$step` is left to fill in. */
export function historyPreset(preset: PrometheusPreset, choice: PresetChoice): LabelledQuery {
  const metrics = METRICS[preset];
  const label = choice.serviceLabel ?? metrics.label;
  const series = selector(metrics.requests, requestMatchers(preset, choice));
  return { label, query: `sum by (${label}) (rate(${series}[$step]))` };
}

/**
 * Candidates by field: the first that knows a service is believed for it. `$window` and `$maxAge` are left to fill in.
 */
export function signalPreset(
  preset: PrometheusPreset,
  choice: PresetChoice,
): Readonly<Record<SignalQuery, readonly LabelledQuery[]>> {
  const metrics = METRICS[preset];
  const label = choice.serviceLabel ?? metrics.label;
  const matchers = requestMatchers(preset, choice);
  const rate = (metric: string, ...more: readonly string[]): string =>
    `sum by (${label}) (rate(${selector(metric, [...matchers, ...more])}[$window]))`;
  const answered = rate(metrics.answered ?? metrics.requests, ...(metrics.answeredOnly ?? []));
  const failed = rate(
    metrics.failedRequests ?? metrics.answered ?? metrics.requests,
    ...metrics.failed,
    ...(metrics.answeredOnly ?? []),
  );
  const buckets = selector(metrics.buckets, [...matchers, ...(metrics.bucketsOnly ?? [])]);
  const quantile = (q: number): LabelledQuery => {
    const merged = `histogram_quantile(${q}, sum by (${label}, le) (rate(${buckets}[$window])))`;
    return { label, query: metrics.unitMs === 1 ? merged : `${metrics.unitMs} * ${merged}` };
  };
  const workloads = workloadQueries(choice.namespace);
  return {
    rps: [{ label, query: rate(metrics.requests) }],
    // A service without failures has no series of them: that is zero, as long as it has requests.
    errorRate: [{ label, query: `(${failed} or 0 * ${answered}) / ${answered}` }],
    p50Ms: [quantile(0.5)],
    p99Ms: [quantile(0.99)],
    readyInstances: [...metrics.ready, workloads.ready],
    cpuCores: workloads.cpu,
    memoryMiB: workloads.memory,
    newest: [{ label, query: `max by (${label}) (timestamp(${selector(metrics.requests, matchers)}))` }],
  };
}

function requestMatchers(preset: PrometheusPreset, { labels, namespace }: PresetChoice): readonly string[] {
  const own = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const inNamespace =
    preset === 'istio' && namespace !== undefined ? [`destination_service_namespace=${JSON.stringify(namespace)}`] : [];
  return [...METRICS[preset].all, ...inNamespace, ...own];
}

/** What Kubernetes tells by Deployment, and processes of their own by scrape job. */
function workloadQueries(namespace: string | undefined): {
  ready: LabelledQuery;
  cpu: readonly LabelledQuery[];
  memory: readonly LabelledQuery[];
} {
  const inNamespace = namespace === undefined ? [] : [`namespace=${JSON.stringify(namespace)}`];
  const container = (metric: string): string => selector(metric, ['container!=""', 'container!="POD"', ...inNamespace]);
  // Pods of a Deployment are named <deployment>-<hash of the template>-<five characters>.
  const byDeployment = (value: string): string =>
    `sum by (deployment) (label_replace(${value}, "deployment", "$1", "pod", "(.+)-[a-z0-9]{1,10}-[a-z0-9]{5}"))`;
  const mebibytes = (value: string): string => `${value} / 1048576`;
  const ready = fresh(selector('kube_deployment_status_replicas_ready', inNamespace));
  return {
    ready: { label: 'deployment', query: `sum by (deployment) (${ready})` },
    cpu: [
      {
        label: 'deployment',
        query: byDeployment(`rate(${container('container_cpu_usage_seconds_total')}[$window])`),
      },
      { label: 'job', query: 'sum by (job) (rate(process_cpu_seconds_total[$window]))' },
    ],
    memory: [
      {
        label: 'deployment',
        query: mebibytes(byDeployment(fresh(container('container_memory_working_set_bytes')))),
      },
      { label: 'job', query: mebibytes(`sum by (job) (${fresh('process_resident_memory_bytes')})`) },
    ],
  };
}

/** A gauge whose newest sample is not too old: Prometheus itself would go on showing it for five minutes. */
function fresh(series: string): string {
  return `${series} and timestamp(${series}) >= time() - $maxAge`;
}
