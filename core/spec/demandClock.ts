import type { RegionSpec } from './region.js';

/** Wall time at a demand time (ISO 8601), milliseconds since the epoch; the inverse of `demandTimeMs`. */
export function wallTimeMs({ demandClock }: Pick<RegionSpec, 'demandClock'>, demandTime: string): number {
  const demandMs = Date.parse(demandTime);
  if (demandClock === undefined) return demandMs;
  return Date.parse(demandClock.wallFrom) + (demandMs - Date.parse(demandClock.demandFrom)) / demandClock.speed;
}

/** Demand time at a wall time, both in milliseconds since the epoch; the same unless the region replays recorded demand. */
export function demandTimeMs(region: Pick<RegionSpec, 'demandClock'>, wallMs: number): number {
  const clock = region.demandClock;
  if (clock === undefined) return wallMs;
  return Date.parse(clock.demandFrom) + (wallMs - Date.parse(clock.wallFrom)) * clock.speed;
}
