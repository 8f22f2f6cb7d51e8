import { seriesKey, valuesOf } from './aggregate.js';
import { MetricsStoreFullError } from './errors.js';
import type { MetricRow, MetricsReader, MetricsStore } from './port.js';

export interface CopyResult {
  rows: number;
  /** Values read from the source, and those of them that the target gave back exactly. */
  pointsIn: number;
  pointsStored: number;
  /** Why it ended early. */
  stopped: string | null;
}

export interface CopyOptions {
  source: MetricsReader;
  measurements: readonly string[];
  target: MetricsStore;
  progress?: (line: string) => void;
  /** Pauses; a clock for tests. */
  sleep: (ms: number) => Promise<void>;
}

interface Slice {
  fromMs: number;
  toMs: number;
}

const DAY_MS = 86_400_000;
/** Values that are held at once, about. */
const SLICE_POINTS = 100_000;
const WAIT_MS = 250;
/** How long a target that takes nothing is waited for. */
const PATIENCE_MS = 60_000;

/**
 * Copies every row in time order, then reads both stores again and compares value by value. Rows replace their like, so
 * a copy that was cut short is simply begun again.
 */
export async function copyMetrics(options: CopyOptions): Promise<CopyResult> {
  const result: CopyResult = { rows: 0, pointsIn: 0, pointsStored: 0, stopped: null };
  const slices = await slicesOf(options);
  for (const slice of slices) {
    const rows = await readSlice(options.source, options.measurements, slice);
    result.stopped = await writePatiently(options, rows);
    if (result.stopped !== null) return result;
    result.rows += rows.length;
    result.pointsIn += valuesOf(rows);
    options.progress?.(`copied up to ${new Date(slice.toMs).toISOString()}: ${result.pointsIn} values`);
  }
  result.stopped = await drained(options);
  if (result.stopped !== null) return result;
  for (const slice of slices) {
    const rows = await readSlice(options.source, options.measurements, slice);
    result.pointsStored += await equalValues(options, rows, slice);
  }
  return result;
}

/** Times that hold anything, in order, none with much more than `SLICE_POINTS` values. */
async function slicesOf({ source, measurements }: CopyOptions): Promise<readonly Slice[]> {
  const days = new Map<number, number>();
  for (const measurement of measurements) {
    const all = { measurement, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
    for (const row of await source.query({ ...all, aggregate: { everyMs: DAY_MS, by: 'count' } })) {
      const count = Object.values(row.fields).reduce((a, b) => a + b, 0);
      days.set(row.at, (days.get(row.at) ?? 0) + count);
    }
  }
  return [...days.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([day, count]) => {
      const parts = Math.max(1, Math.ceil(count / SLICE_POINTS));
      const edge = (i: number): number => day + Math.round((i * DAY_MS) / parts);
      return Array.from({ length: parts }, (_, i) => ({ fromMs: edge(i), toMs: edge(i + 1) }));
    });
}

async function readSlice(
  source: MetricsReader,
  measurements: readonly string[],
  slice: Slice,
): Promise<readonly MetricRow[]> {
  const rows: MetricRow[] = [];
  for (const measurement of measurements)
    for (const row of await source.query({ measurement, ...slice })) rows.push(row);
  return rows.sort((a, b) => a.at - b.at);
}

/** `null`, or why the target does not take them. */
async function writePatiently({ target, sleep }: CopyOptions, rows: readonly MetricRow[]): Promise<string | null> {
  for (let waitedMs = 0; ; waitedMs += WAIT_MS) {
    try {
      await target.write(rows);
      return null;
    } catch (error) {
      if (!(error instanceof MetricsStoreFullError)) throw error;
      if (waitedMs >= PATIENCE_MS) return error.message;
      await sleep(WAIT_MS);
    }
  }
}

/** Waits for what is queued as long as it becomes less. */
async function drained({ target, sleep }: CopyOptions): Promise<string | null> {
  let least = Number.POSITIVE_INFINITY;
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += WAIT_MS) {
    const { queuedPoints, state, detail } = await target.health();
    if (queuedPoints === 0) return null;
    // Somebody must do something first.
    if (state === 'unauthorized' || state === 'no-bucket') return detail;
    if (queuedPoints < least) waitedMs = 0;
    least = Math.min(least, queuedPoints);
    await sleep(WAIT_MS);
  }
  return (await target.health()).detail;
}

async function equalValues(
  { target, measurements }: CopyOptions,
  rows: readonly MetricRow[],
  slice: Slice,
): Promise<number> {
  const stored = new Map<string, MetricRow['fields']>();
  const key = (row: MetricRow): string => `${seriesKey(row)}\n${row.at}`;
  for (const row of await readSlice(target, measurements, slice)) stored.set(key(row), row.fields);
  let equal = 0;
  for (const row of rows) {
    const found = stored.get(key(row));
    for (const [name, value] of Object.entries(row.fields)) if (found?.[name] === value) equal += 1;
  }
  return equal;
}
