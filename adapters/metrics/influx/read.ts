import { HttpError } from '@influxdata/influxdb-client';
import { checkQuery } from '../aggregate.js';
import type { MetricQuery, MetricRow } from '../port.js';
import type { InfluxConnection } from './connection.js';
import { MetricsQueryError } from './errors.js';
import { fluxOfQuery } from './flux.js';
import { readFluxCsv } from './fluxCsv.js';
import { databaseOf, influxqlOfQuery } from './influxql.js';
import type { MsgpackValue } from './msgpack.js';
import { MsgpackReader } from './msgpack.js';

export interface InfluxReader {
  query(query: MetricQuery, signal?: AbortSignal): Promise<readonly MetricRow[]>;
}

/** Rows as written by InfluxQL, which lists them wide; aggregates, and all where InfluxQL is not offered, by Flux. */
export function createReader(connection: InfluxConnection, place: { org: string; bucket: string }): InfluxReader {
  let influxqlOffered = true;
  return {
    async query(query, signal) {
      checkQuery(query);
      if (query.fromMs >= query.toMs || query.fields?.length === 0) return [];
      // No tag is ever empty, and to InfluxQL an empty one is one that is missing.
      if (Object.values(query.tags ?? {}).includes('')) return [];
      if (query.aggregate === undefined && influxqlOffered) {
        try {
          return inTimeOrder(await askInfluxql(connection, place, query, signal));
        } catch (error) {
          if (!isNotOffered(error)) throw error;
          influxqlOffered = (error as Error).message.includes('database not found');
        }
      }
      return inTimeOrder(await askFlux(connection, place, query, signal));
    },
  };
}

/** A server without InfluxQL, or a bucket that it does not know by a name of its own. */
function isNotOffered(error: unknown): boolean {
  if (!(error instanceof MetricsQueryError)) return false;
  if (error.message.includes('database not found')) return true;
  return error.cause instanceof HttpError && [404, 405, 501].includes(error.cause.statusCode);
}

async function askFlux(
  connection: InfluxConnection,
  place: { org: string; bucket: string },
  query: MetricQuery,
  signal?: AbortSignal,
): Promise<MetricRow[]> {
  const rows = new RowsOfColumns(query);
  await readFluxCsv(askFluxText(connection, place.org, fluxOfQuery(place.bucket, query), signal), (columns, cells) =>
    rows.add(columns, cells),
  );
  return rows.rows;
}

export function askFluxText(
  connection: InfluxConnection,
  org: string,
  text: string,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  const headers = { 'content-type': 'application/vnd.flux', accept: 'application/csv' };
  return connection.ask(`/api/v2/query?org=${encodeURIComponent(org)}`, text, headers, signal);
}

interface Series {
  tags: Record<string, string>;
  byTime: Map<number, Record<string, number>>;
}

/** Puts the fields of a row, which Flux lists one below the other, beside each other again. */
class RowsOfColumns {
  readonly rows: MetricRow[] = [];
  private readonly query: MetricQuery;
  private readonly series = new Map<string, Series>();
  private readonly times = new Map<string, number>();
  private columns: readonly string[] = [];
  private tagColumns: readonly number[] = [];
  private place = { table: -1, time: -1, field: -1, value: -1 };
  /** All lines of one table are of one series. */
  private table = '';
  private current: Series = { tags: {}, byTime: new Map() };

  constructor(query: MetricQuery) {
    this.query = query;
  }

  add(columns: readonly string[], cells: readonly string[]): void {
    if (columns !== this.columns) this.enter(columns);
    const text = cells[this.place.value] ?? '';
    const value = Number(text);
    const field = cells[this.place.field];
    // Somebody else may keep texts in the same measurement.
    if (field === undefined || text === '' || !Number.isFinite(value)) return;
    const at = this.timeOf(cells[this.place.time] ?? '');
    const table = cells[this.place.table] ?? '';
    if (table !== this.table) {
      this.table = table;
      this.current = this.seriesOf(cells);
    }
    const series = this.current;
    const known = series.byTime.get(at);
    if (known !== undefined) known[field] = value;
    else {
      const fields = { [field]: value };
      series.byTime.set(at, fields);
      this.rows.push({ measurement: this.query.measurement, tags: series.tags, at, fields });
    }
  }

