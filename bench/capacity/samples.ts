import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { LbPolicy } from '../../core/spec/settings.js';
import { createRandom } from '../../core/forecast/random.js';
import { simulateWaits, sojournsFrom } from '../../core/plan/capacity/queueSimulation.js';
import type { SimulationInput } from '../../core/plan/capacity/queueSimulation.js';
import { serviceTimeQuantile } from '../../core/plan/capacity/serviceTimes.js';
import { workOf } from '../../core/plan/capacity/sojourn.js';
import { equivalentLogit, utilisationOf } from './equivalent.js';

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
];
/** More instances behave as this many with the same load each. */
const MOST_INSTANCES = 256;
const MOST_UTILISATION = 0.94;
/**
 * A balancer is looked at up to so much busier (log-odds) than what a random split takes within the same SLO: less
 * the more proxies there are, as each then sees less.
 */
const BUSIER = { many: 0.8, one: 2.5 };

/**
 * The i-th point of the design: services as a planner meets them, spread in logarithms, about as busy as an SLO of 1.05
 * to 6 times their p99 of service allows.
 */
export function designPoint(i: number, seed: number, requests: number): SimulationInput {
  const random = createRandom(77_002 + seed + i * 7919);
  const logUniform = (low: number, high: number): number => low * (high / low) ** random();
  const policy = POLICIES[i % POLICIES.length] ?? 'RANDOM';
  const concurrency = Math.round(logUniform(0.51, 64.4)) || 1;
  const serviceTimeCv = random() < 0.08 ? 0 : 2 * random();
  const proxies = Math.round(logUniform(0.6, 100)) || 1;
  const arrivalCv2 = random() < 0.5 ? 1 : logUniform(1, 4);
  const sloP99 = logUniform(1.05, 6) * serviceTimeQuantile(serviceTimeCv, 0.99);
  const random99 = equivalentLogit(workOf(serviceTimeCv, concurrency), concurrency, sloP99);
  const busier = BUSIER.many + (BUSIER.one - BUSIER.many) / proxies;
  const logit = random99 + (policy === 'RANDOM' ? 0 : busier * random());
  const utilisation = Math.min(MOST_UTILISATION, utilisationOf(logit));
  const busy = logUniform(0.7, 300);
  const instances = Math.max(1, Math.min(MOST_INSTANCES, Math.round(busy / utilisation)));
  return {
    ...{ policy, concurrency, serviceTimeCv, proxies, arrivalCv2, utilisation, instances, requests },
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
