import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { LbPolicy } from '../../core/spec/settings.js';
import { createRandom } from '../../core/forecast/random.js';
import { simulateWaits, sojournsFrom } from '../../core/plan/capacity/queueSimulation.js';
import type { SimulationInput } from '../../core/plan/capacity/queueSimulation.js';

export interface Sample {
  input: SimulationInput;
  /** In mean service times. */
  p99: number;
}

const POLICIES: readonly LbPolicy[] = [
  'LEAST_REQUEST',
  'ROUND_ROBIN',
  'LEAST_REQUEST',
  'RANDOM',
  'LEAST_REQUEST',
  'ROUND_ROBIN',
  'LEAST_REQUEST',
];
/** More instances behave as this many with the same load each. */
const MOST_INSTANCES = 256;

/** The i-th point of the design: spread in logarithms over what a planner meets, where queues make a difference. */
export function designPoint(i: number, seed: number, requests: number): SimulationInput {
  const random = createRandom(seed + i * 7919);
  const logUniform = (low: number, high: number): number => low * (high / low) ** random();
  const concurrency = Math.round(logUniform(0.51, 64.4)) || 1;
  // Queues begin to matter within a few square roots of the workers (Halfin and Whitt 1981).
  const utilisation = Math.min(0.95, Math.max(0.15, 1 - logUniform(0.1, 1.6) / Math.sqrt(concurrency)));
  const policy = POLICIES[i % POLICIES.length] ?? 'RANDOM';
  return {
    concurrency,
    utilisation,
    policy,
    // A single instance is the same under all of them.
    instances: Math.min(MOST_INSTANCES, Math.round(logUniform(policy === 'RANDOM' ? 1 : 1.6, 400))),
    proxies: Math.round(logUniform(0.6, 100)) || 1,
    serviceTimeCv: random() < 0.15 ? 0 : 2 * random(),
    arrivalCv2: random() < 0.4 ? 1 : logUniform(1, 4),
    requests,
    seed: i + 1,
  };
}

/** Samples of the design from a file of one JSON a line; what it lacks is simulated and added to it. */
export function simulateDesign(count: number, seed: number, requests: number, file: string): Sample[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  const samples = lines.slice(0, count).map((line) => JSON.parse(line) as Sample);
  for (let i = samples.length; i < count; i++) {
    const input = designPoint(i, seed, requests);
    const sample = { input, p99: sojournsFrom(simulateWaits(input), input.serviceTimeCv).quantile(0.99) };
    samples.push(sample);
    appendFileSync(file, `${JSON.stringify(sample)}\n`);
  }
  return samples;
}
