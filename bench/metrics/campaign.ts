import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { betweenMarkers } from '../markdown.js';
import { failuresOf, reportOf } from './campaignReport.js';
import { runCampaign } from './campaignRun.js';
import type { CampaignOptions, Outage } from './campaignRun.js';

/**
 * `npm run campaign:metrics -- --store influxdb|sqlite [--minutes 10] [--services 500] [--metrics 10] [--seed 1]
 * [--outage] [--repeat 7] [--report FILE] [--directory FOLDER]`: a sustained load through the port of metrics, what is
 * stored of it, and how long the usual questions take. With `--outage` InfluxDB is stopped for 2 minutes (a fifth of
 * shorter runs) and killed once. Exit code 1 when a value was lost, changed or out of order.
 */
const { values: args } = parseArgs({
  options: {
    store: { type: 'string', default: 'influxdb' },
    minutes: { type: 'string', default: '10' },
    services: { type: 'string', default: '500' },
    metrics: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    outage: { type: 'boolean', default: false },
    repeat: { type: 'string', default: '7' },
    report: { type: 'string' },
    directory: { type: 'string' },
  },
});

const STOPPED_SECONDS = 120;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** The stop at a quarter of the run, the kill at three quarters. */
function outageOf(seconds: number): Outage {
  return {
    stopAtSeconds: seconds / 4,
    stoppedForSeconds: Math.min(STOPPED_SECONDS, seconds / 5),
    killAtSeconds: (seconds * 3) / 4,
  };
}

function optionsOf(directory: string): CampaignOptions {
  const seconds = Math.round(Number(args.minutes) * 60);
  const load = { services: Number(args.services), metrics: Number(args.metrics), seed: Number(args.seed) };
  const numbers = [seconds, load.services, load.metrics, Number(args.repeat)];
  if (args.store !== 'influxdb' && args.store !== 'sqlite') throw new Error('--store is influxdb or sqlite');
  if (numbers.some((value) => !(value > 0))) throw new Error('every number is above 0');
  return {
    ...{ store: args.store, load, seconds, directory, repeat: Number(args.repeat) },
    ...(args.outage ? { outage: outageOf(seconds) } : {}),
    backfill: { oneServiceSeconds: DAY_SECONDS, allServicesSeconds: HOUR_SECONDS },
    drainWithinMs: 120_000,
    say: (line) => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
  };
}

async function main(): Promise<void> {
  const directory = args.directory ?? mkdtempSync(path.join(os.tmpdir(), 'psmg-metrics-'));
  const loadBefore = os.loadavg()[0] ?? 0;
  try {
    const options = optionsOf(directory);
    const result = await runCampaign(options);
    const report = reportOf(options, result, loadBefore);
    process.stdout.write(`${report}\n`);
    if (args.report !== undefined) {
      const name = `campaign:metrics ${options.store}${options.outage === undefined ? '' : ' outage'}`;
      const before = existsSync(args.report) ? readFileSync(args.report, 'utf8') : '';
      writeFileSync(args.report, betweenMarkers(before, name, report));
    }
    process.exitCode = failuresOf(options, result).length === 0 ? 0 : 1;
  } finally {
    if (args.directory === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

await main();
