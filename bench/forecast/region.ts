import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { createThreadCompute } from '../../adapters/compute/threads.js';
import type { PhaseReport, RegionOptions } from './regionPhases.js';
import { forecastPhase } from './regionPhases.js';
import { trainPhase } from './regionTrain.js';
import { regionBody } from './regionReport.js';
import { betweenMarkers } from '../markdown.js';

const USAGE = `npm run bench:region -- [--services N] [--threads N] [--choose N] [--seed N] [--data FOLDER] [--out FILE]
A made region, 14 days of 5-minute steps, forecast for a day: the network trained on all services, models chosen for the first --choose services, then all
services forecast again a day later with choices kept. The table goes to --out, or to standard output alone.
`;

const { values: options } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    threads: { type: 'string', default: '2' },
    choose: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    data: { type: 'string', default: '../shared/data' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
    /** Each part runs in a process of its own, so that its memory is its own. */
    phase: { type: 'string' },
    folder: { type: 'string', default: '' },
  },
});

const services = Number(options.services);
const threads = Number(options.threads);
const choose = Math.min(services, Number(options.choose));
const region: RegionOptions = { folder: options.data, services, seed: Number(options.seed) };

async function main(): Promise<void> {
  if (options.help) return void process.stdout.write(USAGE);
  if (options.phase !== undefined) return runPhase(options.phase);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'psmg-bench-'));
  try {
    const train = await inProcess('train', services, folder);
    const first = await inProcess('first', choose, folder);
    const again = await inProcess('again', services, folder);
    const body = regionBody({ train, first, again, threads, seed: region.seed });
    process.stdout.write(`${body}\n`);
    if (options.out === undefined) return;
    const before = await readFile(options.out, 'utf8').catch(() => '# Benchmarks\n');
    await writeFile(options.out, betweenMarkers(before, 'bench:forecast-region', body));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runPhase(phase: string): Promise<void> {
  const files = {
    choices: path.join(options.folder, 'choices.json'),
    network: path.join(options.folder, 'network.json'),
  };
  const compute = createThreadCompute({ threads });
  const report =
    phase === 'train'
      ? await trainPhase({ ...region, ...files }, compute)
      : await forecastPhase({ ...region, ...files, day: phase === 'first' ? 0 : 1 }, compute);
  await compute.close();
  process.stdout.write(JSON.stringify(report));
}

async function inProcess(phase: string, count: number, folder: string): Promise<PhaseReport> {
  const args = ['--phase', phase, '--services', String(count), '--folder', folder];
  const rest = ['--threads', options.threads, '--seed', options.seed, '--data', options.data];
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), ...args, ...rest], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  const code = await ended;
  if (code !== 0) throw new Error(`phase ${phase} ended with ${code ?? 'a signal'}`);
  return JSON.parse(text) as PhaseReport;
}

await main();
