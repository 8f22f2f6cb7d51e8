import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { betweenMarkers } from '../markdown.js';
import { runKills } from './campaignRun.js';
import { reportOf } from './report.js';

/**
 * `npm run campaign:kills -- [--kills 200] [--server-kills 20] [--lives 6] [--seed 1] [--report FILE] [--json FILE]
 * [--directory FOLDER]`: lives of regions whose worker dies of SIGKILL at every boundary of every activity and at any
 * time, and whose Temporal server does so too. Exit code 1 when a life differs from an undisturbed one.
 */
const { values: args } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    'server-kills': { type: 'string', default: '20' },
    lives: { type: 'string', default: '6' },
    seed: { type: 'string', default: '1' },
    report: { type: 'string' },
    json: { type: 'string' },
    directory: { type: 'string' },
  },
});

async function main(): Promise<void> {
  const folder = args.directory ?? mkdtempSync(path.join(os.tmpdir(), 'psmg-kills-'));
  const loadBefore = os.loadavg()[0] ?? 0;
  const seed = Number(args.seed);
  const result = await runKills({
    ...{
      folder,
      seed,
      kills: Number(args.kills),
      serverKills: Number(args['server-kills']),
      lives: Number(args.lives),
      expiresMs: 10_000,
    },
    say: (line) => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
  });
  const report = reportOf(result, { seed, loadBefore });
  process.stdout.write(`${report}\n`);
  if (args.json !== undefined) writeFileSync(args.json, `${JSON.stringify(result, null, 1)}\n`);
  if (args.report !== undefined) {
    const before = existsSync(args.report) ? readFileSync(args.report, 'utf8') : '';
    writeFileSync(args.report, betweenMarkers(before, 'campaign:kills', report));
  }
  // What is needed to find out is kept where something was found.
  if (args.directory === undefined && result.failures.length === 0) rmSync(folder, { recursive: true, force: true });
  process.exitCode = result.failures.length === 0 ? 0 : 1;
}

// What was started ends with this process, and not otherwise.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
await main();
