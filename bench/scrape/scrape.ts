import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

import { takeSnapshots } from '../../activities/observeRegion.js';
import type { ActivityRun, Ports } from '../../activities/ports.js';
import { openTarget } from '../../adapters/mesh/targets.js';
import { median } from '../../core/forecast/series.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { observe } from '../../core/tuning/observe.js';
import { closeConnections } from '../../test/fixtures/envoyProcess.js';
import { betweenMarkers, markdownTable } from '../markdown.js';
import { cpuMs } from '../metrics/cpu.js';
import { startEdges } from './edges.js';
import { parsePrometheus } from './peers.js';

/**
 * `npm run bench:scrape [-- --proxies 4 --services 50 --rounds 5 --turns 5 --out docs/benchmarks.md]`: CPU of this process for
 * one reading of one proxy, with real proxies that counted real requests. Ours is the reading of a tick: targets opened
 * and closed, statistics and health fetched and parsed. The peer fetches and parses `/stats/prometheus`, which has
 * counters and histograms, but neither health by region nor buckets of our width. In each round every way reads
 * `turns` times, in another order, and every proxy has new requests between rounds.
 */
const { values: options } = parseArgs({
  options: {
    proxies: { type: 'string', default: '4' },
    services: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '5' },
    turns: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '2' },
    out: { type: 'string' },
  },
});
const [proxies, rounds, turns, warmup] = [options.proxies, options.rounds, options.turns, options.warmup].map(
  Number,
) as [number, number, number, number];

interface Way {
  name: string;
  read(region: RegionSpec): Promise<number>;
}

const run: ActivityRun = { signal: new AbortController().signal, progress: () => undefined, lastProgress: null };
const ports = { openTarget, now: () => Date.now() } as Partial<Ports> as Ports;

const fetched = async (region: RegionSpec, path: string, parse: (text: string) => unknown): Promise<number> => {
  const texts = await Promise.all(
    region.delivery.hosts.map(async (host) => {
      const target = openTarget(host);
      const text = await target.admin(path, run.signal);
      parse(text);
      return text.length;
    }),
  );
  return texts.reduce((sum, length) => sum + length, 0);
};

let last: Awaited<ReturnType<typeof takeSnapshots>>['snapshots'] = [];
const ways: readonly Way[] = [
  {
    name: 'ours: reading of a tick',
    read: async (region) => {
      const { snapshots, problems } = await takeSnapshots(ports, region, run);
      if (problems.length > 0) throw new Error(problems.join('\n'));
      last = snapshots;
      return 0;
    },
  },
  { name: '/stats/prometheus', read: (region) => fetched(region, '/stats/prometheus', parsePrometheus) },
  {
    name: '/stats/prometheus?usedonly',
    read: (region) => fetched(region, '/stats/prometheus?usedonly', parsePrometheus),
  },
  { name: '/stats?format=json, all', read: (region) => fetched(region, '/stats?format=json', JSON.parse) },
];

const edges = await startEdges(proxies, Number(options.services));
const { region } = edges;
const spent = new Map(ways.map(({ name }) => [name, { cpu: [] as number[], wall: [] as number[], bytes: 0 }]));
const merging: number[] = [];
try {
  await edges.traffic(100);
  for (let round = 0; round < warmup + rounds; round += 1) {
    await edges.traffic(9);
    const before = last;
    for (let i = 0; i < ways.length; i += 1) {
      const way = ways[(i + round) % ways.length];
      const record = way === undefined ? undefined : spent.get(way.name);
      if (way === undefined || record === undefined) continue;
      for (let turn = 0; turn < turns; turn += 1) {
        const [cpu, wall] = [process.cpuUsage(), performance.now()];
        record.bytes = await way.read(region);
        if (round < warmup) continue;
        record.cpu.push(cpuMs(cpu) / proxies);
        record.wall.push(performance.now() - wall);
      }
    }
    const hosts = region.delivery.hosts.map(({ name }) => name);
    const cpu = process.cpuUsage();
    const seen = observe(region.name, hosts, before, last, new Date().toISOString());
    if (round >= warmup) merging.push(cpuMs(cpu) / proxies);
    if (round > 0 && seen.completeness < 1) throw new Error(seen.problems.join('\n'));
  }
} finally {
  closeConnections();
  await edges.stop();
}

const rows = ways.map(({ name }) => {
  const { cpu, wall, bytes } = spent.get(name) ?? { cpu: [], wall: [], bytes: 0 };
  const sorted = [...cpu].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor(sorted.length * 0.05)], sorted[Math.floor(sorted.length * 0.95)]];
  return [
    name,
    median(cpu).toFixed(2),
    `${low?.toFixed(2)}–${high?.toFixed(2)}`,
    ((median(cpu) * 100) / 1000).toFixed(2),
    median(wall).toFixed(0),
    bytes === 0 ? '–' : (bytes / proxies / 1024).toFixed(0),
  ];
});
const header = ['way', 'CPU ms a reading', '5–95 %', 'CPU s for 100', `wall ms for ${proxies}`, 'KiB a proxy'];
const body = [
  `${proxies} Envoys of ${options.services} clusters with 4 endpoints each, read ${rounds * turns} times: ${proxies * rounds * turns} readings a way, ${cpus().length} CPUs, Node ${process.version}.`,
  '',
  markdownTable([header, ...rows]),
  '',
  `Merging two readings of a proxy into the observation takes ${median(merging).toFixed(2)} ms of CPU more.`,
].join('\n');
process.stdout.write(`${body}\n`);
if (options.out !== undefined) {
  writeFileSync(options.out, betweenMarkers(readFileSync(options.out, 'utf8'), 'bench:scrape', body));
}
