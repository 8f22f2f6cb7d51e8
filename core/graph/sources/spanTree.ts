import type { Span } from './otlpSpans.js';

/** A span by which a request arrives at its service. */
export interface Arrival {
  span: Span;
  /** The arrival of the request that led to the call; null where it is a root, or not in the file. */
  caller: Arrival | null;
  /** Where and by which route the request entered; null where the file does not tell. */
  entry: { service: string; route: string } | null;
  /** Through a queue or topic, and not by a call. */
  queued: boolean;
}

export interface SpanTree {
  arrivals: readonly Arrival[];
  /** Calls to services without spans of their own: the arrival that led to the call, and the span that made it. */
  calls: readonly { caller: Arrival; span: Span }[];
  traces: number;
  /** Traces with a span whose parent is not in the file. */
  incompleteTraces: number;
  /** Calls whose caller's own request is not in the file: of them no rate can be told. */
  orphanCalls: number;
  /** Outgoing calls of which neither a callee's span nor its name is known. */
  namelessCalls: number;
  duplicates: number;
}

/**
 * Which requests arrive where, and which request led to which call. A request arrives by a server or consumer span, by a
 * root, or by a span whose parent is of another service. Parents that lead in a circle count as missing.
 */
export function treeOf(all: readonly Span[]): SpanTree {
  const spans = new Map<string, Span>();
  for (const span of all) if (!spans.has(span.key)) spans.set(span.key, span);
  const arrivals = arrivalsOf(spans);
  const incomplete = new Set<string>();
  const parents = new Set<string>();
  for (const span of spans.values()) {
    if (span.parentKey === null) continue;
    if (!spans.has(span.parentKey)) incomplete.add(span.traceId);
    const parent = spans.get(span.parentKey);
    if (parent !== undefined && (parent.service !== span.service || isServer(span))) parents.add(span.parentKey);
  }
  const found = new Set(arrivals.values());
  const own = [...found].filter((one): one is Arrival => one !== null);
  const calls: { caller: Arrival; span: Span }[] = [];
  let [orphanCalls, namelessCalls] = [0, 0];
  for (const span of spans.values()) {
    if (span.kind !== 'client' || parents.has(span.key)) continue;
    const caller = arrivals.get(span.key) ?? null;
    if (span.notRouted === null && span.peer === null) namelessCalls++;
    else if (caller === null) orphanCalls++;
    else calls.push({ caller, span });
  }
  orphanCalls += own.filter((one) => one.caller === null && one.span.parentKey !== null).length;
  return {
    arrivals: own,
    calls,
    traces: new Set([...spans.values()].map((span) => span.traceId)).size,
    incompleteTraces: incomplete.size,
    orphanCalls,
    namelessCalls,
    duplicates: all.length - spans.size,
  };
}

/** The arrival that every span belongs to; null where it is not in the file. */
function arrivalsOf(spans: ReadonlyMap<string, Span>): Map<string, Arrival | null> {
  const known = new Map<string, Arrival | null>();
  for (const span of spans.values()) {
    const path: Span[] = [];
    const open = new Set<string>();
    let next: Span | undefined = span;
    while (next !== undefined && !known.has(next.key) && !open.has(next.key)) {
      path.push(next);
      open.add(next.key);
      next = next.parentKey === null ? undefined : spans.get(next.parentKey);
    }
    // Where the walk came back on itself there is no root; what it started from has no parent that helps.
    const inCircle = next !== undefined && open.has(next.key);
    for (const one of path.reverse()) {
      const parent = one.parentKey === null || inCircle ? undefined : spans.get(one.parentKey);
      known.set(one.key, arrivalOf(one, parent, parent === undefined ? null : (known.get(parent.key) ?? null)));
    }
  }
  return known;
}

function arrivalOf(span: Span, parent: Span | undefined, above: Arrival | null): Arrival | null {
  const isRoot = span.parentKey === null;
  const fromElsewhere = parent !== undefined && parent.service !== span.service;
  // Server spans within one another, with no call between, are two instruments on one request.
  const isInner = parent !== undefined && !fromElsewhere && parent.kind !== 'client' && parent.kind !== 'producer';
  if (isInner || (!isServer(span) && !isRoot && !fromElsewhere)) return above;
  const caller = above;
  const queued = span.kind === 'consumer';
  const own = { service: span.service, route: span.route };
  const isEntry = caller === null ? isRoot : queued || isOutsideClient(caller);
  return { span, caller, entry: isEntry ? own : (caller?.entry ?? null), queued };
}

function isServer({ kind }: Span): boolean {
  return kind === 'server' || kind === 'consumer';
}

/** A load generator, browser or app that traces its own calls: what it calls is where requests enter. */
function isOutsideClient({ span }: Arrival): boolean {
  return span.parentKey === null && span.kind === 'client';
}
