import { stronglyConnected } from '../../spec/graphCycles.js';
import type { RoutedCall } from './problem.js';

/** Calls by caller, in rows: callees of s are `index[start[s] … start[s+1])`. */
export interface CallRows {
  start: Int32Array;
  index: Int32Array;
  calls: Float64Array;
}

/** Services in groups, callers before callees; a cyclic group's members call each other in a circle, or themselves. */
export interface CallOrder {
  groupStart: Int32Array;
  members: Int32Array;
  cyclic: Uint8Array;
}

/** Calls to the same callee are added up; those that never happen are left out. */
export function callRows(services: number, calls: readonly RoutedCall[]): CallRows {
  const byCaller = Array.from({ length: services }, () => new Map<number, number>());
  for (const { caller, callee, callsPerRequest } of calls) {
    const row = byCaller[caller];
    if (row !== undefined && callsPerRequest > 0) row.set(callee, (row.get(callee) ?? 0) + callsPerRequest);
  }
  const start = new Int32Array(services + 1);
  byCaller.forEach((row, s) => (start[s + 1] = start[s]! + row.size));
  const pairs = byCaller.flatMap((row) => [...row].sort(([a], [b]) => a - b));
  return {
    start,
    index: Int32Array.from(pairs, ([callee]) => callee),
    calls: Float64Array.from(pairs, ([, perRequest]) => perRequest),
  };
}

/** Circles and single services, callers before callees. */
export function callOrder(services: number, rows: CallRows): CallOrder {
  // Callees come first.
  const groups = stronglyConnected(services, (s) => rows.index.subarray(rows.start[s], rows.start[s + 1])).reverse();
  const groupStart = new Int32Array(groups.length + 1);
  groups.forEach((group, g) => (groupStart[g + 1] = groupStart[g]! + group.length));
  const cyclic = Uint8Array.from(groups, (group) => (group.length > 1 || callsItself(rows, group[0]!) ? 1 : 0));
  return { groupStart, members: Int32Array.from(groups.flat()), cyclic };
}

function callsItself(rows: CallRows, s: number): boolean {
  for (let k = rows.start[s]!; k < rows.start[s + 1]!; k++) if (rows.index[k] === s) return true;
  return false;
}
