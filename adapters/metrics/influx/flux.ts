import { sanitizeInteger } from '@influxdata/influxdb-client';
import type { MetricQuery } from '../port.js';
import { MAX_TIME_MS } from './lineProtocol.js';

/**
 * A question as Flux. Range, measurement, tags and fields are filters, and a window's value is an aggregate of one
 * field: all of it is computed by the storage, and only its answers are sent.
 */
export function fluxOfQuery(bucket: string, query: MetricQuery): string {
  const tests = [
    isString('_measurement', query.measurement),
    ...Object.entries(query.tags ?? {}).map(([name, value]) => isString(name, value)),
  ];
  const fields = query.fields?.map((name) => isString('_field', name));
  if (fields !== undefined) tests.push(`(${fields.join(' or ')})`);
  const lines = [
    `from(bucket: ${quoted(bucket)})`,
    `  |> range(start: ${timeOf(query.fromMs)}, stop: ${timeOf(query.toMs)})`,
    `  |> filter(fn: (r) => ${tests.join(' and ')})`,
  ];
  if (query.aggregate !== undefined) {
    const { everyMs, by } = query.aggregate;
    lines.push(
      `  |> aggregateWindow(every: ${sanitizeInteger(everyMs)}ms, fn: ${by}, timeSrc: "_start", createEmpty: false)`,
    );
  }
  // Three columns of every line that the reader knows already are half of the answer.
  lines.push('  |> drop(columns: ["_start", "_stop", "_measurement"])');
  return lines.join('\n');
}

/** The fields of the newest point of a series at or before a time, as rows of `_time`, `_field`, `_value`. */
export function fluxOfNewest(
  bucket: string,
  series: { measurement: string; tag: string; value: string },
  beforeMs: number,
): string {
  const tests = `${isString('_measurement', series.measurement)} and ${isString(series.tag, series.value)}`;
  return [
    `from(bucket: ${quoted(bucket)})`,
    `  |> range(start: ${timeOf(-MAX_TIME_MS)}, stop: ${timeOf(beforeMs + 1)})`,
    `  |> filter(fn: (r) => ${tests})`,
    '  |> last()',
    '  |> keep(columns: ["_time", "_field", "_value"])',
  ].join('\n');
}

/** The names of the measurements of a bucket, as rows of `_value`. */
export function fluxOfMeasurements(bucket: string): string {
  const range = `start: ${timeOf(-MAX_TIME_MS)}, stop: ${timeOf(MAX_TIME_MS)}`;
  return ['import "influxdata/influxdb/schema"', `schema.measurements(bucket: ${quoted(bucket)}, ${range})`].join('\n');
}

/**
 * A string literal that holds exactly this text, whatever it is. Hexadecimal, as Flux loses its place at a "$" before
 * another escape, which the client's own `fluxString` does not know.
 */
export function quoted(text: string): string {
  return `"${text.replace(/["\\$\n\r\t]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}

function isString(column: string, value: string): string {
  return `r[${quoted(column)}] == ${quoted(value)}`;
}

function timeOf(ms: number): string {
  const ns = BigInt(Math.ceil(clampTime(ms))) * 1_000_000n;
  return `time(v: ${ns})`;
}

/** The nearest time that the server knows. */
export function clampTime(ms: number): number {
  return Math.min(MAX_TIME_MS, Math.max(-MAX_TIME_MS, ms));
}
