import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { prepareRegion } from '../../core/forecast/prepareRegion.js';
import type { HistorySpec, PrometheusHistoryQuery } from '../../core/spec/history.js';
import { startPrometheus } from '../../testbed/prometheus.js';
import type { RunningPrometheus } from '../../testbed/prometheus.js';
import type { DemandHistory, DemandRow } from './port.js';
import { createHistory } from './source.js';

const STEP_SECONDS = 900;
const STEP_MS = STEP_SECONDS * 1000;
const DAY_STEPS = 96;
const START_MS = Date.UTC(2026, 2, 1);
const END_MS = START_MS + DAY_STEPS * STEP_MS;

/** What was asked of each service in each step of the day: no two steps alike. */
const DEMAND: Readonly<Record<string, (step: number) => number>> = {
  shop: (step) => 20 + 15 * Math.sin((2 * Math.PI * step) / DAY_STEPS) + step / 100,
  pay: (step) => 4 + (step % 7) / 4,
};

/** Counters each minute, of two instances a service that share the requests 3 : 1, and what must not be counted. */
function counters(): string {
  const series = (labels: string, rps: (step: number) => number): string[] => {
    let total = 0;
    return Array.from({ length: DAY_STEPS * 15 + 1 }, (_, minute) => {
      if (minute > 0) total += rps(Math.floor((minute - 1) / 15)) * 60;
      return `istio_requests_total{${labels}} ${total} ${START_MS / 1000 + minute * 60}`;
    });
  };
  const all = Object.entries(DEMAND).flatMap(([service, rps]) => {
    const of = (pod: string, reporter: string): string =>
      `destination_service_name="${service}",pod="${pod}",reporter="${reporter}"`;
    return [
      ...series(of('a', 'destination'), (step) => rps(step) * 0.75),
      ...series(of('b', 'destination'), (step) => rps(step) * 0.25),
      ...series(of('a', 'source'), rps),
    ];
  });
  return ['# TYPE istio_requests counter', ...all].join('\n');
}

const rowsOf = (read: { rows: readonly DemandRow[] }, service: string): readonly DemandRow[] =>
  read.rows.filter((row) => row.service === service);

