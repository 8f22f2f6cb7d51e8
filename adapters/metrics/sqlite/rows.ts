import type { MetricRow } from '../port.js';
import type { Columns } from './columns.js';

/** A stretch of one series. */
export interface Part {
  tags: Readonly<Record<string, string>>;
  columns: Columns;
}

interface NamedPart {
  tags: Readonly<Record<string, string>>;
  times: Float64Array;
  names: readonly string[];
  columns: readonly Float64Array[];
}

/** Rows of all parts in time order; those that have no value are left out. */
export function rowsInTimeOrder(
  measurement: string,
  parts: readonly Part[],
  fieldNames: ReadonlyMap<number, string>,
): MetricRow[] {
  const named = parts.map(({ tags, columns: { times, values } }) => ({
    tags,
    times,
    names: [...values.keys()].map((field) => asKey(fieldNames.get(field) ?? '')),
    columns: [...values.values()],
  }));
  // Of its full length at once: to grow to millions takes as long as to make them.
  const rows = new Array<MetricRow>(named.reduce((n, { times }) => n + times.length, 0));
  let count = 0;
  const push = (part: NamedPart, i: number): void => {
    let fields: Record<string, number> | undefined;
    for (let f = 0; f < part.columns.length; f += 1) {
      const value = part.columns[f]![i]!;
      if (Number.isNaN(value)) continue;
      if (fields === undefined) fields = { [part.names[f]!]: value };
      else fields[part.names[f]!] = value;
    }
    if (fields !== undefined) rows[count++] = { measurement, tags: part.tags, at: part.times[i]!, fields };
  };
  if (followEachOther(named)) {
    for (const part of named) for (let i = 0; i < part.times.length; i += 1) push(part, i);
  } else {
    for (const { partOf, rowOf, order } of timeOrder(named.map((part) => part.times))) {
      for (const place of order) push(named[partOf[place]!]!, rowOf[place]!);
    }
  }
  rows.length = count;
  return rows;
}

/** The same name as the engine holds it for a key of objects: else it would be looked up for every value of every row. */
function asKey(name: string): string {
  return Object.keys({ [name]: 0 })[0] ?? name;
}

function followEachOther(parts: readonly NamedPart[]): boolean {
  let last = -Infinity;
  return parts.every(({ times }) => {
    const follows = times.length === 0 || times[0]! >= last;
    last = times.at(-1) ?? last;
    return follows;
  });
}

/** The next rows: those at `order`, of their part. */
interface TimeOrder {
  order: Uint32Array;
  partOf: Uint32Array;
  rowOf: Uint32Array;
}

/** Rows put in order at once, about: so few that what they are made of stays in the processor's cache. */
const WINDOW_ROWS = 16_384;

/**
 * All rows, a window of time after the other. From one row to the next the part changes, which over the whole of
 * hundreds of parts would miss the cache at every row.
 */
function* timeOrder(parts: readonly Float64Array[]): Iterable<TimeOrder> {
  const count = parts.reduce((n, times) => n + times.length, 0);
  const first = parts.reduce((least, part) => Math.min(least, part[0] ?? least), Infinity);
  const last = parts.reduce((most, part) => Math.max(most, part.at(-1) ?? most), -Infinity);
  const windows = Math.max(1, Math.ceil(count / WINDOW_ROWS));
  const begins = new Uint32Array(parts.length);
  for (let w = 1; w <= windows; w += 1) {
    const endMs = w === windows ? Infinity : first + ((last - first) * w) / windows;
    const ends = begins.map((begin, p) => firstAfter(parts[p]!, begin, endMs));
    yield orderWithin(parts, begins, ends);
    begins.set(ends);
  }
}

function firstAfter(times: Float64Array, begin: number, endMs: number): number {
  let i = begin;
  while (i < times.length && times[i]! <= endMs) i += 1;
  return i;
}

/**
 * Rows of hundreds of series come from grids of times: to spread them over as many slots as there are rows, and to sort
 * inside a slot only where that is needed, is much quicker than to compare them.
 */
function orderWithin(parts: readonly Float64Array[], begins: Uint32Array, ends: Uint32Array): TimeOrder {
  const count = ends.reduce((n, end, p) => n + end - begins[p]!, 0);
  const [partOf, rowOf, times] = [new Uint32Array(count), new Uint32Array(count), new Float64Array(count)];
  let [first, last, place] = [Infinity, -Infinity, 0];
  for (let p = 0; p < parts.length; p += 1) {
    const part = parts[p]!;
    for (let i = begins[p]!; i < ends[p]!; i += 1, place += 1) {
      partOf[place] = p;
      rowOf[place] = i;
      times[place] = part[i]!;
    }
    if (begins[p]! < ends[p]!) {
      first = Math.min(first, part[begins[p]!]!);
      last = Math.max(last, part[ends[p]! - 1]!);
    }
  }
  return { order: orderOf(times, first, last), partOf, rowOf };
}

function orderOf(times: Float64Array, first: number, last: number): Uint32Array {
  const count = times.length;
  const scale = last > first ? (count - 1) / (last - first) : 0;
  const slotEnds = new Uint32Array(count + 1);
  for (let i = 0; i < count; i += 1) slotEnds[Math.floor((times[i]! - first) * scale) + 1]! += 1;
  for (let slot = 1; slot <= count; slot += 1) slotEnds[slot]! += slotEnds[slot - 1]!;
  const next = slotEnds.slice();
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) order[next[Math.floor((times[i]! - first) * scale)]!++] = i;
  for (let slot = 0; slot < count; slot += 1) sortWithin(order, slotEnds[slot]!, slotEnds[slot + 1]!, times);
  return order;
}

function sortWithin(order: Uint32Array, begin: number, end: number, times: Float64Array): void {
  for (let i = begin + 1; i < end; i += 1) {
    if (times[order[i - 1]!]! <= times[order[i]!]!) continue;
    order.subarray(begin, end).sort((a, b) => times[a]! - times[b]! || a - b);
    return;
  }
}
