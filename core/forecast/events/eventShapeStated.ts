import type { QuantileName } from '../../spec/region.js';
import type { Occurrence } from './eventShape.js';
import { DURING, shapeColumn } from './eventShape.js';

/** An event of a kind never seen, with what it states. Times in steps from the start of the horizon. */
export interface StatedEvent {
  start: number;
  end: number;
  uplift: number;
}

/** How far a stated uplift may be off, by quantile: a campaign can outdo its plan, and a quiet day can disappoint. */
const STATED_ERROR: Readonly<Record<QuantileName, number>> = { p50: 0, p80: 0.2, p90: 0.4, p95: 0.6, p99: 1 };
/** How much of a rise each quantile expects right before the start and after the end: nobody knows how it comes and goes. */
const BEYOND: Readonly<Record<QuantileName, number>> = { p50: 0, p80: 0.5, p90: 1, p95: 1, p99: 1 };
/** Shares of the shortest season over which a rise may build up, and with which it may fade. */
const RISES_OVER = 1 / 3;
const FADES_OVER = 1 / 2;

/** Factor on demand of each of `steps` steps ahead by events never seen, at one quantile of the forecast. */
export function statedFactors(
  events: readonly StatedEvent[],
  shortestSeason: number,
  steps: number,
): (step: number, quantile: QuantileName) => number {
  const shapes = events.map(({ start, end, uplift }) => {
    const occurrence: readonly Occurrence[] = [{ start, end, height: 1 }];
    const during = shapeColumn(DURING, occurrence, steps);
    const ramp = shapeColumn({ name: 'ramp', steps: RISES_OVER * shortestSeason }, occurrence, steps);
    const after = shapeColumn({ name: 'after', steps: FADES_OVER * shortestSeason }, occurrence, steps);
    // A fall is not carried beyond its event: that would only lower what the quantiles promise.
    const beyond = ramp.map((share, step) => (uplift > 0 ? Math.max(share, after[step] ?? 0) : 0));
    return { uplift, during, beyond };
  });
  return (step, quantile) =>
    shapes.reduce((factor, { uplift, during, beyond }) => {
      // Of a rise the upper quantiles expect more, of a fall they believe less: both widen upwards only.
      const believed = uplift >= 0 ? uplift * (1 + STATED_ERROR[quantile]) : uplift * (1 - STATED_ERROR[quantile]);
      const share = Math.max(during[step] ?? 0, BEYOND[quantile] * (beyond[step] ?? 0));
      return factor * (1 + believed * share);
    }, 1);
}
