// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { ceil, max, min } = Math;

/** A series with its running sums, so that any mean of it costs the same. */
export interface Past {
  values: Float64Array;
  /** `sums[i]`: of all values before index i. */
  sums: Float64Array;
}

export function pastOf(values: Float64Array): Past {
  const sums = new Float64Array(values.length + 1);
  for (let step = 0; step < values.length; step++) sums[step + 1] = (sums[step] ?? 0) + (values[step] ?? 0);
  return { values, sums };
}

/** Mean from index `from` up to but not `to`, of what there is of it; 0 where there is nothing. */
export function meanBetween({ sums }: Past, from: number, to: number): number {
  const first = max(0, from);
  const end = min(sums.length - 1, to);
  return end > first ? ((sums[end] ?? 0) - (sums[first] ?? 0)) / (end - first) : 0;
}

/** The last step before `origin` that lies whole seasons before `target`; below 0 where there is none. */
export function seasonBefore(origin: number, target: number, season: number): number {
  return target - season * ceil((target - origin + 1) / season);
}

/** Mean over the last `times` steps of the target's phase before the origin, each back counting `fading` of the one after. */
export function usualOf(
  { values }: Past,
  origin: number,
  target: number,
  season: number,
  times: number,
  fading: number,
): number {
  let sum = 0;
  let total = 0;
  let weight = 1;
  let at = seasonBefore(origin, target, season);
  for (let back = 0; back < times && at >= 0; back++, at -= season, weight *= fading) {
    sum += weight * (values[at] ?? 0);
    total += weight;
  }
  return total > 0 ? sum / total : 0;
}
