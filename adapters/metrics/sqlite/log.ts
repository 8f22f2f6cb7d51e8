import { crc32 } from 'node:zlib';
import type Database from 'libsql';
import { checkSum } from './codec.js';
import { ColumnsBuilder, floorTo } from './columns.js';
import type { Columns } from './columns.js';

/**
 * Rows arrive in a log: one write adds one entry for every 8 series, so that a write touches few pages and a read
 * of one series reads little of what is not its own. Files depend on that number. The key of an entry is shard · 2⁴⁰ + number of the shard's last row.
 */
const SERIES_PER_SHARD = 8;
const KEYS_PER_SHARD = 2 ** 40;
/** Longer entries could not be compacted in small steps. */
const MAX_ENTRY_ROWS = 512;

export interface LogRow {
  series: number;
  at: number;
  fields: readonly number[];
  values: readonly number[];
}

export interface Log {
  /** Rows that wait in each shard that was written to. */
  append(rows: readonly LogRow[]): Map<number, number>;
  /** The oldest entries of a shard, in the order of writing. */
  oldest(shard: number, entries: number): readonly LogEntry[];
  remove(shard: number, throughKey: number): void;
  /** The newest time of the oldest entry; infinite when there is none. */
  oldestMs(shard: number): number;
  /** What waits of the shard's series, by series. */
  read(shard: number, fromMs: number, toMs: number, fields: ReadonlySet<number> | undefined): Map<number, Columns>;
}

export interface LogEntry {
  key: number;
  body: ArrayBuffer;
}

export function shardOf(series: number): number {
  return Math.floor(series / SERIES_PER_SHARD);
}

export function createLog(db: Database.Database): Log {
  const insert = db.prepare('INSERT INTO log (key, from_ms, to_ms, body) VALUES (?, ?, ?, ?)');
  const ends = db.prepare(
    `SELECT (SELECT min(key) FROM log WHERE key >= ?1 AND key < ?2) AS first,
            (SELECT max(key) FROM log WHERE key >= ?1 AND key < ?2) AS last`,
  );
  const oldest = db.prepare('SELECT key, body FROM log WHERE key >= ? AND key < ? ORDER BY key LIMIT ?');
  const oldestTime = db.prepare('SELECT to_ms AS at FROM log WHERE key >= ? AND key < ? ORDER BY key LIMIT 1');
  const remove = db.prepare('DELETE FROM log WHERE key >= ? AND key <= ?');
  // One body of many entries: to fetch each for itself takes twice the time. SQLite takes the bytes of a blob for a text
  // as they are, whatever they are, and back.
  const within = db.prepare(
    `SELECT CAST(group_concat(body, '') AS BLOB) AS body FROM
       (SELECT body FROM log WHERE key >= ? AND key < ? AND to_ms >= ? AND from_ms < ? ORDER BY key)`,
  );
  const base = (shard: number): number => shard * KEYS_PER_SHARD;

  return {
    append(rows) {
      const waiting = new Map<number, number>();
      for (const [shard, entries] of entriesOf(rows)) {
        const range = ends.get(base(shard), base(shard + 1)) as { first: number | null; last: number | null };
        let key = range.last ?? base(shard);
        for (const entry of entries) {
          key += entry.rows;
          insert.run(key, entry.fromMs, entry.toMs, entry.body());
        }
        waiting.set(shard, key - (range.first ?? base(shard)));
      }
      return waiting;
    },
    oldest: (shard, entries) => oldest.all(base(shard), base(shard + 1), entries) as LogEntry[],
    remove: (shard, throughKey) => {
      remove.run(base(shard), throughKey);
    },
    oldestMs(shard) {
      const entry = oldestTime.get(base(shard), base(shard + 1)) as { at: number } | undefined;
      return entry?.at ?? Infinity;
    },
    read(shard, fromMs, toMs, fields) {
      const builders = new Map<number, ColumnsBuilder>();
      // Of `all` a blob is an ArrayBuffer, of `get` it would be a Buffer.
      const found = within.all(base(shard), base(shard + 1), fromMs, toMs) as { body: ArrayBuffer | null }[];
      for (const { body } of found) if (body !== null) readEntry(body, builders, fields);
      return new Map([...builders].map(([series, builder]) => [series, builder.columns()]));
    },
  };
}

