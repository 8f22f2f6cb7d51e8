import type Database from 'libsql';
import type { Blocks } from './blocks.js';
import { compactShard } from './compact.js';
import { shardOf } from './log.js';
import type { Log } from './log.js';
import { HOUR_MS } from './rollup.js';

export interface Retention {
  rawMs: number;
  rollupMs: number;
}

/** Series looked at in each write, and one more for so many rows: a write may make old hours as well as find them. */
const [SERIES_PER_WRITE, ROWS_PER_SERIES] = [16, 16];

/** Drops hours that are too old, a few in each write, going round the series. */
export interface Pruner {
  /** `newestMs`: the newest time written. Hours are counted from it, but never from a time that is yet to come. */
  prune(newestMs: number, nowMs: number, written: number): void;
}

export function createPruner(db: Database.Database, log: Log, blocks: Blocks, retention: Retention): Pruner {
  const next = db.prepare('SELECT id FROM series WHERE id > ? ORDER BY id LIMIT ?');
  const oldestRaw = db.prepare('SELECT min(start_ms) AS start FROM blocks WHERE series = ?');
  const oldestRollup = db.prepare('SELECT min(start_ms) AS start FROM rollups WHERE series = ?');
  const dropRaw = db.prepare('DELETE FROM blocks WHERE series = ? AND start_ms = ?');
  const dropRollup = db.prepare('DELETE FROM rollups WHERE series = ? AND start_ms = ?');
  let [afterSeries, newest] = [0, -Infinity];

  const dropOldest = (find: Database.Statement, drop: Database.Statement, id: number, beforeMs: number): void => {
    const { start } = find.get(id) as { start: number | null };
    if (start !== null && start + HOUR_MS <= beforeMs) drop.run(id, start);
  };

  return {
    prune(newestMs, nowMs, written) {
      newest = Math.max(newest, newestMs);
      const endMs = Math.min(newest, nowMs);
      const count = SERIES_PER_WRITE + Math.floor(written / ROWS_PER_SERIES);
      const due = next.all(afterSeries, count) as { id: number }[];
      afterSeries = due.length < count ? 0 : (due.at(-1)?.id ?? 0);
      for (const { id } of due) {
        // Raw rows never outlive their rollup: an hour that has raw rows alone would be summed up anew from a part of it.
        dropOldest(oldestRaw, dropRaw, id, endMs - retention.rawMs);
        dropOldest(oldestRollup, dropRollup, id, endMs - Math.max(retention.rawMs, retention.rollupMs));
      }
      // A series that is written no more never fills its log; what is old there goes into the rollups all the same.
      const shard = shardOf(due[0]?.id ?? 0);
      if (log.oldestMs(shard) < endMs - retention.rawMs) compactShard(log, blocks, shard);
    },
  };
}
