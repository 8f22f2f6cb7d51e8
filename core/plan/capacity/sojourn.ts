import { ringGroups } from './ringShares.js';
import { serviceTimes, sojournTail } from './serviceTimes.js';
import { waitAt } from './waitModel.js';
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

export function sojournOf(setting: QueueSetting): Sojourn {
  const service = serviceTimes(setting.serviceTimeCv);
  const tailAt = (t: number, utilisation: number): number => {
    if (utilisation >= 1) return 1;
    const { waiting, scale } = waitAt(setting, utilisation);
    return sojournTail(service, t, waiting, scale);
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
