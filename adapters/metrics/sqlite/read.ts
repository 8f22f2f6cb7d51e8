import { checkQuery } from '../aggregate.js';
import type { MetricAggregate, MetricQuery, MetricRow } from '../port.js';
import { hourOf } from './blocks.js';
import type { Blocks } from './blocks.js';
import { Buckets, MINUTE_MS } from './buckets.js';
import { EMPTY, mergeColumns, sliceColumns, splitColumns } from './columns.js';
import type { Columns } from './columns.js';
import { rollupWith } from './compact.js';
import { shardOf } from './log.js';
import type { Log } from './log.js';
import type { Names, Series } from './names.js';
import { HOUR_MS } from './rollup.js';
import { rowsInTimeOrder } from './rows.js';
import type { Part } from './rows.js';

export interface ReadParts {
  names: Names;
  log: Log;
  blocks: Blocks;
}

interface Range {
  fromMs: number;
  toMs: number;
  fields: ReadonlySet<number> | undefined;
}

/** Throws `InvalidMetricQueryError`. To be called inside one transaction. */
export function answer({ names, log, blocks }: ReadParts, query: MetricQuery): MetricRow[] {
  checkQuery(query);
  const fields = query.fields === undefined ? undefined : names.knownFields(query.fields);
  if (!(query.fromMs < query.toMs) || fields?.size === 0) return [];
  const range = { fromMs: query.fromMs, toMs: query.toMs, fields };
  const parts: Part[] = [];
  let [shard, waiting] = [-1, new Map<number, Columns>()];
  for (const series of names.series(query.measurement, query.tags ?? {})) {
    if (shardOf(series.id) !== shard) {
      shard = shardOf(series.id);
      waiting = log.read(shard, query.fromMs, query.toMs, fields);
    }
    const later = sliceColumns(waiting.get(series.id) ?? EMPTY, query.fromMs, query.toMs);
    if (query.aggregate === undefined) {
      for (const columns of rawParts(blocks, series, range, later)) parts.push({ tags: series.tags, columns });
    } else {
      const columns = bucketsOf(blocks, series, range, later, query.aggregate).columns(query.aggregate.by);
      parts.push({ tags: series.tags, columns });
    }
  }
  return rowsInTimeOrder(query.measurement, parts, names.fieldNames());
}

/** Raw rows of one series in time order, an hour each. */
function rawParts(blocks: Blocks, { id }: Series, { fromMs, toMs, fields }: Range, later: Columns): Columns[] {
  const stored = blocks.read(id, hourOf(fromMs), toMs, fields);
  const waiting = splitColumns(later, HOUR_MS);
  return [...new Set([...stored.keys(), ...waiting.keys()])]
    .sort((a, b) => a - b)
    .map((start) => {
      const part = sliceColumns(stored.get(start) ?? EMPTY, fromMs, toMs);
      return mergeColumns(part, waiting.get(start) ?? EMPTY);
    });
}

function bucketsOf(
  blocks: Blocks,
  series: Series,
  range: Range,
  later: Columns,
  { everyMs }: MetricAggregate,
): Buckets {
  const buckets = new Buckets(everyMs);
  const addRaw = (fromMs: number, toMs: number): void => {
    if (fromMs >= toMs) return;
    const waiting = sliceColumns(later, fromMs, toMs);
    for (const part of rawParts(blocks, series, { ...range, fromMs, toMs }, waiting)) buckets.addColumns(part);
  };
  const { fromMs, toMs } = range;
  const [firstMinute, lastMinute] = [Math.ceil(fromMs / MINUTE_MS), Math.floor(toMs / MINUTE_MS)];
  if (everyMs % MINUTE_MS !== 0 || firstMinute > lastMinute) {
    addRaw(fromMs, toMs);
    return buckets;
  }
  const wholeFromMs = firstMinute * MINUTE_MS;
  let wholeToMs = lastMinute * MINUTE_MS;
  addRaw(fromMs, wholeFromMs);
  // Raw rows alone can tell the part of a minute; once they are gone, a minute counts by its begin.
  if (onlyRolledUp(blocks, series, wholeToMs)) wholeToMs = toMs;
  else addRaw(wholeToMs, toMs);
  addRollups(buckets, blocks, series, { ...range, fromMs: wholeFromMs, toMs: wholeToMs }, later);
  return buckets;
}

function onlyRolledUp(blocks: Blocks, { id }: Series, at: number): boolean {
  const start = hourOf(at);
  return !blocks.has(id, start) && blocks.rollups(id, start, start + 1).size > 0;
}

function addRollups(
  buckets: Buckets,
  blocks: Blocks,
  { id }: Series,
  { fromMs, toMs, fields }: Range,
  later: Columns,
): void {
  if (fromMs >= toMs) return;
  const rollups = blocks.rollups(id, hourOf(fromMs), toMs, fields);
  for (const [start, part] of splitColumns(sliceColumns(later, fromMs, toMs), HOUR_MS)) {
    rollups.set(start, rollupWith(blocks, id, start, rollups.get(start), part, fields));
  }
  for (const rollup of rollups.values()) rollup.addTo(buckets, fromMs, toMs, fields);
}
