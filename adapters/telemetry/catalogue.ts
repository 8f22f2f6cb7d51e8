/**
 * Every metric of our own, once: name with its unit, kind, labels and what it says. `docs/telemetry.md` lists them, and
 * dashboards and alert rules may name no other.
 */
export interface MetricInfo {
  kind: 'gauge' | 'counter' | 'histogram';
  labels: readonly string[];
  help: string;
  /** Upper bounds, for a histogram. */
  buckets?: readonly number[];
  /** What was observed lately or is unknown: such a value vanishes when its region is not observed any more. */
  fleeting?: true;
}

const SERVICE = ['region', 'service'] as const;

export const METRICS = {
  psmg_region_phase: {
    kind: 'gauge',
    labels: ['region', 'phase'],
    help: 'State set: 1 for the phase that the region is in, 0 for the others.',
  },
  psmg_region_blocked: {
    kind: 'gauge',
    labels: ['region', 'reason'],
    help: 'State set: 1 for the reason for which the region is blocked; all 0 when it is not.',
  },
  psmg_region_trust: {
    kind: 'gauge',
    labels: ['region', 'trust'],
    help: 'State set: 1 for the lowest trust that a forecast of the region has earned; all 0 before the first forecast.',
  },
  psmg_region_tuner: {
    kind: 'gauge',
    labels: ['region', 'state'],
    help: 'State set: what the adjustment of the region does.',
  },
  psmg_region_window_start_timestamp_seconds: {
    kind: 'gauge',
    labels: ['region'],
    help: 'Begin of the window of the plan that is in force, in demand time; absent where the plan has only one.',
  },
  psmg_region_frozen: { kind: 'gauge', labels: ['region'], help: '1 while a freeze stops every automatic change.' },
  psmg_region_overrides: { kind: 'gauge', labels: ['region'], help: 'Overrides by people that are in force.' },
  psmg_region_refused_messages: {
    kind: 'gauge',
    labels: ['region'],
    help: 'Messages refused since the region was launched.',
  },
  psmg_region_local_ratio: {
    kind: 'gauge',
    labels: ['region'],
    help: 'Share of the requests that the newest deployment keeps in the region, 0 to 1.',
  },
  psmg_region_observation_age_seconds: {
    kind: 'gauge',
    labels: ['region'],
    help: 'Time since the end of the last observation that this worker made of the region.',
  },
  psmg_region_completeness_ratio: {
    kind: 'gauge',
    labels: ['region'],
    fleeting: true,
    help: 'Share of the proxies of the region that answered the last observation, 0 to 1.',
  },
  psmg_service_requests_per_second: {
    kind: 'gauge',
    labels: SERVICE,
    fleeting: true,
    help: 'Observed demand in the window of the last observation.',
  },
  psmg_service_forecast_requests_per_second: {
    kind: 'gauge',
    labels: ['region', 'service', 'quantile'],
    fleeting: true,
    help: 'Forecast demand at the time of the last observation, by quantile (p50, p95).',
  },
  psmg_service_forecast_error_ratio: {
    kind: 'gauge',
    labels: SERVICE,
    fleeting: true,
    help: '(observed - forecast p50) / forecast p50: above 0 when there was more demand than forecast.',
  },
  psmg_service_error_ratio: {
    kind: 'gauge',
    labels: SERVICE,
    fleeting: true,
    help: 'Share of requests that failed in the window of the last observation; absent without requests.',
  },
  psmg_service_latency_p99_seconds: {
    kind: 'gauge',
    labels: SERVICE,
    fleeting: true,
    help: '99th percentile of latency in the window of the last observation; absent without requests.',
  },
  psmg_service_ready_instances: {
    kind: 'gauge',
    labels: SERVICE,
    fleeting: true,
    help: 'Ready instances of the region itself, as the proxy that sees the fewest sees them.',
  },
  psmg_service_planned_instances: {
    kind: 'gauge',
    labels: SERVICE,
    help: 'Instances in the first window of the plan that this worker made last.',
  },
  psmg_service_forecast_peak_requests_per_second: {
    kind: 'gauge',
    labels: SERVICE,
    help: 'Highest demand within the horizon, at the quantile that the region plans for, by the last forecast.',
  },
  psmg_service_rate_limited_requests_total: {
    kind: 'counter',
    labels: SERVICE,
    help: 'Requests that rate limits refused, summed over the windows of the observations.',
  },
  psmg_observations_total: {
    kind: 'counter',
    labels: ['region', 'result'],
    help: 'Observations of an operating region: complete, partial (a proxy did not answer) or failed (none was made).',
  },
  psmg_adjustment_decisions_total: {
    kind: 'counter',
    labels: ['region', 'decision'],
    help: 'What the policy wanted after a tick: none, adjust, keep or revert (a reversal).',
  },
  psmg_adjustment_verdicts_total: {
    kind: 'counter',
    labels: ['region', 'verdict'],
    help: 'Judgements of an adjustment in flight: successful, failed or inconclusive.',
  },
  psmg_stage_verdicts_total: {
    kind: 'counter',
    labels: ['region', 'verdict'],
    help: 'Judgements of a stage of activation: successful, failed or inconclusive.',
  },
  psmg_deployments_total: {
    kind: 'counter',
    labels: ['region', 'kind', 'result'],
    help: 'Applies of artifacts, each attempt: by the delivery tool, by a swap at the targets, or a restore of an earlier release.',
  },
  psmg_forecasts_total: { kind: 'counter', labels: ['region', 'result'], help: 'Forecasts of a region, each attempt.' },
  psmg_forecast_seconds_total: {
    kind: 'counter',
    labels: ['region'],
    help: 'Time that forecasts of the region took.',
  },
  psmg_plans_total: { kind: 'counter', labels: ['region', 'result'], help: 'Plans of a region, each attempt.' },
  psmg_activity_duration_seconds: {
    kind: 'histogram',
    labels: ['activity', 'outcome'],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 900],
    help: 'Duration of activities by name and outcome: completed, failed or cancelled.',
  },
  psmg_activity_failures_total: {
    kind: 'counter',
    labels: ['activity', 'reason'],
    help: 'Failed attempts of activities by the reason that a block would have, or other.',
  },
  psmg_metrics_store_state: {
    kind: 'gauge',
    labels: ['state'],
    help: 'State set: 1 for the state that the metrics store is in (docs/metrics.md says what to do about each).',
  },
  psmg_metrics_store_stored_points_total: {
    kind: 'counter',
    labels: [],
    help: 'Values written durably into the metrics store since it was opened.',
  },
  psmg_metrics_store_queued_points: { kind: 'gauge', labels: [], help: 'Values that wait on disk for the store.' },
  psmg_metrics_store_queued_bytes: { kind: 'gauge', labels: [], help: 'Bytes that wait on disk for the store.' },
  psmg_worker_info: { kind: 'gauge', labels: ['version', 'node', 'task_queue'], help: 'Always 1.' },
  psmg_worker_ready: { kind: 'gauge', labels: [], help: '1 when /readyz answers 200.' },
  psmg_worker_check_state: {
    kind: 'gauge',
    labels: ['check', 'state'],
    help: 'State set: each check of /readyz is ok, degraded or failed.',
  },
  psmg_worker_temporal_age_seconds: { kind: 'gauge', labels: [], help: 'Time since Temporal last answered a probe.' },
  psmg_worker_visibility_age_seconds: {
    kind: 'gauge',
    labels: [],
    help: 'Time since the regions were last listed from Temporal.',
  },
  psmg_worker_visibility_errors_total: {
    kind: 'counter',
    labels: ['call'],
    help: 'Failed calls for the state of regions: list (of all) or status (of one).',
  },
  psmg_worker_state_directory_free_bytes: {
    kind: 'gauge',
    labels: [],
    help: 'Free space on the disk of the state directory.',
  },
} as const satisfies Readonly<Record<string, MetricInfo>>;

export type MetricName = keyof typeof METRICS;
type OfKind<K extends MetricInfo['kind']> = {
  [N in MetricName]: (typeof METRICS)[N]['kind'] extends K ? N : never;
}[MetricName];
export type GaugeName = OfKind<'gauge'>;
export type CounterName = OfKind<'counter'>;
export type HistogramName = OfKind<'histogram'>;
export type LabelsOf<N extends MetricName> = Readonly<Record<(typeof METRICS)[N]['labels'][number], string>>;
