import { ringGroups } from '../../core/plan/capacity/ringShares.js';
import { simulateWaits, sojournsFrom } from '../../core/plan/capacity/queueSimulation.js';
import type { Case } from './caseSet.js';

/** More instances behave as this many with the same load each: the wait at one hardly depends on so many others. */
const MOST_SIMULATED = 256;

/** Whether so many instances keep the SLO in the simulation, and none is busier than allowed. */
export function meetsSlo(question: Case, instances: number, requests: number): boolean {
  if (instances < 1) return false;
  const { demandRps, serviceTimeMs, concurrency, policy, maxUtilisation } = question;
  const utilisation = (demandRps * serviceTimeMs) / (1000 * concurrency * instances);
  const fullest = policy === 'RING_HASH' ? (ringGroups(instances).at(-1)?.load ?? 1) : 1;
  if (utilisation * fullest > maxUtilisation + 1e-9) return false;
  const waits = simulateWaits({
    instances: policy === 'RING_HASH' ? instances : Math.min(MOST_SIMULATED, instances),
    concurrency,
    proxies: question.clientProxies,
    policy,
    utilisation,
    serviceTimeCv: question.serviceTimeCv,
    arrivalCv2: question.arrivalCv2,
    requests,
    seed: question.id * 8191 + instances,
  });
  return sojournsFrom(waits, question.serviceTimeCv).tail(question.sloP99Ms / serviceTimeMs) <= 0.01;
}

/** The smallest count that `meets`, from a first guess: steps that double, then halves. */
export function smallestFrom(guess: number, meets: (count: number) => boolean): number {
  let step = Math.max(1, Math.round(guess * 0.02));
  let [low, high] = [guess, guess];
  if (meets(guess)) {
    do {
      high = low;
      low = Math.max(0, low - step);
      step *= 2;
    } while (low > 0 && meets(low));
  } else {
    do {
      low = high;
      high += step;
      step *= 2;
    } while (!meets(high));
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (meets(middle)) high = middle;
    else low = middle;
  }
  return high;
}

export function tolerance(count: number): number {
  return Math.max(1, 0.05 * count);
}
