import { InvalidMetricQueryError, InvalidMetricRowError } from './errors.js';
import type { AggregateFunction, MetricAggregate, MetricQuery, MetricRow } from './port.js';

/**
 * The answer to `query` from rows in the order in which they were written, in memory: the meaning of a query, for
 * stores to be compared with, and for sources that have no aggregation of their own.
 */
export function answerQuery(written: readonly MetricRow[], query: MetricQuery): MetricRow[] {
  checkQuery(query);
  const wanted = Object.entries(query.tags ?? {});
  const matching = written.filter(
    (row) =>
      row.measurement === query.measurement &&
      row.at >= query.fromMs &&
      row.at < query.toMs &&
      wanted.every(([name, value]) => row.tags[name] === value),
  );
  const rows = pickFields(mergeRows(matching), query.fields);
  return query.aggregate === undefined ? rows : aggregateRows(rows, query.aggregate);
}

/** Throws `InvalidMetricQueryError`. */
export function checkQuery(query: MetricQuery): void {
  const everyMs = query.aggregate?.everyMs;
  if (everyMs !== undefined && !(Number.isSafeInteger(everyMs) && everyMs > 0)) {
    throw new InvalidMetricQueryError(`a bucket cannot be ${everyMs} ms wide: whole milliseconds above 0 are expected`);
  }
}

/** Throws `InvalidMetricRowError`. */
export function checkRow(row: MetricRow): void {
  let fields = 0;
  for (const name in row.fields) {
    fields += 1;
    const value = row.fields[name];
    if (!Number.isFinite(value)) throw new InvalidMetricRowError(`${row.measurement}.${name} is ${value}, no number`);
  }
  if (fields === 0) throw new InvalidMetricRowError(`a row of ${row.measurement} has no fields`);
  if (!Number.isSafeInteger(row.at)) {
    throw new InvalidMetricRowError(`a row of ${row.measurement} has the time ${row.at}, not whole milliseconds`);
  }
}

/** One row a key and time, in time order; the last of equal fields wins. */
export function mergeRows(written: readonly MetricRow[]): MetricRow[] {
  const merged = new Map<string, MetricRow>();
  for (const row of written) {
    const key = `${seriesKey(row)}\n${row.at}`;
    merged.set(key, { ...row, fields: { ...merged.get(key)?.fields, ...row.fields } });
  }
  return [...merged.values()].sort((a, b) => a.at - b.at);
}

/** Only the named fields; rows that have none of them are left out. */
function pickFields(rows: readonly MetricRow[], fields: readonly string[] | undefined): MetricRow[] {
  if (fields === undefined) return [...rows];
  return rows.flatMap((row) => {
    const kept = Object.entries(row.fields).filter(([name]) => fields.includes(name));
    return kept.length === 0 ? [] : [{ ...row, fields: Object.fromEntries(kept) }];
  });
}

/** Rows in time order to one row a series and bucket, in time order. */
export function aggregateRows(rows: readonly MetricRow[], { everyMs, by }: MetricAggregate): MetricRow[] {
  const buckets = new Map<string, { row: MetricRow; values: Map<string, number[]> }>();
  for (const row of rows) {
    const at = Math.floor(row.at / everyMs) * everyMs;
    const key = `${seriesKey(row)}\n${at}`;
    const bucket = buckets.get(key) ?? { row: { ...row, at }, values: new Map<string, number[]>() };
    buckets.set(key, bucket);
    for (const [name, value] of Object.entries(row.fields)) {
      bucket.values.set(name, [...(bucket.values.get(name) ?? []), value]);
    }
  }
  return [...buckets.values()]
    .map(({ row, values }) => ({
      ...row,
      fields: Object.fromEntries([...values].map(([name, list]) => [name, AGGREGATES[by](list)])),
    }))
    .sort((a, b) => a.at - b.at);
}

/** Of one or more values in time order. */
const AGGREGATES: Readonly<Record<AggregateFunction, (values: readonly number[]) => number>> = {
  mean: (values) => sum(values) / values.length,
  min: (values) => values.reduce((a, b) => Math.min(a, b)),
  max: (values) => values.reduce((a, b) => Math.max(a, b)),
  sum,
  count: (values) => values.length,
  last: (values) => values.at(-1) ?? Number.NaN,
};

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b);
}

/** How many values (one field of one row) the rows hold. */
export function valuesOf(rows: readonly MetricRow[]): number {
  return rows.reduce((values, { fields }) => values + Object.keys(fields).length, 0);
}

/** The same for equal measurements and sets of tags, whatever the order of the tags. */
export function seriesKey(row: Pick<MetricRow, 'measurement' | 'tags'>): string {
  return `${row.measurement}\n${canonicalTags(row.tags)}`;
}

/** JSON of the tags in the order of their names. */
export function canonicalTags(tags: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1))));
}
