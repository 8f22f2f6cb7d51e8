import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { CounterName, GaugeName, HistogramName, MetricInfo, MetricName } from './catalogue.js';
import { METRICS } from './catalogue.js';
import type { Meter } from './port.js';

export interface PrometheusMeter extends Meter {
  readonly contentType: string;
  /** Prometheus' text format, with everything as of now. */
  text(): Promise<string>;
}

export interface PrometheusOptions {
  now(): number;
  /** What was observed of a region vanishes when nothing of it was observed for so long. */
  fleetingMs?: number;
  /** Also the process' own: CPU, memory, event loop, garbage collection. */
  processMetrics?: boolean;
}

type Labels = Readonly<Record<string, string>>;
interface Instruments {
  gauges: Map<string, Gauge>;
  counters: Map<string, Counter>;
  histograms: Map<string, Histogram>;
}

const FLEETING_MS = 600_000;
const CATALOGUE: Readonly<Record<string, MetricInfo>> = METRICS;

/** Holds the newest figures in memory for `/metrics`. */
export function createPrometheusMeter(options: PrometheusOptions): PrometheusMeter {
  const registry = new Registry();
  const instruments = createInstruments(registry);
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry });
  const known = new KnownSeries();
  const moments = new Map<string, { name: GaugeName; labels: Labels; atMs: number }>();
  const observedMs = new Map<string, number>();

  const remove = (name: MetricName, labels: Labels): void => {
    instruments.gauges.get(name)?.remove(labels);
    instruments.counters.get(name)?.remove(labels);
    instruments.histograms.get(name)?.remove(labels);
    moments.delete(seriesKey(name, labels));
    known.remove(name, labels);
  };
  const dropStale = (): void => {
    const limitMs = options.now() - (options.fleetingMs ?? FLEETING_MS);
    for (const [region, atMs] of observedMs) {
      if (atMs >= limitMs) continue;
      observedMs.delete(region);
      for (const { name, labels } of known.of(region)) if (CATALOGUE[name]?.fleeting === true) remove(name, labels);
    }
  };

  return {
    contentType: registry.contentType,
    set(name, labels, value): void {
      if (value === null || !Number.isFinite(value)) return remove(name, labels);
      const { region } = labels as Labels;
      if (region !== undefined && CATALOGUE[name]?.fleeting === true) observedMs.set(region, options.now());
      known.add(name, labels);
      instruments.gauges.get(name)?.set(labels, value);
    },
    since(name, labels, atMs): void {
      if (!Number.isFinite(atMs)) return;
      known.add(name, labels);
      moments.set(seriesKey(name, labels), { name, labels, atMs });
    },
    add(name: CounterName, labels: Labels, by = 1): void {
      if (!(by >= 0 && Number.isFinite(by))) return;
      known.add(name, labels);
      instruments.counters.get(name)?.inc(labels, by);
    },
    total(name: CounterName, labels: Labels, value: number): void {
      if (!(value >= 0 && Number.isFinite(value))) return;
      const counter = instruments.counters.get(name);
      counter?.remove(labels);
      counter?.inc(labels, value);
    },
    observe(name: HistogramName, labels: Labels, value: number): void {
      if (Number.isFinite(value)) instruments.histograms.get(name)?.observe(labels, value);
    },
    regions: () => known.regions(),
    forgetRegion(region): void {
      observedMs.delete(region);
      for (const { name, labels } of known.of(region)) remove(name, labels);
    },
    async text(): Promise<string> {
      dropStale();
      for (const { name, labels, atMs } of moments.values()) {
        instruments.gauges.get(name)?.set(labels, Math.max(0, (options.now() - atMs) / 1000));
      }
      return registry.metrics();
    },
  };
}

function createInstruments(registry: Registry): Instruments {
  const made: Instruments = { gauges: new Map(), counters: new Map(), histograms: new Map() };
  for (const [name, info] of Object.entries(CATALOGUE)) {
    const common = { name, help: info.help, labelNames: [...info.labels], registers: [registry] };
    if (info.kind === 'gauge') made.gauges.set(name, new Gauge(common));
    else if (info.kind === 'counter') made.counters.set(name, new Counter(common));
    else made.histograms.set(name, new Histogram({ ...common, buckets: [...(info.buckets ?? [])] }));
  }
  // Without labels the library shows 0 from the start, which would be a value that nobody measured.
  for (const [name, single] of [...made.gauges, ...made.counters]) {
    if (CATALOGUE[name]?.labels.length === 0) single.remove();
  }
  return made;
}

interface Series {
  name: MetricName;
  labels: Labels;
}

/** Series by region, so that a region that has gone takes all of its own with it. */
class KnownSeries {
  private readonly byRegion = new Map<string, Map<string, Series>>();

  add(name: MetricName, labels: Labels): void {
    const { region } = labels;
    if (region === undefined) return;
    const series = this.byRegion.get(region) ?? new Map<string, Series>();
    series.set(seriesKey(name, labels), { name, labels });
    this.byRegion.set(region, series);
  }

  remove(name: MetricName, labels: Labels): void {
    const { region } = labels;
    if (region === undefined) return;
    const series = this.byRegion.get(region);
    series?.delete(seriesKey(name, labels));
    if (series?.size === 0) this.byRegion.delete(region);
  }

  of(region: string): readonly Series[] {
    return [...(this.byRegion.get(region)?.values() ?? [])];
  }

  regions(): ReadonlySet<string> {
    return new Set(this.byRegion.keys());
  }
}

function seriesKey(name: string, labels: Labels): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, sorted]);
}