  private enter(columns: readonly string[]): void {
    this.columns = columns;
    const at = (name: string): number => columns.indexOf(name);
    this.table = '';
    this.place = { table: at('table'), time: at('_time'), field: at('_field'), value: at('_value') };
    const own = new Set(['', 'result', 'table', '_time', '_field', '_value']);
    this.tagColumns = columns.flatMap((name, i) => (own.has(name) ? [] : [i]));
  }

  private seriesOf(cells: readonly string[]): Series {
    let key = '';
    for (const i of this.tagColumns) key += `${this.columns[i]}\n${cells[i]}\n`;
    let series = this.series.get(key);
    if (series === undefined) {
      const tags: Record<string, string> = {};
      for (const i of this.tagColumns) {
        const value = cells[i] ?? '';
        if (value !== '') tags[this.columns[i] ?? ''] = value;
      }
      series = { tags, byTime: new Map() };
      this.series.set(key, series);
    }
    return series;
  }

  /** Of a bucket that the range cuts, the server gives the cut as its begin. */
  private timeOf(text: string): number {
    let at = this.times.get(text);
    if (at === undefined) {
      at = Date.parse(text);
      const everyMs = this.query.aggregate?.everyMs;
      if (everyMs !== undefined) at = Math.floor(at / everyMs) * everyMs;
      this.times.set(text, at);
    }
    return at;
  }
}

async function askInfluxql(
  connection: InfluxConnection,
  { org, bucket }: { org: string; bucket: string },
  query: MetricQuery,
  signal?: AbortSignal,
): Promise<MetricRow[]> {
  const parameters = new URLSearchParams({ org, epoch: 'ms', ...databaseOf(bucket) });
  const body = new URLSearchParams({ q: influxqlOfQuery(query) }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/x-msgpack' };
  const chunks: Uint8Array[] = [];
  for await (const chunk of connection.ask(`/query?${parameters}`, body, headers, signal)) chunks.push(chunk);
  return rowsOfAnswer(query.measurement, new MsgpackReader(Buffer.concat(chunks)).read() as unknown as InfluxqlAnswer);
}

interface InfluxqlAnswer {
  error?: string;
  results?: readonly {
    error?: string;
    series?: readonly {
      tags?: Readonly<Record<string, string>>;
      columns: readonly string[];
      values: readonly (readonly MsgpackValue[])[];
    }[];
  }[];
}

function rowsOfAnswer(measurement: string, answer: InfluxqlAnswer): MetricRow[] {
  const rows: MetricRow[] = [];
  for (const { error, series } of [{ error: answer.error }, ...(answer.results ?? [])] as NonNullable<
    InfluxqlAnswer['results']
  >) {
    if (error !== undefined) throw new MetricsQueryError(`InfluxDB: ${error}`);
    for (const { tags = {}, columns, values } of series ?? []) {
      // Series of one measurement are listed with all of its tags, also those that they do not have.
      const own = Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== ''));
      for (const cells of values) {
        const fields: Record<string, number> = {};
        let any = false;
        for (let i = 1; i < cells.length; i += 1) {
          const value = cells[i];
          if (typeof value !== 'number') continue;
          fields[columns[i] ?? ''] = value;
          any = true;
        }
        if (any) rows.push({ measurement, tags: own, at: Number(cells[0]), fields });
      }
    }
  }
  return rows;
}

/** Series come one after the other, each in order; most answers hold one. */
function inTimeOrder(rows: MetricRow[]): readonly MetricRow[] {
  const sorted = rows.every((row, i) => i === 0 || (rows[i - 1]?.at ?? 0) <= row.at);
  return sorted ? rows : rows.sort((a, b) => a.at - b.at);
}
