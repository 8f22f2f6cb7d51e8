import { aggregateRows, checkQuery, mergeRows } from './aggregate.js';
import { MetricsStoreClosedError } from './errors.js';
import type { AggregateFunction, MetricAggregate, MetricQuery, MetricRow, MetricsReader } from './port.js';
import { PrometheusError } from '../prometheus/errors.js';
import type { PrometheusClient, PrometheusSeries } from '../prometheus/port.js';
import { duration, selector } from '../prometheus/promql.js';

/** PromQL durations end before 292 years; nothing was measured before the epoch or after 2100. */
const LATEST_MS = Date.UTC(2100, 0, 1);
/** Beyond this many buckets most are empty: rows are read instead. */
const MAX_BUCKETS = 100_000;

const FUNCTIONS: Readonly<Record<AggregateFunction, string>> = {
  mean: 'avg_over_time',
  min: 'min_over_time',
  max: 'max_over_time',
  sum: 'sum_over_time',
  count: 'count_over_time',
  last: 'last_over_time',
};

/**
 * Measurements that a Prometheus-compatible server holds: a field is the metric `psmg_<measurement>_<field>`, a tag is
 * a label (`job` and `instance` of scraped ones too). Characters that Prometheus does not take in names are `_` there,
 * so a measurement `a` also finds the fields of a measurement `a_b`.
 *
 * Exact to the millisecond, rows and buckets alike: rows are the raw samples, which Prometheus keeps with the time of
 * their scrape. Its windows are (t−w, t] from version 3 on and [t−w, t] before; which of the two is asked of the server
 * itself, once, and windows are chosen so that they hold what from ≤ time < to means. What is lost is lost on the way
 * in: values that are not finite are left out, and a series cannot have an empty tag.
 *
 * Rejects with a `PrometheusError`, and with `MetricsStoreClosedError` after `close`.
 */
export function createPrometheusMetricsReader(client: PrometheusClient): MetricsReader {
  let isClosed = false;
  let isLeftOpen: Promise<boolean> | undefined;
  const leftOpen = (signal?: AbortSignal): Promise<boolean> => {
    isLeftOpen ??= windowsAreLeftOpen(client, signal).catch((error: unknown) => {
      // Asked again by the next query.
      isLeftOpen = undefined;
      throw error;
    });
    return isLeftOpen;
  };
  return {
    query: async (query, signal) => {
      if (isClosed) throw new MetricsStoreClosedError();
      checkQuery(query);
      const asked = { ...query, fromMs: Math.max(0, query.fromMs), toMs: Math.min(LATEST_MS, query.toMs) };
      const isEmpty = asked.fromMs >= asked.toMs || asked.fields?.length === 0;
      if (isEmpty || Object.values(asked.tags ?? {}).includes('')) return [];
      const { aggregate } = asked;
      if (aggregate === undefined) return readRows(client, asked, signal);
      const buckets = (asked.toMs - asked.fromMs) / aggregate.everyMs;
      if (buckets > MAX_BUCKETS || aggregate.everyMs < 2) {
        return aggregateRows(await readRows(client, asked, signal), aggregate);
      }
      return readBuckets(client, asked, aggregate, await leftOpen(signal), signal);
    },
    close: async () => {
      isClosed = true;
      return Promise.resolve();
    },
  };
}

/** Two steps of a second lie in a window of a second only where both its ends belong to it. */
async function windowsAreLeftOpen(client: PrometheusClient, signal?: AbortSignal): Promise<boolean> {
  const query = 'count_over_time(vector(1)[1s:1s])';
  const answer = await client.instant({ query, atMs: 1_700_000_000_000 }, signal);
  return answer.series[0]?.samples[0]?.value === 1;
}

