import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { requestJson, waitFor } from './http.js';
import { startNodeExporter } from './nodeExporter.js';
import { startPrometheus } from './prometheus.js';
import type { RunningPrometheus } from './prometheus.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-prometheus-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Answer {
  data: { result: readonly { value?: [number, string]; values?: readonly [number, string][] }[] };
}

const running = (folder: string): string[] => (existsSync(folder) ? readdirSync(path.join(folder, 'pids')) : []);
const ask = (prometheus: RunningPrometheus, query: string): Promise<Answer> =>
  requestJson<Answer>(`${prometheus.url}/api/v1/${query}`);

describe('startPrometheus', () => {
  it('has days of history at once, and leaves no process behind', async () => {
    const beginSeconds = Math.floor(Date.now() / 1000 / 3600) * 3600 - 40 * 86_400;
    const hours = Array.from({ length: 72 }, (_, hour) => hour);
    const lines = hours.map((hour) => `rps{service="cart"} ${hour * 3} ${beginSeconds + hour * 3600}`);
    const openMetrics = ['# TYPE rps gauge', ...lines].join('\n');
    const prometheus = await startPrometheus({ directory, scrape: [], openMetrics });
    try {
      const range = `start=${beginSeconds}&end=${beginSeconds + 71 * 3600}&step=3600`;
      const answer = await ask(prometheus, `query_range?query=rps{service="cart"}&${range}`);
      expect(answer.data.result[0]?.values?.map(([, value]) => Number(value))).toEqual(hours.map((hour) => hour * 3));
    } finally {
      await prometheus.stop();
    }
    expect(running(directory)).toEqual([]);
    await expect(fetch(prometheus.url)).rejects.toThrow();
  });

  it('scrapes, follows rules, and takes others by a reload', async () => {
    const exporter = await startNodeExporter({ directory: path.join(directory, 'node') });
    const scrape = [{ job: 'node', url: exporter.url, intervalMs: 200 }];
    const rule = (name: string): string =>
      JSON.stringify({ groups: [{ name: 'g', interval: '200ms', rules: [{ record: name, expr: 'node_load1' }] }] });
    const prometheus = await startPrometheus({ directory, scrape, rules: [rule('first')] });
    const seen = (name: string): Promise<string> =>
      waitFor(name, 15_000, async () => (await ask(prometheus, `query?query=${name}`)).data.result[0]?.value?.[1]);
    try {
      expect(Number(await seen('node_load1'))).toBeGreaterThanOrEqual(0);
      expect(Number(await seen('first'))).toBeGreaterThanOrEqual(0);
      await prometheus.reload({ scrape, rules: [rule('second')] });
      expect(Number(await seen('second'))).toBeGreaterThanOrEqual(0);
      await expect(prometheus.reload({ scrape, rules: ['groups: 7'] })).rejects.toThrow(/reload/);
      const { data } = await requestJson<{ data: { activeTargets: readonly unknown[] } }>(
        `${prometheus.url}/api/v1/targets`,
      );
      expect(data.activeTargets).toHaveLength(1);
    } finally {
      await prometheus.stop();
      await exporter.stop();
    }
    expect([running(directory), running(path.join(directory, 'node'))]).toEqual([[], []]);
  });

  it('names what it cannot read: history, and rules at the start', async () => {
    const bad = startPrometheus({ directory, scrape: [], openMetrics: 'rps{service="cart" 1 2' });
    await expect(bad).rejects.toThrow(/promtool: /);
    const folder = path.join(directory, 'rules');
    await expect(startPrometheus({ directory: folder, scrape: [], rules: ['groups: 7'] })).rejects.toThrow(
      /ended before[^]*rules-0\.yaml/,
    );
    expect([running(folder), existsSync(path.join(directory, 'pids'))]).toEqual([[], false]);
  });
});
