import type { EdgeLatency } from '../../spec/graph.js';
import { ok, refused } from '../../spec/problem.js';
import type { Problem, Result } from '../../spec/problem.js';
import { INNER_ARRIVALS_CONFIDENCE, measuredConfidence, RELATIVE_CONFIDENCE } from '../edgeSet.js';
import type { EdgeSet, SourcedEdge } from '../edgeSet.js';

export interface CountedCall {
  caller: string;
  callee: string;
  count: number;
  latency?: EdgeLatency;
  bytesPerCall?: number;
}

export interface CountedCalls {
  source: string;
  calls: readonly CountedCall[];
  /** Requests that arrive from outside by service; null where the source does not count them. */
  outside: ReadonlyMap<string, number> | null;
  /** Requests that one of `count` stands for: the seconds, where counts are rates. */
  requestsPerCount?: number;
  notes: readonly string[];
}

/** No request makes so many calls: a counter was reset, or is of another time. */
const MOST_CALLS = 1e6;

/**
 * Counts become calls per request: over all that arrives at the caller. Where nothing is known to arrive at a caller,
 * only the proportions between its callees are known: the one that it calls most is taken to be called once a request.
 */
export function edgesOfCounts({ source, calls, outside, requestsPerCount = 1, notes }: CountedCalls): Result<EdgeSet> {
  const arrivals = new Map(outside ?? []);
  const most = new Map<string, number>();
  for (const { caller, callee, count } of calls) {
    arrivals.set(callee, (arrivals.get(callee) ?? 0) + count);
    most.set(caller, Math.max(most.get(caller) ?? 0, count));
  }
  const problems: Problem[] = [];
  const edges = calls.flatMap(({ count, ...call }): SourcedEdge[] => {
    if (count === 0) return [];
    const arrived = arrivals.get(call.caller) ?? 0;
    const callsPerRequest = count / (arrived > 0 ? arrived : (most.get(call.caller) ?? count));
    if (!(callsPerRequest <= MOST_CALLS)) problems.push(tooMany(source, call, callsPerRequest));
    const seen = measuredConfidence(Math.min(count, arrived > 0 ? arrived : count) * requestsPerCount);
    const cap = arrived === 0 ? RELATIVE_CONFIDENCE : outside === null ? INNER_ARRIVALS_CONFIDENCE : 1;
    const basis = arrived === 0 ? ('relative' as const) : ('measured' as const);
    const requests = Math.max(1, (arrived > 0 ? arrived : count) * requestsPerCount);
    return [{ ...call, callsPerRequest, source, basis, requests, confidence: Math.min(cap, seen) }];
  });
  return problems.length > 0 ? refused(problems) : ok({ edges, notes, services: [...arrivals.keys()].sort() });
}

function tooMany(file: string, { caller, callee }: { caller: string; callee: string }, calls: number): Problem {
  return {
    code: 'graph-rate',
    file,
    field: `${caller} → ${callee}`,
    message: `would be ${calls.toPrecision(3)} calls for each request that arrives at ${caller}`,
    expected: `at most ${MOST_CALLS}`,
    fix: 'count calls and arrivals over the same time',
  };
}

/** Adds up what several records say of the same two services, in the order in which they are first met. */
export class CallSums {
  private readonly sums = new Map<string, { caller: string; callee: string; count: number }>();

  add(caller: string, callee: string, count: number): void {
    const key = JSON.stringify([caller, callee]);
    const known = this.sums.get(key);
    if (known === undefined) this.sums.set(key, { caller, callee, count });
    else known.count += count;
  }

  all(): { caller: string; callee: string; count: number }[] {
    return [...this.sums.values()];
  }
}
