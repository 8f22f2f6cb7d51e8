import { QUANTILES } from '../../spec/forecast.js';
import type { QuantileName } from '../../spec/region.js';

/** Standard normal quantiles. */
const NORMAL: Readonly<Record<QuantileName, number>> = { p50: 0, p80: 0.8416, p90: 1.2816, p95: 1.6449, p99: 2.3263 };

/**
 * Quantiles of demand with the doubt about an event's effect put to the ordinary one: two independent errors, so that
 * their squares add. `spread` is the standard deviation of the logarithm of the effect (`EventPlan.spread`).
 */
export function widenedByEvents(
  around: Readonly<Record<QuantileName, number>>,
  spread: number,
): Readonly<Record<QuantileName, number>> {
  if (spread === 0) return around;
  const widened = QUANTILES.map((name): [QuantileName, number] => {
    const doubt = around.p50 * Math.expm1(NORMAL[name] * spread);
    return [name, around.p50 + Math.hypot(around[name] - around.p50, doubt)];
  });
  return Object.fromEntries(widened) as Record<QuantileName, number>;
}
