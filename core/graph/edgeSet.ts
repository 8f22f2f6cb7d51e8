/** One statement of one source: `caller` makes `callsPerRequest` calls to `callee` for each request it gets. */
export interface SourcedEdge {
  caller: string;
  callee: string;
  callsPerRequest: number;
  /** `graph.edges` for what a person stated, else the file that says so. */
  source: string;
  /** 0–1: how much this source alone is worth. */
  confidence: number;
}

/** What one source says, with what was left out of it and why, in words. */
export interface EdgeSet {
  edges: readonly SourcedEdge[];
  notes: readonly string[];
}

/** A person who writes an edge down knows that it exists, but only guesses how often it is used. */
export const STATED_CONFIDENCE = 0.8;

/** Grows with what was seen: 0.5 at one request, 0.9 at a hundred, never quite 1. */
export function measuredConfidence(requests: number): number {
  return Math.max(0, 1 - 1 / (1 + Math.sqrt(Math.max(0, requests))));
}
