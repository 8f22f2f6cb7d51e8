import type { QuantileName } from '../spec/region.js';
import type { Curves } from './curves.js';
import { curvesOf } from './curves.js';
import type { Series } from './series.js';
import { mean } from './series.js';

/** Demand of another service, or of the same one elsewhere, whose shape can be borrowed. */
export interface Donor {
  /** As told to people: `checkout`, or `storefront elsewhere`. */
  name: string;
  /** The same service in another region knows its shape better than a sibling does. */
  isSameService: boolean;
  history: Series;
  /** What a person says this service has for one request there; used where too few steps are in common to tell. */
  statedScale?: number;
  /** Of the forecast, one a step, from the same start as is asked for. */
  quantiles: Curves;
}

export interface BorrowedForecast {
  quantiles: Curves;
  /** In words: from whom, how scaled, on what evidence. */
  reason: string;
}

/** Steps that both must have seen before one can be scaled to the other. */
const LEAST_OVERLAP = 3;
/** Errors of a borrowed shape, as a share of demand, that even a perfect overlap does not argue away. */
const LEAST_SPREAD = 0.15;
/** The same for a scale that is stated and not seen. */
const STATED_SPREAD = 0.5;
/** Standard deviations of a normal error at each quantile. */
const DEVIATIONS: Readonly<Record<QuantileName, number>> = { p50: 0, p80: 0.84, p90: 1.28, p95: 1.64, p99: 2.33 };

/**
 * A forecast for a service with too little history of its own: the forecast of another, scaled by what both had in
 * the steps that both saw, and wider by how badly the scaled one fits there. A donor elsewhere comes first, then the
 * sibling whose shape fits best. `null`: nobody to borrow from, or too few steps in common.
 */
export function borrowForecast(own: Series, donors: readonly Donor[]): BorrowedForecast | null {
  const fits = donors.flatMap((donor) => {
    const fit = fitTo(own, donor);
    return fit === null ? [] : [fit];
  });
  const sameFirst = (a: Fit, b: Fit): number =>
    Number(b.donor.isSameService) - Number(a.donor.isSameService) || a.spread - b.spread;
  const [best] = fits.sort(sameFirst);
  if (best === undefined) return null;
  const { donor, scale, spread, steps } = best;
  const { p50 } = donor.quantiles;
  const quantile = (name: QuantileName): number[] =>
    donor.quantiles[name].map((value, step) => {
      const middle = p50[step] ?? 0;
      const apart = middle > 0 ? value / middle - 1 : 0;
      return scale * middle * (1 + Math.hypot(apart, DEVIATIONS[name] * spread));
    });

  const evidence = steps === 0 ? 'as stated' : `${steps} steps of both differ by ${Math.round(100 * spread)} %`;
  const reason = `borrows the shape of ${donor.name}, times ${scale.toPrecision(3)}: ${evidence}`;
  return { quantiles: curvesOf(quantile), reason };
}

interface Fit {
  donor: Donor;
  scale: number;
  /** Standard deviation of the error as a share of mean demand. */
  spread: number;
  steps: number;
}

function fitTo(own: Series, donor: Donor): Fit | null {
  const pairs = own.values.flatMap((value, index): [number, number][] => {
    const other = (own.startMs + index * own.stepMs - donor.history.startMs) / donor.history.stepMs;
    const theirs = Number.isInteger(other) ? donor.history.values[other] : undefined;
    return theirs === undefined ? [] : [[value, theirs]];
  });
  const ours = mean(pairs.map(([value]) => value));
  const theirs = mean(pairs.map(([, value]) => value));
  if (pairs.length < LEAST_OVERLAP || theirs <= 0 || ours <= 0) {
    const { statedScale } = donor;
    return statedScale === undefined ? null : { donor, scale: statedScale, spread: STATED_SPREAD, steps: 0 };
  }
  const scale = ours / theirs;
  const error = Math.sqrt(mean(pairs.map(([value, other]) => (value - scale * other) ** 2))) / ours;
  // A mean of few steps is itself uncertain.
  const spread = Math.hypot(LEAST_SPREAD, error, error / Math.sqrt(pairs.length), 1 / pairs.length);
  return { donor, scale, spread, steps: pairs.length };
}
