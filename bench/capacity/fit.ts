/**
 * Fits core/plan/capacity/waitFit.ts to simulations of a seeded design.
 *
 * node --import tsx bench/capacity/fit.ts [--count 4600] [--seed 1] [--requests 300000] [--samples FILE] [--write]
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { FittedPolicy, WaitFit } from '../../core/plan/capacity/waitModel.js';
import { errorsOf, fitPolicy } from './fitPolicy.js';
import { simulateDesign } from './samples.js';
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '4600' },
    seed: { type: 'string', default: '1' },
    requests: { type: 'string', default: '300000' },
    samples: { type: 'string', default: join(tmpdir(), 'psmg-capacity-samples.jsonl') },
    write: { type: 'boolean', default: false },
  },
});
const TARGET = new URL('../../core/plan/capacity/waitFit.ts', import.meta.url);
/** RANDOM first: the others are learnt from it. */
const FITTED: readonly FittedPolicy[] = ['RANDOM', 'ROUND_ROBIN', 'LEAST_REQUEST'];
const HELD_OUT = 5;

const [count, seed, requests] = [Number(values.count), Number(values.seed), Number(values.requests)];
const samples = simulateDesign(count, seed, requests, values.samples);
let fit: WaitFit = { RANDOM: [], ROUND_ROBIN: [], LEAST_REQUEST: [] };
for (const policy of FITTED) {
  // A single instance is the same under all of them.
  const own = samples.filter(({ input }) => input.policy === policy && (policy === 'RANDOM' || input.instances > 1));
  const held = own.filter((_, i) => i % HELD_OUT === 0);
  const others = own.filter((_, i) => i % HELD_OUT !== 0);
  const learnt = { ...fit, [policy]: fitPolicy(policy, others, fit) };
  const large = held.filter(({ input }) => input.instances >= 16);
  fit = { ...fit, [policy]: fitPolicy(policy, own, fit).map(rounded) };
  console.log(`${policy}: ${own.length} samples; error of the utilisation, median, p90, part within 5 %`);
  console.log(`  held out, 16 or more instances (${large.length}) ${summary(errorsOf(policy, large, learnt))}`);
  console.log(`  all ${summary(errorsOf(policy, own, fit))}`);
}
if (values.write) {
  writeFileSync(
    TARGET,
    `import type { WaitFit } from './waitModel.js';

/**
 * Written by \`node --import tsx bench/capacity/fit.ts --count ${count} --seed ${seed} --requests ${requests} --write\`:
 * ${count} simulated services of ${requests} requests (1–64 workers, 1–256 instances, 1–100 proxies, CV 0–2, arrival CV²
 * 1–4), each about as busy as an SLO of 1.05 to 6 times its p99 of service allows.
 */
export const WAIT_FIT: WaitFit = {
${FITTED.map((policy) => `  ${policy}: [${fit[policy].join(', ')}],`).join('\n')}
};
`,
  );
}

function summary(errors: readonly number[]): string {
  const sorted = errors.map(Math.abs).sort((a, b) => a - b);
  const at = (level: number): string => (sorted[Math.floor(level * sorted.length)] ?? 0).toFixed(3);
  const within = sorted.filter((error) => error <= 0.05).length / sorted.length;
  return `${at(0.5)} ${at(0.9)} ${(100 * within).toFixed(1)} %`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
