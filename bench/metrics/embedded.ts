/**
 * The embedded metrics store under the load of a large region, each service a row of ten fields a second:
 * `node --import tsx bench/metrics/embedded.ts --services 500 --seconds 3600 --day 86400`. First one service's day is
 * written, then the last hour of all services, one write a second of data; then both queries are timed.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { MetricQuery, MetricRow, MetricsStore } from '../../adapters/metrics/port.js';
import { createSqliteMetricsStore } from '../../adapters/metrics/sqlite.js';
import { createRandom, normal } from '../../core/forecast/random.js';
import { markdownTable } from '../markdown.js';
import { cpuMs } from './cpu.js';

const { values: options } = parseArgs({
  options: {
    services: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '3600' },
    day: { type: 'string', default: '86400' },
    seed: { type: 'string', default: '1' },
  },
});
const [SERVICES, SECONDS, DAY] = [Number(options.services), Number(options.seconds), Number(options.day)];
const random = createRandom(Number(options.seed));
/** A whole hour, so that the last hour ends inside a block as it mostly does. */
const BEGIN_MS = 1_700_000_000_000;
const END_MS = BEGIN_MS + DAY * 1000;

/** Four fields of full precision, three whole numbers that change, three that mostly stand still: as a service has. */
function rowAt(service: number, at: number): MetricRow {
  const requests = Math.max(0, Math.round(200 + 20 * normal(random)));
  const p50 = 12 + random() * 3;
  return {
    measurement: 'service',
    tags: { region: 'eu', service: `service-${service}` },
    at,
    fields: {
      rps: requests * (0.99 + random() * 0.02),
      requests,
      ready_instances: 12,
      rate_limited: 0,
      upstream_5xx: Math.round(random() * 3),
      retries: Math.round(random() * 6),
      completeness: 1,
      error_rate: requests === 0 ? 0 : Math.round(random() * 3) / requests,
      p50_ms: p50,
      p99_ms: p50 * (4 + random()),
    },
  };
}

interface Written {
  cpuMs: number;
  longestMs: number;
  p99Ms: number;
}

async function writeAll(store: MetricsStore, batches: Iterable<readonly MetricRow[]>): Promise<Written> {
  const took: number[] = [];
  let usedMs = 0;
  for (const rows of batches) {
    const [begun, cpu] = [performance.now(), process.cpuUsage()];
    await store.write(rows);
    usedMs += cpuMs(cpu);
    took.push(performance.now() - begun);
  }
  took.sort((a, b) => a - b);
  const [p99Ms = 0, longestMs = 0] = [took[Math.floor(took.length * 0.99)], took.at(-1)];
  return { cpuMs: usedMs, longestMs, p99Ms };
}

function* dayOfOne(): Iterable<readonly MetricRow[]> {
  for (let second = 0; second < DAY - SECONDS; second += 600) {
    const length = Math.min(600, DAY - SECONDS - second);
    yield Array.from({ length }, (_, i) => rowAt(0, BEGIN_MS + (second + i) * 1000));
  }
}

function* secondsOfAll(from: number, to: number): Iterable<readonly MetricRow[]> {
  for (let second = from; second < to; second += 1) {
    yield Array.from({ length: SERVICES }, (_, service) => rowAt(service, BEGIN_MS + second * 1000));
  }
}

interface Timed {
  ms: number;
  cpuMs: number;
  rows: number;
}

/** The median of five runs. The processor's time tells more than the clock where others use the machine too. */
async function timed(store: MetricsStore, query: MetricQuery): Promise<Timed> {
  const runs: Timed[] = [];
  for (let run = 0; run < 5; run += 1) {
    const [begun, cpu] = [performance.now(), process.cpuUsage()];
    const { length } = await store.query(query);
    runs.push({ ms: performance.now() - begun, cpuMs: cpuMs(cpu), rows: length });
  }
  return runs.sort((a, b) => a.ms - b.ms)[2] ?? { ms: 0, cpuMs: 0, rows: 0 };
}

const folder = mkdtempSync(path.join(tmpdir(), 'psmg-bench-'));
const file = path.join(folder, 'metrics.db');
const store = createSqliteMetricsStore(file);
try {
  await writeAll(store, dayOfOne());
  const half = DAY - Math.floor(SECONDS / 2);
  const early = await writeAll(store, secondsOfAll(DAY - SECONDS, half));
  // The log has its length by now: from here on the file grows by what stays.
  const before = statSync(file).size;
  const late = await writeAll(store, secondsOfAll(half, DAY));
  const grown = ((statSync(file).size - before) / (DAY - half)) * 86_400;
  const secondMs = (early.cpuMs + late.cpuMs) / SECONDS;
  const one: MetricQuery = {
    measurement: 'service',
    tags: { service: 'service-0' },
    fromMs: BEGIN_MS,
    toMs: END_MS,
  };
  const all: MetricQuery = { measurement: 'service', fromMs: END_MS - SECONDS * 1000, toMs: END_MS };
  const minutes = { everyMs: 60_000, by: 'mean' } as const;
  const queries: readonly (readonly [string, MetricQuery])[] = [
    ["one service's day, all fields, every row", one],
    ["one service's day, all fields, 1-minute means", { ...one, aggregate: minutes }],
    ["all services' last hour, all fields, 1-minute means", { ...all, aggregate: minutes }],
    ["all services' last hour, one field, 1-minute means", { ...all, fields: ['rps'], aggregate: minutes }],
    ["all services' last hour, one field, every row", { ...all, fields: ['rps'] }],
  ];
  const lines = [
    ['write of one second of data, mean', '', `${secondMs.toFixed(1)} ms`, `${SERVICES * 10} values`],
    ['99 % of writes take at most', `${late.p99Ms.toFixed(0)} ms`, '', `${DAY - half} writes`],
    ['the longest write', `${late.longestMs.toFixed(0)} ms`, '', ''],
  ];
  for (const [name, query] of queries) {
    const { ms, cpuMs: cpu, rows } = await timed(store, query);
    lines.push([name, `${ms.toFixed(0)} ms`, `${cpu.toFixed(0)} ms`, `${rows} rows`]);
  }
  console.log(markdownTable([['what', 'time', 'CPU', 'of'], ...lines]));
  console.log(
    `\nThe file grows by ${(grown * 1e-6).toFixed(0)} MB a day. Load while this ran: ${loadavg()[0]?.toFixed(1)}.`,
  );
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}
