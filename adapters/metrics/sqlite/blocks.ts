import type Database from 'libsql';
import { packNumbers, packTimes, unpackNumbers, unpackTimes } from './codec.js';
import { floorTo } from './columns.js';
import type { Columns } from './columns.js';
import { HOUR_MS, Rollup } from './rollup.js';

/** The times of a block stand where a field would: no field has this number. */
const TIMES = 0;

/** Raw rows of one series and hour, packed by field, and the rollup of that hour, which outlives them. */
export interface Blocks {
  /** Raw rows of the hours that begin in from ≤ begin < to, by begin, in time order. */
  read(series: number, fromMs: number, toMs: number, fields?: ReadonlySet<number>): Map<number, Columns>;
  write(series: number, startMs: number, columns: Columns): void;
  has(series: number, startMs: number): boolean;
  rollups(series: number, fromMs: number, toMs: number, fields?: ReadonlySet<number>): Map<number, Rollup>;
  writeRollup(series: number, startMs: number, rollup: Rollup): void;
}

interface BlockRow {
  start_ms: number;
  field: number;
  body: ArrayBuffer;
}

export function createBlocks(db: Database.Database): Blocks {
  const put = db.prepare('INSERT OR REPLACE INTO blocks (series, start_ms, field, body) VALUES (?, ?, ?, ?)');
  const times = db.prepare(`SELECT 1 FROM blocks WHERE series = ? AND start_ms = ? AND field = ${TIMES}`);
  const rollups = db.prepare(
    'SELECT start_ms, body FROM rollups WHERE series = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms',
  );
  const putRollup = db.prepare('INSERT OR REPLACE INTO rollups (series, start_ms, body) VALUES (?, ?, ?)');
  const read = createRead(db);

  return {
    read(series, fromMs, toMs, fields) {
      const hours = new Map<number, { times: Float64Array; values: Map<number, Float64Array> }>();
      // Of an hour the times come first, since their number is the smallest.
      for (const { start_ms: start, field, body } of read(fields).all(series, fromMs, toMs) as BlockRow[]) {
        if (field === TIMES) hours.set(start, { times: unpackTimes(body), values: new Map() });
        else hours.get(start)?.values.set(field, unpackNumbers(body));
      }
      return hours;
    },
    write(series, startMs, columns) {
      put.run(series, startMs, TIMES, packTimes(columns.times));
      for (const [field, column] of columns.values) put.run(series, startMs, field, packNumbers(column));
    },
    has: (series, startMs) => times.get(series, startMs) !== undefined,
    rollups: (series, fromMs, toMs, fields) =>
      new Map(
        (rollups.all(series, fromMs, toMs) as BlockRow[]).map(({ start_ms: start, body }) => [
          start,
          Rollup.unpack(start, body, fields),
        ]),
      ),
    writeRollup(series, startMs, rollup) {
      putRollup.run(series, startMs, rollup.pack());
    },
  };
}

/** The statement for the last set of fields is kept: a query runs it once for every series. */
function createRead(db: Database.Database): (fields: ReadonlySet<number> | undefined) => Database.Statement {
  let kept: { key: string; statement: Database.Statement } | undefined;
  return (fields) => {
    const key = fields === undefined ? '' : `AND field IN (${[TIMES, ...fields].join(', ')})`;
    if (kept?.key !== key) {
      const statement = db.prepare(
        `SELECT start_ms, field, body FROM blocks
         WHERE series = ? AND start_ms >= ? AND start_ms < ? ${key} ORDER BY start_ms, field`,
      );
      kept = { key, statement };
    }
    return kept.statement;
  };
}

export function hourOf(at: number): number {
  return floorTo(at, HOUR_MS);
}
