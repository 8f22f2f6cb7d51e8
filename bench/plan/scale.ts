import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { planMesh } from '../../core/plan/plan.js';
import { generateGraph } from '../graph/generateGraph.js';
import { betweenMarkers, markdownTable } from '../markdown.js';
import { generateRegion } from './generateRegion.js';

/**
 * `npm run bench:plan [-- --sizes 10,100,1000,2000,5000 --regions 10 --windows 24 --seed 1 --repeat 3]`: how long a plan
 * takes, from a forecast with joint paths to settings, and what it needs of memory; each in a process of its own. The
 * growth is the slope of log time over log services from the third size on.
 */
const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10,100,1000,2000,5000' },
    regions: { type: 'string', default: '10' },
    windows: { type: 'string', default: '24' },
    seed: { type: 'string', default: '1' },
    repeat: { type: 'string', default: '3' },
    out: { type: 'string', default: 'docs/benchmarks.md' },
    child: { type: 'boolean', default: false },
  },
});

interface Measured {
  services: number;
  edges: number;
  entries: number;
  changes: number;
  warnings: number;
  wallSeconds: number;
  cpuSeconds: number;
  peakMiB: number;
}

if (options.child) process.stdout.write(JSON.stringify(measure(Number(options.sizes))));
else main();

function measure(services: number): Measured {
  const seed = Number(options.seed);
  const { graph, entries } = generateGraph({ services, seed });
  const generated = generateRegion({
    graph,
    entries,
    seed,
    entryRps: 60,
    neighbours: Number(options.regions) - 1,
    steps: Number(options.windows),
    planning: {
      windowSeconds: 3600,
      leadSeconds: 600,
      hysteresis: 0.1,
      survive: 'none',
      maxUtilisation: 0.8,
      arrivalCv2: 1,
    },
  });
  const before = process.cpuUsage();
  const startMs = performance.now();
  const plan = planMesh(generated);
  const wallSeconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  if (!plan.ok) throw new Error(JSON.stringify(plan.problems.slice(0, 5)));
  const { windows, warnings } = plan.value;
  return {
    services,
    edges: graph.edges.length,
    entries: entries.length,
    changes: windows.slice(1).reduce((sum, window) => sum + window.services.length, 0),
    warnings: warnings.length,
    wallSeconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}

function main(): void {
  const sizes = options.sizes.split(',').map(Number);
  const rows = sizes.map((size) => {
    const runs = Array.from({ length: Number(options.repeat) }, () => runChild(size));
    return runs.sort((a, b) => a.wallSeconds - b.wallSeconds)[Math.floor(runs.length / 2)];
  });
  const measured = rows.filter((row) => row !== undefined);
  const table = markdownTable([
    ['services', 'edges', 'entries', 'wall, s', 'CPU, s', 'peak, MiB', 'changes in later windows', 'warnings'],
    ...measured.map((row) => [
      String(row.services),
      String(row.edges),
      String(row.entries),
      row.wallSeconds.toFixed(2),
      row.cpuSeconds.toFixed(2),
      row.peakMiB.toFixed(0),
      String(row.changes),
      String(row.warnings),
    ]),
  ]);
  const large = measured.slice(2);
  const growth =
    large.length > 1
      ? `\n\nGrowth: time ~ services^${slope(large).toFixed(2)} from ${large[0]?.services ?? 0} on.`
      : '';
  const body = `${options.regions} regions, ${options.windows} windows, seed ${options.seed}, median of ${options.repeat}.\n\n${table}${growth}`;
  process.stdout.write(`${body}\n`);
  writeFileSync(options.out, betweenMarkers(readFileSync(options.out, 'utf8'), 'bench:plan', body));
}

function runChild(size: number): Measured {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--child', '--sizes', String(size)];
  for (const name of ['regions', 'windows', 'seed'] as const) args.push(`--${name}`, options[name]);
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1e8 });
  if (status !== 0) throw new Error(`${size} services: ${stderr}`);
  return JSON.parse(stdout) as Measured;
}

/** Least squares on logarithms. */
function slope(rows: readonly Measured[]): number {
  const points = rows.map(({ services, cpuSeconds }) => [Math.log(services), Math.log(cpuSeconds)] as const);
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0);
  return over / points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
}
