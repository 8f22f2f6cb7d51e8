import type { EdgeLatency } from '../../spec/graph.js';
import { ok, refused } from '../../spec/problem.js';
import type { Result } from '../../spec/problem.js';
import { measuredConfidence } from '../edgeSet.js';
import type { EdgeSet, SourcedEdge } from '../edgeSet.js';
import { readJson } from './jsonText.js';
import { readSpans } from './otlpSpans.js';
import type { Span } from './otlpSpans.js';
import { treeOf } from './spanTree.js';
import type { Arrival, SpanTree } from './spanTree.js';

/** The most frequent; span names that hold ids would have as many routes as requests. */
const MAX_ROUTES = 100;

/**
 * OTLP traces as JSON: an `ExportTraceServiceRequest`, or one in each line as the Collector's file exporter writes them.
 * Calls per request are calls over arrivals, so that a sample of traces does as well as all. They are told apart by the
 * service and route where a request entered. Calls of requests whose own arrival is missing are not counted. A call to
 * a service without spans is told by the caller's `peer.service`. Latency is that of the callee's spans.
 */
export function parseOtlp(text: string, file: string): Result<EdgeSet> {
  const { parts, problems } = readJson(text, file);
  const spans = parts.flatMap(readSpans);
  if (problems.length > 0) return refused(problems);
  if (spans.length === 0) {
    return refused([{ code: 'graph-empty', file, field: 'resourceSpans', message: 'has no span', expected: 'traces' }]);
  }
  const tree = treeOf(spans);
  const tallies = tally(tree);
  const routes = tallies.frequentRoutes();
  const edges = [...tallies.calls.values()].map((one) => edgeOf(one, tallies, routes, file));
  const services = [...new Set(spans.map((span) => span.service))].sort();
  return ok({ edges, notes: notesOf(tree, tallies, file), services });
}

/** Arrivals or calls: in all, by entry service, and by entry route. */
interface Counts {
  all: number;
  byEntry: Map<string, number>;
  byRoute: Map<string, number>;
}

interface CallTally extends Counts {
  caller: string;
  callee: string;
  durationsMs: number[];
  bytes: number;
  sized: number;
}

interface Tallies {
  arrivals: ReadonlyMap<string, Counts>;
  calls: ReadonlyMap<string, CallTally>;
  /** Left out, with how often. */
  notRouted: ReadonlyMap<string, number>;
  frequentRoutes(): ReadonlySet<string>;
}

function tally(tree: SpanTree): Tallies {
  const arrivals = new Map<string, Counts>();
  const calls = new Map<string, CallTally>();
  const notRouted = new Map<string, number>();
  const routes = new Map<string, number>();
  const addCall = (caller: Arrival, callee: string, span: Span): void => {
    const key = JSON.stringify([caller.span.service, callee]);
    const ends = { caller: caller.span.service, callee };
    const one = calls.get(key) ?? { ...ends, ...noCounts(), durationsMs: [], bytes: 0, sized: 0 };
    calls.set(key, one);
    addOne(one, caller.entry);
    if (span.durationMs !== null) one.durationsMs.push(span.durationMs);
    if (span.bytes === null) return;
    one.bytes += span.bytes;
    one.sized++;
  };
  for (const arrival of tree.arrivals) {
    const { span, caller, entry } = arrival;
    const own = arrivals.get(span.service) ?? noCounts();
    arrivals.set(span.service, own);
    addOne(own, entry);
    if (entry !== null && entry !== caller?.entry) add(routes, routeKey(entry));
    if (caller === null) continue;
    if (arrival.queued)
      add(notRouted, `${span.service} gets messages of ${caller.span.service} through a messaging system`);
    else addCall(caller, span.service, span);
  }
  for (const { caller, span } of tree.calls) {
    if (span.notRouted !== null) add(notRouted, `${caller.span.service} calls a ${span.notRouted}`);
    else if (span.peer !== null) addCall(caller, span.peer, span);
  }
  return { arrivals, calls, notRouted, frequentRoutes: () => mostFrequent(routes) };
}

function edgeOf(call: CallTally, { arrivals }: Tallies, routes: ReadonlySet<string>, source: string): SourcedEdge {
  const own = arrivals.get(call.caller) ?? noCounts();
  const ratios = (counts: Map<string, number>, all: Map<string, number>): Record<string, number> =>
    Object.fromEntries([...all].sort(byName).map(([key, arrived]) => [key, (counts.get(key) ?? 0) / arrived]));
  const callsByEntry = ratios(call.byEntry, own.byEntry);
  const callsByRoute = ratios(call.byRoute, new Map([...own.byRoute].filter(([route]) => routes.has(route))));
  const latency = latencyOf(call.durationsMs);
  return {
    caller: call.caller,
    callee: call.callee,
    callsPerRequest: call.all / Math.max(1, own.all),
    source,
    confidence: measuredConfidence(Math.min(call.all, own.all)),
    basis: 'measured',
    requests: Math.max(1, own.all),
    ...(Object.keys(callsByEntry).length === 0 ? {} : { callsByEntry }),
    ...(Object.keys(callsByRoute).length === 0 ? {} : { callsByRoute }),
    ...(latency === null ? {} : { latency }),
    ...(call.sized === 0 ? {} : { bytesPerCall: call.bytes / call.sized }),
  };
}

function latencyOf(durationsMs: number[]): EdgeLatency | null {
  if (durationsMs.length === 0) return null;
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const at = (level: number): number => {
    const place = level * (sorted.length - 1);
    const low = sorted[Math.floor(place)] ?? 0;
    const high = sorted[Math.ceil(place)] ?? low;
    return low + (high - low) * (place - Math.floor(place));
  };
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

function notesOf(tree: SpanTree, { notRouted }: Tallies, file: string): string[] {
  const notes = [...notRouted].map(([what, count]) => `${file}: ${what} (${count} times): not routed by the mesh`);
  const { traces, incompleteTraces, orphanCalls, namelessCalls, duplicates } = tree;
  if (incompleteTraces > 0) {
    notes.push(
      `${file}: ${incompleteTraces} of ${traces} traces are incomplete: spans name a parent that is not there; ${orphanCalls} calls whose own request is missing are not counted`,
    );
  }
  if (namelessCalls > 0) {
    notes.push(`${file}: ${namelessCalls} outgoing calls lead to no service: no span of a callee and no peer.service`);
  }
  if (duplicates > 0) notes.push(`${file}: ${duplicates} spans are there more than once and counted once`);
  return notes;
}

function noCounts(): Counts {
  return { all: 0, byEntry: new Map(), byRoute: new Map() };
}

function addOne(counts: Counts, entry: Arrival['entry']): void {
  counts.all++;
  if (entry === null) return;
  add(counts.byEntry, entry.service);
  add(counts.byRoute, routeKey(entry));
}

function routeKey({ service, route }: { service: string; route: string }): string {
  return route === '' ? service : `${service} ${route}`;
}

function add(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function mostFrequent(routes: ReadonlyMap<string, number>): ReadonlySet<string> {
  const sorted = [...routes].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return new Set(sorted.slice(0, MAX_ROUTES).map(([route]) => route));
}

function byName([a]: [string, number], [b]: [string, number]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
