import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { locatePart } from '../../scripts/parts/locate.js';
import { waitFor } from '../../testbed/http.js';
import type { RunningInfluxd } from '../../testbed/influx.js';
import { startInfluxd } from '../../testbed/influx.js';
import { freePort } from '../../testbed/ports.js';
import type { RunningPrometheus } from '../../testbed/prometheus.js';
import { startPrometheus } from '../../testbed/prometheus.js';
import type { Place } from '../capability/world.js';
import { startPlace } from '../capability/world.js';
import { PROMETHEUS_FOLDER, filled, readQueries, readRules, readText } from './assets.js';

jest.setTimeout(240_000);

const folder = mkdtempSync(path.join(tmpdir(), 'psmg-dashboards-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['check', 'rules.yml'],
  ['test', 'rules.test.yml'],
])('promtool %s rules %s', (verb, file) => {
  const { status, stdout, stderr } = spawnSync(locatePart('promtool'), [verb, 'rules', file], {
    cwd: PROMETHEUS_FOLDER,
    encoding: 'utf8',
  });
  expect(`${status} ${stdout} ${stderr}`).toMatch(/^0 [\s\S]*SUCCESS/);
});

describe('PromQL on a Prometheus that scrapes a worker with a region in operation', () => {
  let place: Place;
  let prometheus: RunningPrometheus;

  beforeAll(async () => {
    const port = await freePort();
    process.env['PSMG_HEALTH_PORT'] = String(port);
    place = await startPlace();
    await place.startWorker();
    prometheus = await startPrometheus({
      directory: path.join(folder, 'prometheus'),
      scrape: [{ job: 'psmg-worker', targets: [`127.0.0.1:${port}`], intervalMs: 1000 }],
      rules: [readText('deploy', 'prometheus', 'rules.yml')],
    });
    await place.launch();
    await place.until('ticks', 180_000, (status) => (status.tuner.report?.ticks ?? 0) > 1);
    await waitFor('the phase in Prometheus', 60_000, async () => {
      const seen = await ask('psmg_region_phase{phase="operating"} == 1 and on () psmg_service_requests_per_second');
      return seen.length > 0 || (await ask('psmg_region_phase{phase="operating"} == 1')).length > 0;
    });
  });

  afterAll(async () => {
    delete process.env['PSMG_HEALTH_PORT'];
    await prometheus?.stop();
    await place?.stop();
  });

  async function ask(query: string): Promise<readonly unknown[]> {
    const response = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const answer = (await response.json()) as { status: string; error?: string; data: { result: unknown[] } };
    if (answer.status !== 'success') throw new Error(`${query}: ${answer.error}`);
    return answer.data.result;
  }

  /** What has no series where nothing is wrong: blocks, failures, checks that are not ok, a plan of one window. */
  const EMPTY = /_blocked|state!="ok"|visibility_errors|activity_failures|window_start/;

  it('every query of the dashboards runs, and yields a series where there is something to see', async () => {
    const values = { $__rate_interval: '1m', $region: '.+', $service: '.+', $instance: '.+' };
    const queries = readQueries().filter(({ language }) => language === 'promql');
    const empty: string[] = [];
    for (const { where, text } of queries) {
      const found = await ask(filled(text, values));
      if (found.length === 0 && !EMPTY.test(text)) empty.push(`${where}: ${text}`);
    }
    expect(empty).toEqual([]);
  });

  it('every alert runs', async () => {
    for (const { expr } of readRules()) await ask(expr);
  });
});

describe('Flux on a real InfluxDB', () => {
  let influxd: RunningInfluxd;
  beforeAll(async () => {
    influxd = await startInfluxd({ directory: path.join(folder, 'influx'), bucket: 'psmg' });
    const queries = readQueries().filter(({ language }) => language === 'flux');
    const fields = new Set(queries.flatMap(({ text }) => [...text.matchAll(/_field == "(\w+)"/g)].map(([, f]) => f)));
    const values = [...fields].map((field) => `${field}=1`).join(',');
    const at = Math.floor(Date.now() / 1000) - 60;
    const lines = [`service,region=north,service=shop ${values} ${at}`, `region,region=north ${values} ${at}`];
    const response = await fetch(`${influxd.url}/api/v2/write?org=${influxd.org}&bucket=psmg&precision=s`, {
      method: 'POST',
      headers: { authorization: `Token ${influxd.token}` },
      body: lines.join('\n'),
    });
    expect(response.status).toBe(204);
  });
  afterAll(async () => influxd?.stop());

  it('every query of the dashboard runs and yields what was written', async () => {
    const values = {
      '${bucket}': 'psmg',
      '${region:regex}': '.+',
      '${service:regex}': '.+',
      'v.timeRangeStart': '-1h',
      'v.timeRangeStop': 'now()',
      'v.windowPeriod': '1m',
    };
    const queries = readQueries().filter(({ language }) => language === 'flux');
    expect(queries.length).toBeGreaterThan(8);
    for (const { where, text } of queries) {
      const response = await fetch(`${influxd.url}/api/v2/query?org=${influxd.org}`, {
        method: 'POST',
        headers: { authorization: `Token ${influxd.token}`, 'content-type': 'application/vnd.flux' },
        body: filled(text, values),
      });
      const answer = await response.text();
      expect({ where, status: response.status, found: answer.includes('north') }).toEqual({
        where,
        status: 200,
        found: true,
      });
    }
  });
});
