import type { EdgeLatency } from '../spec/graph.js';

/**
 * What a statement rests on. `measured`: requests counted, at caller and callee. `stated`: written down by a person.
 * `relative`: calls counted, but not what arrives at the caller: only the proportions between its callees hold.
 * `hint`: a configuration that names the callee; nothing is known of how often it is called.
 */
export type Basis = 'measured' | 'stated' | 'relative' | 'hint';

/** One statement of one source: `caller` makes `callsPerRequest` calls to `callee` for each request it gets. */
export interface SourcedEdge {
  caller: string;
  callee: string;
  callsPerRequest: number;
  /** `graph.edges` for what a person stated, else the file that says so. */
  source: string;
  /** 0–1: how much this source alone is worth. */
  confidence: number;
  basis: Basis;
  /** That the average is over; absent: it is not from so few that chance would matter. */
  requests?: number;
  /** See `ServiceEdge`. */
  callsByEntry?: Readonly<Record<string, number>>;
  callsByRoute?: Readonly<Record<string, number>>;
  latency?: EdgeLatency;
  bytesPerCall?: number;
}

/** What one source says, with what was left out of it and why, in words. */
export interface EdgeSet {
  edges: readonly SourcedEdge[];
  notes: readonly string[];
  /** Services that the source saw, those without calls among them; absent: those of its edges. */
  services?: readonly string[];
}

/** A person who writes an edge down knows that it exists, but only guesses how often it is used. */
export const STATED_CONFIDENCE = 0.8;
/** Arrivals from outside are not counted: those of the caller may be more than what is known of. */
export const INNER_ARRIVALS_CONFIDENCE = 0.6;
/** Arrivals at the caller are not counted at all. */
export const RELATIVE_CONFIDENCE = 0.3;
/** A configuration that names a host of another service: it may call it, ever or never. */
export const HINT_CONFIDENCE = 0.2;
/** An order of start-up, which is no call. */
export const START_ORDER_CONFIDENCE = 0.1;

/** Grows with what was seen: 0.5 at one request, 0.9 at a hundred, never quite 1. */
export function measuredConfidence(requests: number): number {
  return Math.min(0.9999, Math.max(0, 1 - 1 / (1 + Math.sqrt(Math.max(0, requests)))));
}
