import { gammaQuantile } from './gamma.js';

/** Envoy's smallest ring; every instance gets the same number of points on it. */
const RING_POINTS = 1024;
/** Beyond this many, all but the fullest are told in groups. */
const SINGLE = 16;
const GROUPS = 12;

/** Instances that get alike: how many, and the share of one over the mean share. */
export interface ShareGroup {
  instances: number;
  load: number;
}

/**
 * How keys fall on n instances by ring hash, least first. Gaps between random points on a ring are exponential, so
 * that an instance of k points has a gamma share of shape k; here at the middle of each n-th, as on a typical ring.
 */
export function ringGroups(instances: number): readonly ShareGroup[] {
  if (instances === 1) return [{ instances, load: 1 }];
  const single = Math.min(instances, SINGLE);
  const grouped = instances - single;
  const sizes = [
    ...Array.from({ length: grouped === 0 ? 0 : GROUPS }, () => grouped / GROUPS),
    ...new Array<number>(single).fill(1),
  ];
  const points = Math.ceil(RING_POINTS / instances);
  let below = 0;
  const groups = sizes.map((size) => {
    below += size;
    return { instances: size, load: gammaQuantile(points, (below - size / 2) / instances) };
  });
  const mean = groups.reduce((sum, group) => sum + group.instances * group.load, 0) / instances;
  return groups.map((group) => ({ ...group, load: group.load / mean }));
}

/** Part of the keys of each instance, least first, sum 1. */
export function ringShares(instances: number): Float64Array {
  const points = Math.ceil(RING_POINTS / instances);
  const shares = Float64Array.from({ length: instances }, (_, i) =>
    instances === 1 ? 1 : gammaQuantile(points, (i + 0.5) / instances),
  );
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}
