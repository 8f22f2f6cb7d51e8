import type { Blocks } from './blocks.js';
import { mergeColumns, splitColumns } from './columns.js';
import type { Columns, ColumnsBuilder } from './columns.js';
import { readEntry, readExtent } from './log.js';
import type { Log } from './log.js';
import { HOUR_MS, Rollup } from './rollup.js';

/** At 8 series with a row a second each: nine minutes. A shard's log is moved into blocks once it is this long. */
const COMPACT_ROWS = 4096;
/** Rows that a step moves for each row of a write, so that a long log shrinks however large the batches are. */
const ROWS_PER_STEP = 2048;
/** Each is a block to be written anew: more in one step would hold a write up. */
const MAX_HOURS_PER_STEP = 64;
const ENTRIES_AT_ONCE = 64;

/** Moves the log of shards that are long into blocks, within the transaction of a write and in proportion to it. */
export function compactWaiting(
  log: Log,
  blocks: Blocks,
  waiting: ReadonlyMap<number, number>,
  written: number,
  packRows = COMPACT_ROWS,
): void {
  let steps = 1 + Math.floor(written / ROWS_PER_STEP);
  const longest = [...waiting].sort(([, a], [, b]) => b - a);
  for (const [shard, rows] of longest) {
    for (let left = rows; left >= packRows && steps > 0; steps -= 1) {
      const moved = compactShard(log, blocks, shard);
      if (moved === 0) break;
      left -= moved;
    }
  }
}

/** Moves the oldest entries of a shard, about `COMPACT_ROWS` rows at most; returns how many rows. */
export function compactShard(log: Log, blocks: Blocks, shard: number): number {
  const builders = new Map<number, ColumnsBuilder>();
  const extent = new Set<string>();
  let rows = 0;
  for (let more = true; more && rows < COMPACT_ROWS && extent.size < MAX_HOURS_PER_STEP;) {
    const entries = log.oldest(shard, ENTRIES_AT_ONCE);
    more = entries.length === ENTRIES_AT_ONCE;
    for (const { key, body } of entries) {
      rows += readExtent(body, HOUR_MS, extent);
      readEntry(body, builders);
      log.remove(shard, key);
      if (rows >= COMPACT_ROWS || extent.size >= MAX_HOURS_PER_STEP) break;
    }
  }
  for (const [series, builder] of builders) {
    for (const [start, later] of splitColumns(builder.columns(), HOUR_MS)) moveHour(blocks, series, start, later);
  }
  return rows;
}

function moveHour(blocks: Blocks, series: number, start: number, later: Columns): void {
  const rollup = blocks.rollups(series, start, start + HOUR_MS).get(start);
  const raw = blocks.read(series, start, start + HOUR_MS).get(start);
  if (rollup !== undefined && raw === undefined) {
    rollup.append(later);
    blocks.writeRollup(series, start, rollup);
    return;
  }
  const all = raw === undefined ? later : mergeColumns(raw, later);
  const renewed = rollup ?? new Rollup(start);
  renewed.recompute(all, later);
  blocks.write(series, start, all);
  blocks.writeRollup(series, start, renewed);
}

/** The rollup of an hour as it will be once `later`, what waits in the log, is moved. */
export function rollupWith(
  blocks: Blocks,
  series: number,
  start: number,
  stored: Rollup | undefined,
  later: Columns,
  fields: ReadonlySet<number> | undefined,
): Rollup {
  const rollup = stored ?? new Rollup(start);
  const raw =
    stored?.overlaps(later) === true ? blocks.read(series, start, start + HOUR_MS, fields).get(start) : undefined;
  if (raw === undefined && stored !== undefined) rollup.append(later);
  else rollup.recompute(raw === undefined ? later : mergeColumns(raw, later), later);
  return rollup;
}
