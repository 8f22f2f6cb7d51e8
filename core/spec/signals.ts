/** What another source than our own reading of the proxies (Prometheus, say) measured over one window. */
export interface SignalSet {
  /** Named in reasons and problems, such as `prometheus http://prom:9090`. */
  source: string;
  /** Milliseconds since the epoch; the window that was measured, which may begin before the one that was asked for. */
  fromMs: number;
  toMs: number;
  services: readonly ServiceSignals[];
  problems: readonly string[];
}

/** `null` is "not known", never zero. */
export interface ServiceSignals {
  service: string;
  rps: number | null;
  /** 5xx over requests answered, 0–1. */
  errorRate: number | null;
  p50Ms: number | null;
  p99Ms: number | null;
  readyInstances: number | null;
  /** Cores that all instances together use. */
  cpuCores: number | null;
  /** Memory that all instances together use. */
  memoryMiB: number | null;
  /** From the newest sample that any of these rest on to the end of the window. */
  ageSeconds: number;
}
