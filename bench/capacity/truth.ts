import { ringGroups } from '../../core/plan/capacity/ringShares.js';
import { simulateWaits, sojournsFrom } from '../../core/plan/capacity/queueSimulation.js';
import type { Case } from './caseSet.js';

const RING_POINTS = 1024;
/** Steps of fewer instances are narrower than what a count is judged by. */
const RING_STEPS = 8;

/** Whether so many instances keep the SLO in the simulation, and none is busier than allowed. */
export function meetsSlo(question: Case, instances: number, requests: number): boolean {
  if (instances < 1) return false;
  const { demandRps, serviceTimeMs, concurrency, policy, maxUtilisation } = question;
  const utilisation = (demandRps * serviceTimeMs) / (1000 * concurrency * instances);
  const fullest = policy === 'RING_HASH' ? (ringGroups(instances).at(-1)?.load ?? 1) : 1;
  if (utilisation * fullest > maxUtilisation + 1e-9) return false;
  const waits = simulateWaits({
    instances,
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

/**
 * The smallest count that keeps the SLO. On a ring one instance more can leave each with a point less and all more
 * uneven, so that the last count of each step below what was found is tried too.
 */
export function smallestCount(question: Case, guess: number, requests: number): number {
  const meets = (count: number): boolean => meetsSlo(question, count, requests);
  const found = smallestFrom(guess, meets);
  if (question.policy !== 'RING_HASH') return found;
  for (let points = RING_STEPS; points >= 2; points--) {
    const last = Math.ceil(RING_POINTS / (points - 1)) - 1;
    if (last > found / 2 && last < found && meets(last)) return smallestFrom(last, meets);
  }
  return found;
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