/** Adds the rows of one entry, or of several, to the builders of their series; only the fields asked for, and no row that has none of them. */
export function readEntry(
  body: ArrayBuffer,
  builders: Map<number, ColumnsBuilder>,
  wanted?: ReadonlySet<number>,
): void {
  eachRow(body, wanted, (series, at, fields, numbers, offset) => {
    let builder = builders.get(series);
    if (builder === undefined) builders.set(series, (builder = new ColumnsBuilder()));
    builder.add(at, fields, numbers, offset);
  });
}

/** Adds a key for every series and hour of the entry; returns its rows. */
export function readExtent(body: ArrayBuffer, everyMs: number, extent: Set<string>): number {
  let rows = 0;
  eachRow(body, undefined, (series, at) => {
    rows += 1;
    extent.add(`${series} ${floorTo(at, everyMs)}`);
  });
  return rows;
}

type RowVisitor = (series: number, at: number, fields: Float64Array, numbers: Float64Array, offset: number) => void;

function eachRow(body: ArrayBuffer, wanted: ReadonlySet<number> | undefined, visit: RowVisitor): void {
  const numbers = new Float64Array(body);
  for (let i = 0; i < numbers.length;) {
    const begin = i + ENTRY_HEAD_NUMBERS;
    const end = begin + numbers[i]!;
    checkSum(new Uint8Array(body, begin * 8, numbers[i]! * 8), 0, numbers[i + 1]!);
    for (i = begin; i < end;) i = eachRowOfRun(numbers, i, wanted, visit);
  }
}

function eachRowOfRun(
  numbers: Float64Array,
  i: number,
  wanted: ReadonlySet<number> | undefined,
  visit: RowVisitor,
): number {
  const [count, width] = [numbers[i]!, numbers[i + 1]!];
  const first = i + 2 + width;
  const end = first + count * (width + 2);
  const all = numbers.subarray(i + 2, first);
  for (const { fields, offset } of wanted === undefined ? [{ fields: all, offset: 0 }] : stretches(all, wanted)) {
    for (let begin = first; begin < end; begin += width + 2) {
      visit(numbers[begin]!, numbers[begin + 1]!, fields, numbers, begin + 2 + offset);
    }
  }
  return end;
}

/** Neighbouring fields that are wanted. Each stretch becomes rows of its own, which the builder makes one again. */
function stretches(all: Float64Array, wanted: ReadonlySet<number>): { fields: Float64Array; offset: number }[] {
  const found: { fields: Float64Array; offset: number }[] = [];
  for (let i = 0; i < all.length; i += 1) {
    let end = i;
    while (end < all.length && wanted.has(all[end] ?? 0)) end += 1;
    if (end > i) found.push({ fields: all.subarray(i, end), offset: i });
    i = end;
  }
  return found;
}

/** An entry begins with [numbers that follow, their checksum]. */
const ENTRY_HEAD_NUMBERS = 2;

/** One entry: runs of rows of the same fields, each [rows, fields, field ids…, (series, time, values…) a row]. */
class EntryWriter {
  readonly #numbers: number[] = [];
  #run = -1;
  #fields: readonly number[] = [];
  rows = 0;
  fromMs = Infinity;
  toMs = -Infinity;

  add({ series, at, fields, values }: LogRow): void {
    if (this.#run < 0 || !same(fields, this.#fields)) {
      this.#run = this.#numbers.length;
      this.#fields = fields;
      this.#numbers.push(0, fields.length, ...fields);
    }
    this.#numbers[this.#run] = (this.#numbers[this.#run] ?? 0) + 1;
    this.#numbers.push(series, at);
    for (const value of values) this.#numbers.push(value);
    this.rows += 1;
    this.fromMs = Math.min(this.fromMs, at);
    this.toMs = Math.max(this.toMs, at);
  }

  body(): Buffer {
    const numbers = new Float64Array(ENTRY_HEAD_NUMBERS + this.#numbers.length);
    numbers.set(this.#numbers, ENTRY_HEAD_NUMBERS);
    numbers[0] = this.#numbers.length;
    numbers[1] = crc32(numbers.subarray(ENTRY_HEAD_NUMBERS), 0);
    return Buffer.from(numbers.buffer);
  }
}

function entriesOf(rows: readonly LogRow[]): Map<number, EntryWriter[]> {
  const shards = new Map<number, EntryWriter[]>();
  for (const row of rows) {
    const shard = shardOf(row.series);
    let entries = shards.get(shard);
    if (entries === undefined) shards.set(shard, (entries = []));
    let entry = entries.at(-1);
    if (entry === undefined || entry.rows >= MAX_ENTRY_ROWS) entries.push((entry = new EntryWriter()));
    entry.add(row);
  }
  return shards;
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
}