/** Raw samples; a stretch that is too much for one answer is read in halves. */
async function readRows(client: PrometheusClient, query: MetricQuery, signal?: AbortSignal): Promise<MetricRow[]> {
  const names = namesOf(query);
  const rows: MetricRow[] = [];
  const open = [{ fromMs: query.fromMs, toMs: query.toMs }];
  for (let stretch = open.shift(); stretch !== undefined; stretch = open.shift()) {
    const { fromMs, toMs } = stretch;
    // A millisecond more than needed where both ends belong to the window: what is too early is left out below.
    const ask = { query: `${names.selector}[${duration(toMs - fromMs)}]`, atMs: toMs - 1 };
    try {
      for (const series of (await client.instant(ask, signal)).series) {
        rows.push(...rowsOf(series, query.measurement, names.fieldOf(series)).filter(({ at }) => at >= fromMs));
      }
    } catch (error) {
      const middle = Math.floor((fromMs + toMs) / 2);
      const isTooMuch = error instanceof PrometheusError && ['too-much', 'too-large'].includes(error.failure);
      if (!isTooMuch || middle <= fromMs) throw error;
      open.unshift({ fromMs, toMs: middle }, { fromMs: middle, toMs });
    }
  }
  return mergeRows(rows);
}

/** Whole buckets are worked out by the server; of those that from and to cut, the rows are read. */
async function readBuckets(
  client: PrometheusClient,
  query: MetricQuery,
  aggregate: MetricAggregate,
  isLeftOpen: boolean,
  signal?: AbortSignal,
): Promise<MetricRow[]> {
  const { fromMs, toMs, measurement } = query;
  const { everyMs, by } = aggregate;
  const firstMs = Math.ceil(fromMs / everyMs) * everyMs;
  const lastMs = Math.floor(toMs / everyMs) * everyMs;
  const cut = async (from: number, to: number): Promise<MetricRow[]> =>
    from >= to ? [] : aggregateRows(await readRows(client, { ...query, fromMs: from, toMs: to }, signal), aggregate);
  if (firstMs >= lastMs) return cut(fromMs, toMs);
  const rows = await cut(fromMs, firstMs);
  for (const field of await fieldsOf(client, query, firstMs, lastMs, signal)) {
    const series = selector(metricName(measurement, field), matchersOf(query));
    // At the end of its bucket less a millisecond, so that a sample at the end itself belongs to the next.
    const width = duration(isLeftOpen ? everyMs : everyMs - 1);
    const over = `${FUNCTIONS[by]}(${series}[${width}] offset 1ms)`;
    const whole = { query: over, fromMs: firstMs + everyMs, toMs: lastMs, stepMs: everyMs };
    for (const one of (await client.range(whole, signal)).series) {
      rows.push(...rowsOf(one, measurement, field).map((row) => ({ ...row, at: row.at - everyMs })));
    }
  }
  rows.push(...(await cut(lastMs, toMs)));
  return mergeRows(rows);
}

/** A function over time takes the name away, so every field is a query of its own. */
async function fieldsOf(
  client: PrometheusClient,
  query: MetricQuery,
  fromMs: number,
  toMs: number,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  if (query.fields !== undefined) return query.fields;
  const names = namesOf(query);
  const there = `count by (__name__) (last_over_time(${names.selector}[${duration(toMs - fromMs)}]))`;
  const answer = await client.instant({ query: there, atMs: toMs - 1 }, signal);
  return answer.series.map((series) => names.fieldOf(series)).sort();
}

function rowsOf({ labels, samples }: PrometheusSeries, measurement: string, field: string): MetricRow[] {
  const tags = Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__'));
  return samples.map(({ at, value }) => ({ measurement, tags, at, fields: { [field]: value } }));
}

/** All metrics that a query may be about, and the field that each stands for. */
function namesOf(query: MetricQuery): { selector: string; fieldOf(series: PrometheusSeries): string } {
  const prefix = metricName(query.measurement, '');
  const byName = new Map((query.fields ?? []).map((field) => [metricName(query.measurement, field), field]));
  const pattern = byName.size === 0 ? `${prefix}.+` : [...byName.keys()].join('|');
  return {
    selector: selector('', [`__name__=~"${pattern}"`, ...matchersOf(query)]),
    fieldOf: ({ labels }) => {
      const name = labels['__name__'] ?? '';
      return byName.get(name) ?? name.slice(prefix.length);
    },
  };
}

function matchersOf({ tags }: MetricQuery): string[] {
  return Object.entries(tags ?? {}).map(([name, value]) => `${plain(name)}=${JSON.stringify(value)}`);
}

/** The metric that holds a field of a measurement. */
export function metricName(measurement: string, field: string): string {
  return `psmg_${plain(measurement)}_${plain(field)}`;
}

function plain(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
}
