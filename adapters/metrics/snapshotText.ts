import type { ProxySnapshot } from '../../core/spec/observation.js';

/** A set of snapshots as JSON, as stores keep it: whole, in one text. */
export function textOfSnapshots(snapshots: readonly ProxySnapshot[]): string {
  return JSON.stringify(snapshots, keepInfinity);
}

export function snapshotsOfText(text: string): readonly ProxySnapshot[] {
  return JSON.parse(text, reviveInfinity) as ProxySnapshot[];
}

/** A set counts as taken when its last proxy had answered. Of one or more snapshots. */
export function takenAtMs(snapshots: readonly ProxySnapshot[]): number {
  return Math.max(...snapshots.map(({ at }) => at));
}

/** The last bucket of a histogram has no upper bound, and JSON has no word for that. */
function keepInfinity(_key: string, value: unknown): unknown {
  return value === Infinity ? 'Infinity' : value;
}

function reviveInfinity(key: string, value: unknown): unknown {
  return key === 'highMs' && value === 'Infinity' ? Infinity : value;
}
