import type { MetricQuery } from '../port.js';
import { clampTime } from './flux.js';

/**
 * Every row of a question, as InfluxQL: the server puts the fields of a row beside each other itself, three times as
 * quickly as Flux lists them one below the other.
 */
export function influxqlOfQuery(query: MetricQuery): string {
  const columns = query.fields?.map((name) => `${identifier(name)}::field`).join(', ') ?? '*::field';
  const tests = Object.entries(query.tags ?? {}).map(([name, value]) => `${identifier(name)}::tag = ${literal(value)}`);
  tests.push(`time >= ${wholeMs(query.fromMs)}ms`, `time < ${wholeMs(query.toMs)}ms`);
  return `SELECT ${columns} FROM ${identifier(query.measurement)} WHERE ${tests.join(' AND ')} GROUP BY *`;
}

/** The bucket as InfluxQL names it: database and retention policy, parted by a slash. */
export function databaseOf(bucket: string): { db: string; rp?: string } {
  const slash = bucket.indexOf('/');
  return slash < 0 ? { db: bucket } : { db: bucket.slice(0, slash), rp: bucket.slice(slash + 1) };
}

function identifier(name: string): string {
  return `"${escaped(name, '"')}"`;
}

function literal(text: string): string {
  return `'${escaped(text, "'")}'`;
}

function escaped(text: string, quote: '"' | "'"): string {
  return text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`).replaceAll('\n', '\\n');
}

function wholeMs(ms: number): number {
  return Math.ceil(clampTime(ms));
}