describe('demand history from a real Prometheus', () => {
  let directory: string;
  let server: RunningPrometheus;
  let nowMs = END_MS + 90_000;
  let history: DemandHistory;
  const spec = (change: Partial<PrometheusHistoryQuery> = {}): HistorySpec => ({
    kind: 'prometheus',
    stepSeconds: STEP_SECONDS,
    prometheus: { url: server.url, timeoutSeconds: 10, preset: 'istio', days: 1, delaySeconds: 60, ...change },
  });

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'psmg-history-'));
    server = await startPrometheus({ directory, scrape: [], openMetrics: counters() });
    history = createHistory(directory, { variable: () => undefined, now: () => nowMs });
  }, 40_000);
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('asks the same question as the same demand in a file: a row for each step, at its begin', async () => {
    const lines = Object.entries(DEMAND).flatMap(([service, rps]) =>
      Array.from(
        { length: DAY_STEPS },
        (_, step) => `${new Date(START_MS + step * STEP_MS).toISOString()},${service},${rps(step)}`,
      ),
    );
    await writeFile(path.join(directory, 'history.csv'), ['timestamp,service,rps', ...lines].join('\n'));
    const file = await history.read({ kind: 'csv', file: 'history.csv', stepSeconds: STEP_SECONDS });
    const asked = await history.read(spec());
    expect(asked.problems).toEqual([]);
    for (const service of Object.keys(DEMAND)) {
      const [found, wanted] = [rowsOf(asked, service), rowsOf(file, service)];
      expect(found.map((row) => row.at)).toEqual(wanted.map((row) => row.at));
      for (const [i, row] of found.entries()) expect(row.rps).toBeCloseTo(wanted[i]?.rps ?? NaN, 6);
    }
    const question = (rows: readonly DemandRow[]) => {
      const seasons = { stepSeconds: STEP_SECONDS, horizonSteps: 8, seasons: [24] };
      // Rates come back with the noise of the counter's last digits.
      const rounded = rows.map((row) => ({ ...row, rps: Number(row.rps.toFixed(6)) }));
      return prepareRegion({ ...seasons, rows: rounded, events: [], regionName: 'eu', services: ['shop', 'pay'] });
    };
    expect(question(asked.rows)).toMatchObject({ ok: true });
    expect(question(asked.rows)).toEqual(question(file.rows));
  });

  it('does not depend on when in a step it asks, and leaves out the step that is not over', async () => {
    const whole = await history.read(spec());
    for (const laterMs of [600_000, STEP_MS - 1]) {
      nowMs = END_MS + 60_000 + laterMs;
      expect(await history.read(spec())).toEqual(whole);
    }
    // The newest step is over, but its last samples may still be on their way.
    nowMs = END_MS + 59_000;
    const early = await history.read(spec());
    expect(Math.max(...early.rows.map((row) => row.at))).toBe(END_MS - 2 * STEP_MS);
    nowMs = END_MS + 90_000;
  });

  it('reads up to a time that it is told, and no further back than so many days', async () => {
    const until = await history.read(spec(), undefined, START_MS + 40 * STEP_MS + 1);
    expect(Math.max(...until.rows.map((row) => row.at))).toBe(START_MS + 39 * STEP_MS);
    const short = await history.read(spec({ days: 0.25 }));
    expect(rowsOf(short, 'shop').map((row) => row.at)).toEqual(
      Array.from({ length: 24 }, (_, i) => END_MS - (24 - i) * STEP_MS),
    );
  });

  it('takes an own query, and adds up what is named as one service', async () => {
    const query = 'sum by (destination_service_name) (rate(istio_requests_total{reporter="source"}[$step]))';
    const own = { preset: undefined, query, serviceLabel: 'destination_service_name' } as const;
    const asked = await history.read(spec({ ...own, names: { pay: 'till', shop: 'till' } }));
    expect(new Set(asked.rows.map((row) => row.service))).toEqual(new Set(['till']));
    for (const [step, { rps }] of asked.rows.entries()) {
      expect(rps).toBeCloseTo((DEMAND['shop']?.(step) ?? NaN) + (DEMAND['pay']?.(step) ?? NaN), 6);
    }
  });

  it('narrows a preset by labels and by another label for the service', async () => {
    const byPod = await history.read(spec({ serviceLabel: 'pod', labels: { destination_service_name: 'shop' } }));
    expect(rowsOf(byPod, 'b')[10]?.rps).toBeCloseTo((DEMAND['shop']?.(10) ?? NaN) / 4, 6);
    const quoted = await history.read(spec({ labels: { pod: 'a"} or vector(1) #' } }));
    expect(quoted).toMatchObject({ rows: [], problems: [{ code: 'empty' }] });
  });

  it.each<[string, Partial<PrometheusHistoryQuery>, string, RegExp]>([
    [
      'a query that is none',
      { preset: undefined, query: 'rate(' },
      'bad-query',
      /cannot read the query: .*parse error.*, in rate\(/,
    ],
    [
      'an answer without the label',
      { preset: undefined, query: 'sum(rate(istio_requests_total[$step]))' },
      'no-service',
      /without the label "service": \{\}/,
    ],
    ['nothing', { preset: 'otel' }, 'empty', /has no demand of the last 1 days/],
    ['a token that is not set', { token: { env: 'NONE' } }, 'no-token', /NONE is not set/],
  ])('tells %s', async (_, change, code, words) => {
    const { rows, problems } = await history.read(spec(change));
    expect(rows).toEqual([]);
    expect(problems).toMatchObject([{ code, field: 'history.prometheus', fix: expect.any(String) }]);
    expect(problems[0]?.message).toMatch(words);
  });

  it('throws only when it is told to stop', async () => {
    await expect(history.read(spec(), AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });
});

it('refuses demand of which a part could not be read', async () => {
  const values = [[START_MS / 1000, '5']];
  const result = [{ metric: { destination_service_name: 'shop' }, values }];
  const body = { status: 'success', data: { resultType: 'matrix', result }, warnings: ['store-2 did not answer'] };
  const server = http.createServer((_, response) => void response.end(JSON.stringify(body)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const prometheus = { url, timeoutSeconds: 5, preset: 'istio', days: 1, delaySeconds: 0 } as const;
    const history = createHistory('/', { variable: () => undefined, now: () => END_MS });
    const { rows, problems } = await history.read({ kind: 'prometheus', stepSeconds: 3600, prometheus });
    expect(rows).toEqual([]);
    expect(problems).toMatchObject([{ code: 'partial' }]);
    expect(problems[0]?.message).toMatch(/could read a part only: store-2 did not answer/);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
