import { mean } from '../series.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { expm1, log1p } = Math;

/** A way to write demand so that a model's errors are alike at all levels; every unit comes from the history itself. */
export interface Scale {
  to(demand: number): number;
  from(value: number): number;
  /** Change of the scaled value that a small relative change of this demand makes. */
  worth(demand: number): number;
}

/** Unit of the log scale as a share of the mean: near-linear below it, logarithmic above. */
const LOG_UNIT_SHARE = 0.2;

export function logScale(values: readonly number[]): Scale {
  const unit = LOG_UNIT_SHARE * mean(values) || 1;
  return {
    to: (demand) => log1p(demand / unit),
    from: (value) => expm1(value) * unit,
    worth: (demand) => demand / (unit + demand),
  };
}

export function linearScale(values: readonly number[]): Scale {
  const unit = mean(values) || 1;
  return { to: (demand) => demand / unit, from: (value) => value * unit, worth: (demand) => demand / unit };
}
