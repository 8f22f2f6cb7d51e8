/**
 * What a failing callee makes of the load on itself: `node --import tsx bench/retries/main.ts [--rounds N] [--out FILE]`.
 * The table is printed, and written between its markers in FILE.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { startChain } from '../../test/fixtures/chain.js';
import type { Measured } from '../../test/fixtures/chain.js';
import { closeConnections } from '../../test/fixtures/envoyProcess.js';
import { betweenMarkers, markdownTable } from '../markdown.js';
import { PEERS } from './peers.js';

const FAILS_PERCENT = [50, 100] as const;
const REQUESTS = 600;
const RPS = 200;

/** Each round runs all, one after the other, on proxies that were just started. */
async function measureAll(rounds: number): Promise<Map<string, Measured[]>> {
  const found = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round++) {
    for (const failsPercent of FAILS_PERCENT) {
      for (const { name, changes, rewrite } of PEERS) {
        const chain = await startChain(changes, rewrite);
        try {
          const measured = await chain.measure(failsPercent, REQUESTS, RPS);
          const key = `${name} ${failsPercent}`;
          found.set(key, [...(found.get(key) ?? []), measured]);
          process.stderr.write(`${key} %: ${measured.amplification.toFixed(2)}\n`);
        } finally {
          await chain.stop();
          closeConnections();
        }
      }
    }
  }
  return found;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, out: { type: 'string' } } });
const found = await measureAll(Number(values.rounds));
const header = ['retries of', ...FAILS_PERCENT.flatMap((p) => [`× at ${p} %`, `most`, `answered`])];
const rows = PEERS.map(({ name }) => [
  name,
  ...FAILS_PERCENT.flatMap((failsPercent) => {
    const runs = found.get(`${name} ${failsPercent}`) ?? [];
    const times = runs.map(({ amplification }) => amplification);
    const answered = median(runs.map((run) => run.answered));
    return [median(times).toFixed(2), Math.max(...times).toFixed(2), `${(answered * 100).toFixed(0)} %`];
  }),
]);
const table = markdownTable([header, ...rows]);
process.stdout.write(`${table}\n`);
if (values.out !== undefined) {
  writeFileSync(values.out, betweenMarkers(readFileSync(values.out, 'utf8'), 'retries', table));
}
