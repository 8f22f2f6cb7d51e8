import { checkRow } from '../aggregate.js';
import { InvalidMetricRowError } from '../errors.js';
import type { MetricRow } from '../port.js';

/**
 * One row as a line of InfluxDB's line protocol, time in milliseconds, every value a float: a field that was an integer
 * once would refuse fractions for ever. Throws InvalidMetricRowError for what the protocol cannot carry, rather than let
 * it arrive changed: names that are empty, hold control characters, a backslash at the end or
 * before a comma, = or space, or are reserved.
 */
export function encodeRow(row: MetricRow): string {
  checkRow(row);
  if (Math.abs(row.at) > MAX_TIME_MS) {
    throw new InvalidMetricRowError(`a row of ${row.measurement} has the time ${row.at}, further than 290 years away`);
  }
  let line = encodeSeries(row.measurement, row.tags);
  let separator = ' ';
  for (const [name, value] of Object.entries(row.fields)) {
    checkName('field', name, row.measurement);
    if (name === 'time') throw new InvalidMetricRowError(`${row.measurement} has a field "time", which is reserved`);
    line += `${separator}${escapeName(name)}=${String(value)}`;
    separator = ',';
  }
  return `${line} ${row.at}`;
}

/** Measurement and tags, sorted by name as the server keeps them. */
export function encodeSeries(measurement: string, tags: Readonly<Record<string, string>>): string {
  checkName('measurement', measurement, measurement);
  // A line that starts so is a comment: the server would drop it without a word.
  if (measurement.startsWith('#')) throw new InvalidMetricRowError(`the measurement ${measurement} starts with "#"`);
  let series = escapeMeasurement(measurement);
  for (const name of Object.keys(tags).sort()) {
    const value = tags[name] ?? '';
    checkName('tag', name, measurement);
    checkName(`value of tag ${name}`, value, measurement);
    if (RESERVED_TAGS.has(name)) {
      throw new InvalidMetricRowError(`${measurement} has a tag "${name}", which is reserved`);
    }
    series += `,${escapeName(name)}=${escapeName(value)}`;
  }
  return series;
}

/** How many values (fields) a line written by `encodeRow` holds. */
export function valuesOfLine(line: string): number {
  let values = 0;
  let inFields = false;
  for (let i = 0; i < line.length; i += 1) {
    const c = line[i];
    if ((c !== ' ' && c !== ',') || line[i - 1] === '\\') continue;
    if (c === ',') values += inFields ? 1 : 0;
    else if (inFields) break;
    else [inFields, values] = [true, 1];
  }
  return values;
}

/** Furthest time from the epoch that fits the server's 64-bit nanoseconds. */
export const MAX_TIME_MS = 9_223_372_036_854;

const RESERVED_TAGS: ReadonlySet<string> = new Set(['time', '_measurement', '_field']);
/** A backslash before what is escaped by one means two things at once, and servers do not agree with themselves which. */
const UNCARRIABLE = /[\p{Cc}\p{Surrogate}]|\\(?:[,= "]|$)/u;

function checkName(what: string, name: string, measurement: string): void {
  if (name === '') throw new InvalidMetricRowError(`a row of ${measurement} has an empty ${what}`);
  if (UNCARRIABLE.test(name)) {
    const why =
      'holds a control character, half a surrogate pair, or a backslash at its end or before a comma, =, a quote or a space';
    throw new InvalidMetricRowError(`a row of ${measurement}: the ${what} ${JSON.stringify(name)} ${why}`);
  }
}

function escapeMeasurement(text: string): string {
  return text.replace(/[, ]/g, '\\$&');
}

function escapeName(text: string): string {
  return text.replace(/[,= ]/g, '\\$&');
}
