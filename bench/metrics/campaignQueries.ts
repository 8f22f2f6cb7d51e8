import { setTimeout as sleep } from 'node:timers/promises';
import { valuesOf } from '../../adapters/metrics/aggregate.js';
import type { MetricQuery, MetricsStore } from '../../adapters/metrics/port.js';
import { openStore } from './campaignStores.js';
import type { StorePlace } from './campaignStores.js';
import { fieldName, MEASUREMENT, rowsAt, SECOND_MS, tagsOf } from './load.js';
import type { Load } from './load.js';

/** What the store has before the run. */
export interface Backfill {
  /** Of the first service. */
  oneServiceSeconds: number;
  /** Of every service. */
  allServicesSeconds: number;
}

export interface QueryTime {
  what: string;
  /** Milliseconds that the issue asks for; null: for information. */
  wantedMs: number | null;
  rows: number;
  values: number;
  /** Of the first time, when nothing is in memory. */
  firstMs: number;
  /** Of the times after it. */
  medianMs: number;
  maxMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;
const ROWS_AT_ONCE = 5_000;
const DRAIN_POLL_MS = 50;
const MOST_QUEUED_BYTES = 16 * 1024 * 1024;

/** Writes the rows before `endMs`, waits until all are in the store, and returns how many values they have. */
export async function backfill(
  place: StorePlace,
  load: Load,
  endMs: number,
  { oneServiceSeconds, allServicesSeconds }: Backfill,
  say: (line: string) => void,
): Promise<number> {
  const store = openStore(place, 'backfill');
  let values = 0;
  try {
    const longest = Math.max(oneServiceSeconds, allServicesSeconds);
    let waiting: ReturnType<typeof rowsAt> = [];
    for (let back = longest; back > 0; back -= 1) {
      waiting.push(...rowsAt(load, endMs - back * SECOND_MS, back <= allServicesSeconds ? load.services : 1));
      if (waiting.length < ROWS_AT_ONCE && back > 1) continue;
      await untilQueued(store, MOST_QUEUED_BYTES);
      await store.write(waiting);
      values += waiting.length * load.metrics;
      if (back % 600 === 0) say(`backfill: ${back} s to go`);
      waiting = [];
    }
    await untilQueued(store, 0);
  } finally {
    await store.close();
  }
  return values;
}

/** A backfill is quicker than a server, and the queue between them has bounds. */
async function untilQueued(store: MetricsStore, bytes: number): Promise<void> {
  while ((await store.health()).queuedBytes > bytes) await sleep(DRAIN_POLL_MS);
}

/** Times each query by the port, in turns, so that a slow moment of the machine meets all of them. */
export async function measureQueries(
  place: StorePlace,
  load: Load,
  toMs: number,
  repeat: number,
  say: (line: string) => void,
): Promise<QueryTime[]> {
  if (repeat === 0) return [];
  const store = openStore(place, 'queries');
  const cases = queryCases(load, toMs);
  const times: number[][] = cases.map(() => []);
  const sizes = cases.map(() => ({ rows: 0, values: 0 }));
  try {
    for (let round = 0; round <= repeat; round += 1) {
      for (const [index, { query }] of cases.entries()) {
        const startedMs = performance.now();
        const rows = await store.query(query);
        times[index]?.push(performance.now() - startedMs);
        sizes[index] = { rows: rows.length, values: valuesOf(rows) };
      }
      say(`queries: round ${round} of ${repeat}`);
    }
  } finally {
    await store.close();
  }
  return cases.map(({ what, wantedMs }, index) => {
    const [firstMs = 0, ...later] = times[index] ?? [];
    const sorted = [...later].sort((a, b) => a - b);
    const medianMs = sorted[Math.floor(sorted.length / 2)] ?? firstMs;
    return {
      what,
      wantedMs,
      ...(sizes[index] ?? { rows: 0, values: 0 }),
      firstMs,
      medianMs,
      maxMs: sorted.at(-1) ?? 0,
    };
  });
}

function queryCases(load: Load, toMs: number): { what: string; wantedMs: number | null; query: MetricQuery }[] {
  const day = { measurement: MEASUREMENT, tags: tagsOf(0), fromMs: toMs - DAY_MS, toMs };
  const hour = { measurement: MEASUREMENT, fromMs: toMs - HOUR_MS, toMs };
  const means = { aggregate: { everyMs: MINUTE_MS, by: 'mean' } } as const;
  const all = `all ${load.metrics} fields`;
  return [
    { what: `one service, a day, 1-minute means, ${all}`, wantedMs: 200, query: { ...day, ...means } },
    { what: 'one service, a day, every second, one field', wantedMs: 200, query: { ...day, fields: [fieldName(0)] } },
    { what: `one service, a day, every second, ${all}`, wantedMs: null, query: day },
    { what: `all services, last hour, 1-minute means, ${all}`, wantedMs: 1_000, query: { ...hour, ...means } },
    {
      what: 'all services, last hour, 1-minute means, one field',
      wantedMs: 1_000,
      query: { ...hour, ...means, fields: [fieldName(0)] },
    },
    {
      what: 'all services, last hour, every second, one field',
      wantedMs: 1_000,
      query: { ...hour, fields: [fieldName(0)] },
    },
  ];
}
