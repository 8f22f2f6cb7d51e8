/**
 * Time and memory of 24 windows, each started from the one before, by number of services: `node --import tsx
 * bench/routing/scale.ts --services 10,100,1000,2000,5000 --regions 10 [--write docs/routing.md]`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { RoutingProblem, RoutingSolution } from '../../core/plan/routing/problem.js';
import { solveRouting } from '../../core/plan/routing/solve.js';
import { betweenMarkers, markdownTable } from '../markdown.js';
import { generateProblem } from './generate.js';

const { values: options } = parseArgs({
  options: {
    services: { type: 'string', default: '10,100,1000,2000,5000' },
    regions: { type: 'string', default: '10' },
    windows: { type: 'string', default: '24' },
    seed: { type: 'string', default: '1' },
    /** Most sweeps a window; absent: the solver's own. */
    sweeps: { type: 'string' },
    /** Marker in the page written to. */
    name: { type: 'string', default: 'routing-scale' },
    /** Internal: measures one size in this process and prints it. */
    one: { type: 'string' },
    write: { type: 'string' },
  },
});

interface Measured {
  services: number;
  wallSeconds: number;
  cpuSeconds: number;
  firstSeconds: number;
  rssMiB: number;
  iterations: number;
  worstGap: number;
  meanGap: number;
}

const WINDOWS = Number(options.windows);

/** A day: each region's demand follows the sun, 0.45 to 1 of its peak, and each route has its own noise. */
function windowOf(problem: RoutingProblem, window: number): RoutingProblem {
  const R = problem.regions.length;
  const level = (entry: number, region: number): number =>
    0.725 +
    0.25 * Math.sin((2 * Math.PI * (window + (24 * region) / R)) / 24) +
    0.025 * Math.sin(7 * entry + 3 * window);
  const entries = problem.entries.map((entry, e) => ({ ...entry, rps: entry.rps.map((rps, i) => rps * level(e, i)) }));
  return { ...problem, entries };
}

function measure(services: number): Measured {
  const problem = generateProblem({
    services,
    regions: Number(options.regions),
    seed: Number(options.seed),
    headroom: 1.2,
  });
  const cpu = process.cpuUsage();
  const begun = performance.now();
  let warm: RoutingSolution | undefined;
  let [iterations, worstGap, gaps, firstSeconds] = [0, 0, 0, 0];
  for (let window = 0; window < WINDOWS; window++) {
    warm = solveRouting(windowOf(problem, window), {
      ...(warm && { warm }),
      ...(options.sweeps !== undefined && { maxIterations: Number(options.sweeps) }),
    });
    if (window === 0) firstSeconds = (performance.now() - begun) / 1000;
    iterations += warm.iterations;
    worstGap = Math.max(worstGap, warm.gap);
    gaps += warm.gap;
  }
  const used = process.cpuUsage(cpu);
  return {
    services,
    wallSeconds: (performance.now() - begun) / 1000,
    cpuSeconds: (used.user + used.system) / 1e6,
    firstSeconds,
    rssMiB: process.resourceUsage().maxRSS / 1024,
    iterations,
    worstGap,
    meanGap: gaps / WINDOWS,
  };
}

function report(rows: readonly Measured[]): string {
  const lines = rows.map((row, k) => {
    const before = rows[k - 1];
    const growth = before && Math.log(row.cpuSeconds / before.cpuSeconds) / Math.log(row.services / before.services);
    return [
      String(row.services),
      row.wallSeconds.toFixed(2),
      row.cpuSeconds.toFixed(2),
      row.firstSeconds.toFixed(2),
      row.rssMiB.toFixed(0),
      (row.iterations / WINDOWS).toFixed(0),
      `${(100 * row.meanGap).toFixed(2)} %`,
      `${(100 * row.worstGap).toFixed(2)} %`,
      growth === undefined ? '' : growth.toFixed(2),
    ];
  });
  const header = [
    'services',
    'wall s',
    'CPU s',
    'first window s',
    'RSS MiB',
    'sweeps a window',
    'mean gap',
    'worst gap',
    'growth exponent',
  ];
  return `${WINDOWS} windows × ${options.regions} regions, seed ${options.seed}, ${
    options.sweeps === undefined ? 'to a proven gap of 1 %' : `at most ${options.sweeps} sweeps a window`
  }.\n\n${markdownTable([header, ...lines], 0)}`;
}

if (options.one !== undefined) {
  process.stdout.write(JSON.stringify(measure(Number(options.one))));
} else {
  const rows = options.services.split(',').map((services): Measured => {
    // A process of its own, so that its memory is its own.
    const args = [
      '--one',
      services,
      '--regions',
      options.regions,
      '--windows',
      options.windows,
      '--seed',
      options.seed,
      ...(options.sweeps === undefined ? [] : ['--sweeps', options.sweeps]),
    ];
    const run = spawnSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    process.stderr.write(`${run.stdout}\n`);
    return JSON.parse(run.stdout) as Measured;
  });
  const text = report(rows);
  process.stdout.write(`${text}\n`);
  if (options.write !== undefined) {
    writeFileSync(options.write, betweenMarkers(readFileSync(options.write, 'utf8'), options.name, text));
  }
}
