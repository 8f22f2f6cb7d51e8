import { residuals } from './residual.js';
import type { Residuals } from './residual.js';
import { ringGroups } from './ringShares.js';
import { serviceTimes, sojournTail } from './serviceTimes.js';
import type { ServiceTimes } from './serviceTimes.js';
import { waitsAt } from './waitModel.js';
import type { QueueSetting } from './waitModel.js';

/** Requests that may take longer than the p99, by its definition. */
const TAIL = 0.01;

/** Sojourn times of one setting, in mean service times. */
export interface Sojourn {
  /** Part of the requests that take longer than so many, when the mean utilisation of the instances is as given. */
  tailAt(utilisation: number): (t: number) => number;
  /** Load of the fullest instance over the mean. */
  fullest: number;
}

/** What depends on the service alone, not on how many instances it has. */
export interface ServiceWork {
  service: ServiceTimes;
  left: Residuals;
}

export function workOf(serviceTimeCv: number, concurrency: number): ServiceWork {
  return { service: serviceTimes(serviceTimeCv), left: residuals(serviceTimeCv, concurrency) };
}

/** `work`: made once by `workOf` for all that differ only in instances, proxies and balancer. */
export function sojournOf(
  setting: QueueSetting,
  work: ServiceWork = workOf(setting.serviceTimeCv, setting.concurrency),
): Sojourn {
  const evenTail = (utilisation: number): ((t: number) => number) => {
    if (utilisation >= 1) return () => 1;
    const waits = waitsAt(setting, work.left, utilisation);
    return (t) => sojournTail(work.service, t, waits);
  };
  if (setting.policy !== 'RING_HASH') return { tailAt: evenTail, fullest: 1 };
  const groups = ringGroups(setting.instances);
  return {
    fullest: groups.at(-1)?.load ?? 1,
    tailAt: (utilisation) => {
      const tails = groups.map(({ instances, load }) => ({
        part: instances * load,
        tail: evenTail(utilisation * load),
      }));
      return (t) => tails.reduce((sum, { part, tail }) => sum + part * tail(t), 0) / setting.instances;
    },
  };
}

const GRID_STEPS = 8;
const HALVINGS = 14;

/** The highest utilisation up to `most` below which the p99 never exceeds `t`; 0 where the service alone does. */
export function highestUtilisation(sojourn: Sojourn, t: number, most = 0.999 / sojourn.fullest): number {
  let low = 0;
  let high = 0;
  // The first step that fails, not any root: so a longer `t` never gives less.
  for (let i = 1; i <= GRID_STEPS; i++) {
    high = (most * i) / GRID_STEPS;
    if (sojourn.tailAt(high)(t) > TAIL) break;
    low = high;
  }
  if (low === high) return most;
  // Light loads are told apart by their ratio: from the least that matters, halves in the logarithm.
  const least = 1e-4 * high;
  if (low === 0) {
    if (sojourn.tailAt(least)(t) > TAIL) return 0;
    low = least;
  }
  for (let i = 0; i < HALVINGS; i++) {
    const middle = Math.sqrt(low * high);
    if (sojourn.tailAt(middle)(t) > TAIL) high = middle;
    else low = middle;
  }
  return low;
}

const QUANTILE_HALVINGS = 20;

/** Estimated p99 in mean service times; Infinity where an instance is overloaded. */
export function sojournQuantile(sojourn: Sojourn, utilisation: number, level = 1 - TAIL): number {
  if (utilisation * sojourn.fullest >= 1) return Infinity;
  const tail = sojourn.tailAt(utilisation);
  let [low, high] = [0, 1];
  while (tail(high) > 1 - level && high < 1e9) high *= 2;
  for (let i = 0; i < QUANTILE_HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (tail(middle) > 1 - level) low = middle;
    else high = middle;
  }
  return high;
}
