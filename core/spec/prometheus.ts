/** How a Prometheus-compatible server is reached. No secret stands in a region file: only where it is kept. */
export interface PrometheusAccess {
  /** With any path prefix, e.g. `https://metrics.example/prometheus`; `/api/v1/…` is put behind it. */
  url: string;
  token?: PrometheusToken;
  /** Sent with each request, e.g. `X-Scope-OrgID` of Mimir. */
  headers?: Readonly<Record<string, string>>;
  /** Of one request; it is asked again a few times. */
  timeoutSeconds: number;
}

/**
 * One of the two: name of an environment variable of the worker, or a file that holds the secret, read anew for each
 * reading. With scheme `basic` the secret is `user:password`.
 */
export interface PrometheusToken {
  env?: string;
  file?: string;
  scheme?: 'bearer' | 'basic';
}

/** Whose metrics the server holds; adapters/prometheus/presets.ts knows their PromQL. */
export const PROMETHEUS_PRESETS = ['istio', 'envoy', 'otel', 'servicegraph', 'psmg'] as const;
export type PrometheusPreset = (typeof PROMETHEUS_PRESETS)[number];
