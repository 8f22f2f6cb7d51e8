import { sojournTail } from '../../core/plan/capacity/serviceTimes.js';
import type { ServiceWork } from '../../core/plan/capacity/sojourn.js';
import { randomWaits } from '../../core/plan/capacity/waitModel.js';

const [LEAST_LOGIT, MOST_LOGIT] = [-14, 9];
const HALVINGS = 34;

/** Log-odds of the utilisation at which a random split of Poisson arrivals has the p99 `t`, in mean service times. */
export function equivalentLogit({ service, left }: ServiceWork, concurrency: number, t: number): number {
  let [low, high] = [LEAST_LOGIT, MOST_LOGIT];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    const waits = randomWaits(concurrency, left, utilisationOf(middle));
    if (sojournTail(service, t, waits) > 0.01) high = middle;
    else low = middle;
  }
  return low;
}

export function utilisationOf(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

export function logitOf(utilisation: number): number {
  return Math.log(utilisation / (1 - utilisation));
}
