/** 97.5 % quantile of the standard normal: two-sided 95 %. */
const Z = 1.959963984540054;

/**
 * Lower bound of the Wilson score interval for a proportion: the smallest rate that `failures` of `trials` still
 * support at 95 %. 0 when there were no trials.
 */
export function wilsonLowerBound(failures: number, trials: number): number {
  if (trials <= 0) return 0;
  const rate = Math.min(1, Math.max(0, failures / trials));
  if (rate === 0) return 0;
  const z2 = Z * Z;
  const centre = rate + z2 / (2 * trials);
  const spread = Z * Math.sqrt((rate * (1 - rate)) / trials + z2 / (4 * trials * trials));
  return Math.max(0, (centre - spread) / (1 + z2 / trials));
}
