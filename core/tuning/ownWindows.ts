import type { ServiceObservation } from '../spec/observation.js';

/** What all proxies together counted for one service in one window. */
export interface OwnWindow {
  service: string;
  /** Milliseconds since the epoch. */
  endMs: number;
  seconds: number;
  requests: number;
  /** Requests that the rate limit let through, and those of them that failed. */
  answered: number;
  failed: number;
}

/** Share of a window that may lie in gaps between our own readings for them to speak of it. */
export const MOST_UNCOVERED = 0.25;

type Counted = 'service' | 'windowSeconds' | 'ageSeconds' | 'requests' | 'rps' | 'errorRate';

/** The window of an observation that was judged at `atMs`. */
export function windowOf(
  seen: Pick<ServiceObservation, Counted> & { errors: { rateLimited: number } },
  atMs: number,
): OwnWindow {
  const answered = Math.max(0, seen.requests - seen.errors.rateLimited);
  return {
    service: seen.service,
    endMs: atMs - seen.ageSeconds * 1000,
    seconds: seen.windowSeconds,
    requests: seen.rps * seen.windowSeconds,
    answered: seen.errorRate === null ? 0 : answered,
    failed: (seen.errorRate ?? 0) * answered,
  };
}

/**
 * What the windows of one service say of the time between two moments, as if what each counted came evenly, and the
 * share of that time that they cover. Where two overlap (a step that ran twice, two that read the same proxies), the
 * later counts.
 */
export function windowBetween(
  windows: readonly OwnWindow[],
  fromMs: number,
  toMs: number,
): { window: OwnWindow; covered: number } {
  const sum = { seconds: 0, requests: 0, answered: 0, failed: 0 };
  let takenFromMs = toMs;
  for (const one of [...windows].sort((a, b) => b.endMs - a.endMs)) {
    const beginMs = one.endMs - one.seconds * 1000;
    const partMs = Math.min(one.endMs, takenFromMs) - Math.max(beginMs, fromMs);
    if (!(partMs > 0)) continue;
    const share = partMs / (one.seconds * 1000);
    sum.seconds += partMs / 1000;
    sum.requests += one.requests * share;
    sum.answered += one.answered * share;
    sum.failed += one.failed * share;
    takenFromMs = Math.max(beginMs, fromMs);
  }
  const service = windows[0]?.service ?? '';
  const covered = toMs > fromMs ? (sum.seconds * 1000) / (toMs - fromMs) : 0;
  return { window: { service, endMs: toMs, ...sum }, covered };
}
