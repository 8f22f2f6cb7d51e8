import { QUANTILES } from '../spec/forecast.js';
import type { QuantileName } from '../spec/region.js';

/** A value for each quantile and step. */
export type Curves = Readonly<Record<QuantileName, readonly number[]>>;

export function curvesOf(curve: (name: QuantileName) => readonly number[]): Curves {
  return Object.fromEntries(QUANTILES.map((name) => [name, curve(name)])) as unknown as Curves;
}
