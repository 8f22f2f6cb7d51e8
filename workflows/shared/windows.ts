import type { PlannedWindow } from '../../activities/contract.js';

/** Name of the last window that has begun; the first before any has; `undefined` where the plan has only one. */
export function dueWindow(windows: readonly PlannedWindow[] | undefined, atMs: number): string | undefined {
  return windows?.filter((window) => window.wallFromMs <= atMs).at(-1)?.from ?? windows?.[0]?.from;
}

/** The window that begins next. */
export function nextWindow(windows: readonly PlannedWindow[] | undefined, atMs: number): PlannedWindow | undefined {
  return windows?.find((window) => window.wallFromMs > atMs);
}
