import { createRandom } from '../../core/forecast/random.js';
import { serviceTimeQuantile } from '../../core/plan/capacity/serviceTimes.js';
import type { InstanceQuestion } from '../../core/plan/capacity/instances.js';
import type { LbPolicy } from '../../core/spec/settings.js';

/** A tenth of the cases each. */
const POLICIES: readonly LbPolicy[] = [
  'LEAST_REQUEST',
  'ROUND_ROBIN',
  'LEAST_REQUEST',
  'RING_HASH',
  'RANDOM',
  'LEAST_REQUEST',
  'ROUND_ROBIN',
  'LEAST_REQUEST',
  'RING_HASH',
  'MAGLEV',
];
/** So that the SLO decides and not the limit: the plan's own is 0.8. */
const MAX_UTILISATION = 0.95;
const MOST_INSTANCES = 4000;

export interface Case extends InstanceQuestion {
  id: number;
  serviceTimeCv: number;
  arrivalCv2: number;
  maxUtilisation: number;
}

/**
 * Generated services: spread in logarithms over demand 1–20,000 rps, service 1–500 ms, 1–64 workers, 1–100 proxies;
 * CV 0–2; bursts 1–4; an SLO of 1.05 to 6 times the p99 of service. Work for half an instance to 300.
 */
export function caseSet(count: number, seed: number): Case[] {
  const random = createRandom(seed * 104_729);
  const logUniform = (low: number, high: number): number => low * (high / low) ** random();
  const cases: Case[] = [];
  while (cases.length < count) {
    const busyInstances = logUniform(0.5, 300);
    const concurrency = Math.max(1, Math.round(logUniform(0.51, 64.4)));
    const serviceTimeMs = logUniform(1, 500);
    const demandRps = (busyInstances * concurrency * 1000) / serviceTimeMs;
    const serviceTimeCv = 2 * random();
    const sloFactor = 1 + logUniform(0.05, 5);
    const clientProxies = Math.max(1, Math.round(logUniform(0.6, 100)));
    const arrivalCv2 = random() < 0.5 ? 1 : logUniform(1, 4);
    if (demandRps < 1 || demandRps > 20_000) continue;
    cases.push({
      id: cases.length,
      policy: POLICIES[cases.length % POLICIES.length] ?? 'RANDOM',
      clientProxies,
      concurrency,
      serviceTimeMs,
      serviceTimeCv,
      arrivalCv2,
      demandRps,
      sloP99Ms: sloFactor * serviceTimeQuantile(serviceTimeCv, 0.99) * serviceTimeMs,
      maxUtilisation: MAX_UTILISATION,
      minInstances: 1,
      maxInstances: MOST_INSTANCES,
    });
  }
  return cases;
}
