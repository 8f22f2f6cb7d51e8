import type { Buckets } from './buckets.js';
import { COUNT, LAST, LAST_AT, MAX, MIN, MINUTE_MS, MINUTES, STATS, SUM } from './buckets.js';
import { sliceColumns, splitColumns } from './columns.js';
import type { Columns } from './columns.js';
import { packStats, unpackStats } from './stats.js';

export const HOUR_MS = 3_600_000;

/** Statistics of one series and hour by field and minute: what remains when the raw rows are gone. */
export class Rollup {
  readonly #startMs: number;
  /** By field, 60 numbers for each statistic. The time of the last value counts from the begin of its minute. */
  readonly #stats: Map<number, Float64Array>;

  constructor(startMs: number, stats = new Map<number, Float64Array>()) {
    this.#startMs = startMs;
    this.#stats = stats;
  }

  /** Only the fields asked for. */
  static unpack(startMs: number, packed: ArrayBuffer, wanted?: ReadonlySet<number>): Rollup {
    return new Rollup(startMs, unpackStats(packed, wanted));
  }

  pack(): Buffer {
    return packStats(this.#stats);
  }

  /** Puts the minutes that `changed` has rows in right, from all rows that there are of the hour. */
  recompute(all: Columns, changed: Columns): void {
    for (const start of splitColumns(changed, MINUTE_MS).keys()) {
      const minute = (start - this.#startMs) / MINUTE_MS;
      for (const stats of this.#stats.values()) stats[COUNT * MINUTES + minute] = 0;
      const { times, values } = sliceColumns(all, start, start + MINUTE_MS);
      for (const [field, column] of values) {
        const stats = this.#of(field);
        for (let i = 0; i < column.length; i += 1) addValue(stats, minute, column[i]!, times[i]! - start);
      }
    }
  }

  /**
   * For hours whose raw rows are gone, and for rows after all that is known of their minute: values after the newest
   * known one of their minute are added. Others are taken to be known already, since nobody can say whether they
   * replace one.
   */
  append({ times, values }: Columns): void {
    for (const [field, column] of values) {
      const stats = this.#of(field);
      for (let i = 0; i < column.length; i += 1) {
        const since = times[i]! - this.#startMs;
        const minute = Math.floor(since / MINUTE_MS);
        const within = since - minute * MINUTE_MS;
        if (stats[minute]! > 0 && within <= stats[LAST_AT * MINUTES + minute]!) continue;
        addValue(stats, minute, column[i]!, within);
      }
    }
  }

  /** Whether a row of `later` is not after every value known of its minute: then only raw rows tell what holds. */
  overlaps(later: Columns): boolean {
    for (const { times } of splitColumns(later, MINUTE_MS).values()) {
      const first = times[0] ?? 0;
      for (const field of this.#stats.keys()) if (first <= this.#lastAt(field, first)) return true;
    }
    return false;
  }

  /** Adds the minutes with from ≤ begin < to. */
  addTo(buckets: Buckets, fromMs: number, toMs: number, fields: ReadonlySet<number> | undefined): void {
    const first = Math.max(0, Math.ceil((fromMs - this.#startMs) / MINUTE_MS));
    const end = Math.min(MINUTES, Math.ceil((toMs - this.#startMs) / MINUTE_MS));
    for (const [field, stats] of this.#stats) {
      if (fields?.has(field) !== false) buckets.addMinutes(field, this.#startMs, stats, first, end);
    }
  }

  #of(field: number): Float64Array {
    let stats = this.#stats.get(field);
    if (stats === undefined) this.#stats.set(field, (stats = new Float64Array(MINUTES * STATS)));
    return stats;
  }

  #lastAt(field: number, at: number): number {
    const stats = this.#stats.get(field);
    const minute = Math.floor((at - this.#startMs) / MINUTE_MS);
    if (stats === undefined || stats[minute] === 0) return -Infinity;
    return this.#startMs + minute * MINUTE_MS + stats[LAST_AT * MINUTES + minute]!;
  }
}

/** In time order within a minute. The count stands first, so its place is the minute. */
function addValue(stats: Float64Array, minute: number, value: number, withinMs: number): void {
  if (Number.isNaN(value)) return;
  const first = stats[minute] === 0;
  stats[minute] = first ? 1 : stats[minute]! + 1;
  stats[SUM * MINUTES + minute] = first ? value : stats[SUM * MINUTES + minute]! + value;
  if (first || value < stats[MIN * MINUTES + minute]!) stats[MIN * MINUTES + minute] = value;
  if (first || value > stats[MAX * MINUTES + minute]!) stats[MAX * MINUTES + minute] = value;
  stats[LAST * MINUTES + minute] = value;
  stats[LAST_AT * MINUTES + minute] = withinMs;
}
