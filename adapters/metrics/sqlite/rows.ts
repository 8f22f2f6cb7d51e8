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
    names: [...values.keys()].map((field) => fieldNames.get(field) ?? ''),
    columns: [...values.values()],
  }));
  const rows: MetricRow[] = [];
  const push = (part: NamedPart, i: number): void => {
    let fields: Record<string, number> | undefined;
    for (let f = 0; f < part.columns.length; f += 1) {
      const value = part.columns[f]![i]!;
      if (Number.isNaN(value)) continue;
      if (fields === undefined) fields = { [part.names[f]!]: value };
      else fields[part.names[f]!] = value;
    }
    if (fields !== undefined) rows.push({ measurement, tags: part.tags, at: part.times[i]!, fields });
  };
  if (followEachOther(named)) {
    for (const part of named) for (let i = 0; i < part.times.length; i += 1) push(part, i);
    return rows;
  }
  const { partOf, rowOf, order } = timeOrder(named.map((part) => part.times));
  const [only] = named[0]?.names ?? [];
  if (only !== undefined && named.every(({ names }) => names.length === 1 && names[0] === only)) {
    return rowsOfOneField(measurement, named, only, { partOf, rowOf, order });
  }
  for (let i = 0; i < order.length; i += 1) push(named[partOf[order[i]!]!]!, rowOf[order[i]!]!);
  return rows;
}

/** Millions of rows may come of one field: here nothing but the rows themselves is made, and all of one shape. */
function rowsOfOneField(
  measurement: string,
  parts: readonly NamedPart[],
  name: string,
  { partOf, rowOf, order }: TimeOrder,
): MetricRow[] {
  const tagsOf = parts.map((part) => part.tags);
  const timesOf = parts.map((part) => part.times);
  const valuesOf = parts.map((part) => part.columns[0]!);
  const rows = new Array<MetricRow>(order.length);
  let count = 0;
  for (let i = 0; i < order.length; i += 1) {
    const [part, row] = [partOf[order[i]!]!, rowOf[order[i]!]!];
    const value = valuesOf[part]![row]!;
    if (Number.isNaN(value)) continue;
    rows[count] = { measurement, tags: tagsOf[part]!, at: timesOf[part]![row]!, fields: { [name]: value } };
    count += 1;
  }
  rows.length = count;
  return rows;
}

function followEachOther(parts: readonly NamedPart[]): boolean {
  let last = -Infinity;
  return parts.every(({ times }) => {
    const follows = times.length === 0 || times[0]! >= last;
    last = times.at(-1) ?? last;
    return follows;
  });
}

interface TimeOrder {
  order: Uint32Array;
  partOf: Uint32Array;
  rowOf: Uint32Array;
}

/**
 * Rows of hundreds of series come from grids of times: to spread them over as many slots as there are rows, and to sort
 * inside a slot only where that is needed, is much quicker than to compare them.
 */
function timeOrder(parts: readonly Float64Array[]): TimeOrder {
  const count = parts.reduce((n, times) => n + times.length, 0);
  const [partOf, rowOf, slotOf] = [new Uint32Array(count), new Uint32Array(count), new Uint32Array(count)];
  const times = new Float64Array(count);
  const first = parts.reduce((least, part) => Math.min(least, part[0] ?? least), Infinity);
  const last = parts.reduce((most, part) => Math.max(most, part.at(-1) ?? most), -Infinity);
  const scale = last > first ? (count - 1) / (last - first) : 0;
  const ends = new Uint32Array(count + 1);
  let row = 0;
  for (const [p, part] of parts.entries()) {
    for (let i = 0; i < part.length; i += 1, row += 1) {
      const slot = Math.floor((part[i]! - first) * scale);
      partOf[row] = p;
      rowOf[row] = i;
      slotOf[row] = slot;
      times[row] = part[i]!;
      ends[slot + 1]! += 1;
    }
  }
  for (let slot = 1; slot <= count; slot += 1) ends[slot]! += ends[slot - 1]!;
  const next = ends.slice();
  const order = new Uint32Array(count);
  for (row = 0; row < count; row += 1) order[next[slotOf[row]!]!++] = row;
  for (let slot = 0; slot < count; slot += 1) sortWithin(order, ends[slot]!, ends[slot + 1]!, times);
  return { order, partOf, rowOf };
}

function sortWithin(order: Uint32Array, begin: number, end: number, times: Float64Array): void {
  for (let i = begin + 1; i < end; i += 1) {
    if (times[order[i - 1]!]! <= times[order[i]!]!) continue;
    order.subarray(begin, end).sort((a, b) => times[a]! - times[b]! || a - b);
    return;
  }
}
