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
  /** Part of the requests that take longer than `t` when the mean utilisation of the instances is as given. */
  tail(t: number, utilisation: number): number;
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
  const tailAt = (t: number, utilisation: number): number => {
    if (utilisation >= 1) return 1;
    return sojournTail(work.service, t, waitsAt(setting, work.left, utilisation));
  };
  if (setting.policy !== 'RING_HASH') return { tail: tailAt, fullest: 1 };
  const groups = ringGroups(setting.instances);
  return {
    fullest: groups.at(-1)?.load ?? 1,
    tail: (t, utilisation) =>
      groups.reduce((sum, { instances, load }) => sum + instances * load * tailAt(t, utilisation * load), 0) /
      setting.instances,
  };
}

const GRID_STEPS = 24;
const HALVINGS = 26;

/** The highest utilisation below which the p99 never exceeds `t`; 0 where the service alone does. */
export function highestUtilisation(sojourn: Sojourn, t: number): number {
  const top = 0.999 / sojourn.fullest;
  let low = 0;
  let high = 0;
  // The first step that fails, not any root: so a longer `t` never gives less.
  for (let i = 1; i <= GRID_STEPS; i++) {
    high = (top * i) / GRID_STEPS;
    if (sojourn.tail(t, high) > TAIL) break;
    low = high;
  }
  if (low === high) return top;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (sojourn.tail(t, middle) > TAIL) high = middle;
    else low = middle;
  }
  return low;
}

/** Estimated p99 in mean service times; Infinity where an instance is overloaded. */
export function sojournQuantile(sojourn: Sojourn, utilisation: number, level = 1 - TAIL): number {
  if (utilisation * sojourn.fullest >= 1) return Infinity;
  let [low, high] = [0, 1];
  while (sojourn.tail(high, utilisation) > 1 - level && high < 1e9) high *= 2;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (sojourn.tail(middle, utilisation) > 1 - level) low = middle;
    else high = middle;
  }
  return high;
}
