import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { startPrometheus } from '../../testbed/prometheus.js';
import type { RunningPrometheus } from '../../testbed/prometheus.js';
import { createPrometheusClient } from '../prometheus/client.js';
import { answerQuery } from './aggregate.js';
import { InvalidMetricQueryError, MetricsStoreClosedError } from './errors.js';
import type { AggregateFunction, MetricQuery, MetricRow } from './port.js';
import { createPrometheusMetricsReader, metricName } from './prometheus.js';

const START_MS = Date.UTC(2026, 2, 1, 6);
const FUNCTIONS: readonly AggregateFunction[] = ['mean', 'min', 'max', 'sum', 'count', 'last'];

/** Half an hour at odd and even times, on bucket bounds and a millisecond beside them; one field now and then only. */
const rows: readonly MetricRow[] = ['shop', 'pay'].flatMap((service, s) =>
  Array.from({ length: 120 }, (_, i): MetricRow => {
    const beside = [0, 0, 1, -1, 7][i % 5] ?? 0;
    const fields = { rps: ((i * 7) % 13) - 3 + s / 4, ...(i % 3 === 0 ? { p99_ms: i / 8 } : {}) };
    return { measurement: 'service', tags: { region: 'eu', service }, at: START_MS + i * 15_000 + beside, fields };
  }),
);

/** As promtool reads them in: times in seconds, with milliseconds. */
function openMetrics(all: readonly MetricRow[]): string {
  const lines = new Map<string, string[]>();
  for (const { measurement, tags, at, fields } of all) {
    const labels = Object.entries(tags).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    for (const [field, value] of Object.entries(fields)) {
      const name = metricName(measurement, field);
      const own = lines.get(name) ?? [`# TYPE ${name} gauge`];
      own.push(`${name}{${labels.join(',')}} ${value} ${(at / 1000).toFixed(3)}`);
      lines.set(name, own);
    }
  }
  return [...lines.values()].flat().join('\n');
}

describe('metrics in a real Prometheus', () => {
  let directory: string;
  let server: RunningPrometheus;
  const client = (limits = {}) => createPrometheusClient({ url: server.url, timeoutMs: 10_000, limits });
  const ask = (query: Partial<MetricQuery>): Promise<readonly MetricRow[]> =>
    createPrometheusMetricsReader(client()).query({ ...EVERYTHING, ...query });
  const EVERYTHING: MetricQuery = { measurement: 'service', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'psmg-reader-'));
    server = await startPrometheus({ directory, scrape: [], openMetrics: openMetrics(rows) });
  }, 40_000);
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('are read as they were written, to the millisecond, fields of a time in one row', async () => {
    expectSame(await ask({}), answerQuery(rows, EVERYTHING));
    expectSame(await ask({ tags: { service: 'pay' }, fields: ['p99_ms'] }), [
      ...answerQuery(rows, { ...EVERYTHING, tags: { service: 'pay' }, fields: ['p99_ms'] }),
    ]);
    expect(await ask({ measurement: 'none' })).toEqual([]);
    expect(await ask({ fields: [] })).toEqual([]);
    expect(await ask({ tags: { service: 'sh"op' } })).toEqual([]);
  });

  it('take from, leave to', async () => {
    const at = START_MS + 15_000;
    const found = await ask({ fromMs: at, toMs: START_MS + 5 * 15_000, tags: { service: 'shop' } });
    expect(found.map((row) => row.at - START_MS)).toEqual([15_000, 30_001, 44_999, 60_007]);
    expect(await ask({ fromMs: at, toMs: at })).toEqual([]);
    expect(await ask({ fromMs: at, toMs: at + 1 })).toHaveLength(2);
    expect(await ask({ fromMs: at + 1, toMs: at + 2 })).toEqual([]);
  });

  it.each(FUNCTIONS)('are aggregated by %s where the data is, in buckets since the epoch', async (by) => {
    for (const everyMs of [1, 7000, 60_000, 300_000, 86_400_000]) {
      const query = { ...EVERYTHING, fromMs: START_MS - 5000, toMs: START_MS + 1_234_567, aggregate: { everyMs, by } };
      expectSame(await ask(query), answerQuery(rows, query));
    }
  });

  it('answer any query as the reference does', async () => {
    const query = fc.record({
      measurement: fc.constant('service'),
      fromMs: fc.integer({ min: -100, max: 2000 }).map((s) => START_MS + s * 1000),
      toMs: fc.integer({ min: -100_000, max: 2_000_000 }).map((ms) => START_MS + ms),
      tags: fc.constantFrom<Record<string, string>>({}, { service: 'shop' }, { region: 'us' }),
      fields: fc.constantFrom<readonly string[]>(['rps'], ['p99_ms', 'rps'], ['p99_ms', 'none']),
      aggregate: fc.record({ everyMs: fc.constantFrom(2, 1000, 60_000, 420_000), by: fc.constantFrom(...FUNCTIONS) }),
    });
    const property = fc.asyncProperty(query, async (one) => expectSame(await ask(one), answerQuery(rows, one)));
    await fc.assert(property, { numRuns: 40, seed: 7 });
  }, 30_000);

  it('are read in halves where one answer would be too large', async () => {
    // The whole is about 3 KiB of samples.
    const reader = createPrometheusMetricsReader(client({ maxMiB: 1 / 512 }));
    expectSame(await reader.query(EVERYTHING), answerQuery(rows, EVERYTHING));
  });

  it('are not read after close, and no bucket has no width', async () => {
    const reader = createPrometheusMetricsReader(client());
    const query = { ...EVERYTHING, aggregate: { everyMs: 0, by: 'mean' } } as const;
    await expect(reader.query(query)).rejects.toThrow(InvalidMetricQueryError);
    await reader.close();
    await reader.close();
    await expect(reader.query(EVERYTHING)).rejects.toThrow(MetricsStoreClosedError);
  });
});

/** The same rows; values within rounding, since a server adds in an order of its own. */
function expectSame(found: readonly MetricRow[], wanted: readonly MetricRow[]): void {
  const sorted = (all: readonly MetricRow[]): MetricRow[] =>
    [...all].sort((a, b) => a.at - b.at || (JSON.stringify(a.tags) < JSON.stringify(b.tags) ? -1 : 1));
  const shape = ({ measurement, tags, at, fields }: MetricRow): unknown => [
    measurement,
    tags,
    at,
    Object.keys(fields).sort(),
  ];
  const [left, right] = [sorted(found), sorted(wanted)];
  expect(left.map(shape)).toEqual(right.map(shape));
  for (const [i, row] of left.entries()) {
    for (const [name, value] of Object.entries(row.fields)) expect(value).toBeCloseTo(right[i]?.fields[name] ?? NaN, 9);
  }
  expect(found.map((row) => row.at)).toEqual(found.map((row) => row.at).sort((a, b) => a - b));
}
