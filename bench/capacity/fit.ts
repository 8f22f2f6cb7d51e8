/**
 * Fits core/plan/capacity/waitFit.ts to simulations of a seeded design.
 *
 * node --import tsx bench/capacity/fit.ts [--count 2000] [--seed 1] [--requests 300000] [--samples FILE] [--write]
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { FittedPolicy, PolicyFit } from '../../core/plan/capacity/waitModel.js';
import { features, terms } from '../../core/plan/capacity/waitModel.js';
import { errorsOf, fitPolicy } from './fitPolicy.js';
import { simulateDesign } from './samples.js';
import type { Sample } from './samples.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    requests: { type: 'string', default: '300000' },
    samples: { type: 'string', default: join(tmpdir(), 'psmg-capacity-samples.jsonl') },
    write: { type: 'boolean', default: false },
  },
});
const TARGET = new URL('../../core/plan/capacity/waitFit.ts', import.meta.url);
const ROUNDS = 14;
const FIELDS: Readonly<Record<FittedPolicy, readonly (keyof PolicyFit)[]>> = {
  LEAST_REQUEST: ['pooled', 'scale', 'waiting'],
  ROUND_ROBIN: ['random', 'scale', 'waiting'],
  RANDOM: ['scale', 'waiting'],
};

const [count, seed, requests] = [Number(values.count), Number(values.seed), Number(values.requests)];
const samples = simulateDesign(count, seed, requests, values.samples);
const lines: string[] = [];
for (const policy of Object.keys(FIELDS) as FittedPolicy[]) {
  const own = samples.filter(({ input }) => input.policy === policy);
  const learnt = fitPolicy(
    policy,
    own.filter((_, i) => i % 4 !== 0),
    startOf(policy, own),
    ROUNDS,
  );
  const held = own.filter((_, i) => i % 4 === 0);
  const fit = fitPolicy(policy, own, learnt, ROUNDS);
  const large = ({ input }: Sample): boolean => input.instances >= 16;
  console.log(`${policy}: ${own.length} samples; error of the utilisation, median, p90, part within 5 %`);
  console.log(`  held out ${summary(errorsOf(policy, held, learnt))}`);
  console.log(`  held out, 16 or more instances ${summary(errorsOf(policy, held.filter(large), learnt))}`);
  console.log(`  all ${summary(errorsOf(policy, own, fit))}`);
  const parts = FIELDS[policy].map((field) => `    ${field}: [${(fit[field] ?? []).map(rounded).join(', ')}],`);
  lines.push(`  ${policy}: {`, ...parts, '  },');
}
if (values.write) {
  writeFileSync(
    TARGET,
    `import type { FittedPolicy, PolicyFit } from './waitModel.js';

/**
 * Written by \`node --import tsx bench/capacity/fit.ts --count ${count} --seed ${seed} --requests ${requests} --write\`: ${count} simulated
 * settings of ${requests} requests (1–64 workers, 1–256 instances, 1–100 proxies, CV 0–2, arrival CV² 1–4, 15–95 % busy).
 */
export const WAIT_FIT: Readonly<Record<FittedPolicy, PolicyFit>> = {
${lines.join('\n')}
};
`,
  );
}

function startOf(policy: FittedPolicy, own: readonly Sample[]): PolicyFit {
  const [first] = own;
  if (first === undefined) throw new Error('no samples');
  const zeros = terms(features(first.input, 0.5)).map(() => 0);
  return { scale: zeros, waiting: zeros, ...Object.fromEntries(FIELDS[policy].map((field) => [field, zeros])) };
}

function summary(errors: readonly number[]): string {
  const sorted = errors.map(Math.abs).sort((a, b) => a - b);
  const at = (level: number): string => (sorted[Math.floor(level * sorted.length)] ?? 0).toFixed(3);
  const within = sorted.filter((error) => error <= 0.05).length / sorted.length;
  return `${at(0.5)} ${at(0.9)} ${(100 * within).toFixed(1)} %`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
