/** How a request ended, as the user saw it. */
export type Outcome = '2xx' | '429' | '4xx' | '5xx' | 'connection';

export interface LoadCounts {
  sent: number;
  ok2xx: number;
  /** Without 429. */
  client4xx: number;
  limited429: number;
  server5xx: number;
  connectionErrors: number;
  /** Not sent, because too many were in flight. */
  dropped: number;
  /** Sent a second time, because the server had closed the idle connection that the request was sent on. */
  resent: number;
}

/** Latencies run from the moment at which a request should have been sent. */
export interface LoadWindow extends LoadCounts {
  p50Ms: number | null;
  p99Ms: number | null;
}

export interface LoadSecond extends LoadWindow {
  /** Seconds since the epoch in which the requests should have been sent. */
  second: number;
}

/** One 5xx or broken connection. */
export interface LoadFailure {
  /** ISO 8601, UTC; intended send time. */
  at: string;
  service: string;
  /** 0: no answer. */
  status: number;
  /** Which ingress it was sent to. */
  entry: string;
  phase: string;
  requestId: string;
  message: string;
}

/** Each bucket of the histogram is this much wider than the one below: quantiles are exact to 1 %. */
const GROWTH = 1.01;

/** Latencies in logarithmic buckets. */
class Histogram {
  private readonly counts = new Map<number, number>();
  private total = 0;

  add(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(0.01, ms)) / Math.log(GROWTH));
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + 1);
    this.total += 1;
  }

  quantile(q: number): number | null {
    let below = 0;
    for (const bucket of [...this.counts.keys()].sort((a, b) => a - b)) {
      below += this.counts.get(bucket) ?? 0;
      if (below >= q * this.total) return Number((GROWTH ** bucket).toFixed(2));
    }
    return null;
  }
}

interface Window {
  counts: LoadCounts;
  latencies: Histogram;
}

const KEPT_SECONDS = 900;
const KEPT_FAILURES = 5000;

export class LoadStats {
  private readonly total = emptyWindow();
  private readonly services = new Map<string, Window>();
  private readonly bySecond = new Map<number, Window>();
  private readonly failureList: LoadFailure[] = [];

  count(service: string, atMs: number, what: 'sent' | 'dropped' | 'resent'): void {
    for (const window of this.windows(service, atMs)) window.counts[what] += 1;
  }

  finish(service: string, atMs: number, outcome: Outcome, latencyMs: number): void {
    for (const window of this.windows(service, atMs)) {
      window.counts[COUNTED_AS[outcome]] += 1;
      window.latencies.add(latencyMs);
    }
  }

  fail(failure: LoadFailure): void {
    if (this.failureList.length < KEPT_FAILURES) this.failureList.push(failure);
  }

  totals(): LoadWindow {
    return read(this.total);
  }

  byService(): Readonly<Record<string, LoadWindow>> {
    return Object.fromEntries([...this.services].map(([name, window]) => [name, read(window)]));
  }

  /** Oldest first. */
  seconds(): readonly LoadSecond[] {
    return [...this.bySecond].sort(([a], [b]) => a - b).map(([second, window]) => ({ second, ...read(window) }));
  }

  failures(): readonly LoadFailure[] {
    return this.failureList;
  }

  private windows(service: string, atMs: number): readonly Window[] {
    const second = Math.floor(atMs / 1000);
    let ofSecond = this.bySecond.get(second);
    if (ofSecond === undefined) {
      ofSecond = emptyWindow();
      this.bySecond.set(second, ofSecond);
      for (const old of this.bySecond.keys()) if (old <= second - KEPT_SECONDS) this.bySecond.delete(old);
    }
    let ofService = this.services.get(service);
    if (ofService === undefined) {
      ofService = emptyWindow();
      this.services.set(service, ofService);
    }
    return [this.total, ofService, ofSecond];
  }
}

const COUNTED_AS = {
  '2xx': 'ok2xx',
  '429': 'limited429',
  '4xx': 'client4xx',
  '5xx': 'server5xx',
  connection: 'connectionErrors',
} as const satisfies Readonly<Record<Outcome, keyof LoadCounts>>;

export function outcomeOf(status: number): Outcome {
  if (status === 0) return 'connection';
  if (status >= 500) return '5xx';
  if (status === 429) return '429';
  return status >= 400 ? '4xx' : '2xx';
}

function emptyWindow(): Window {
  const counts = {
    sent: 0,
    ok2xx: 0,
    client4xx: 0,
    limited429: 0,
    server5xx: 0,
    connectionErrors: 0,
    dropped: 0,
    resent: 0,
  };
  return { counts, latencies: new Histogram() };
}

function read(window: Window): LoadWindow {
  return { ...window.counts, p50Ms: window.latencies.quantile(0.5), p99Ms: window.latencies.quantile(0.99) };
}
