import type { RegionSpec } from './region.js';

/** Demand time at a wall time, both in milliseconds since the epoch; the same unless the region replays recorded demand. */
export function demandTimeMs(region: Pick<RegionSpec, 'demandClock'>, wallMs: number): number {
  const clock = region.demandClock;
  if (clock === undefined) return wallMs;
  return Date.parse(clock.demandFrom) + (wallMs - Date.parse(clock.wallFrom)) * clock.speed;
}
