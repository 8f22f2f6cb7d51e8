/** Directed edges caller → callee. The shape `psmg graph --format json` prints. */
export interface ServiceGraph {
  services: readonly string[];
  edges: readonly ServiceEdge[];
  /** Each a list of services that call each other in a circle. */
  cycles: readonly (readonly string[])[];
  warnings: readonly string[];
  /** Edges that sources disagree on, and whose word was taken. */
  contradictions?: readonly GraphContradiction[];
}

export interface ServiceEdge {
  caller: string;
  callee: string;
  /** Calls that one request to the caller makes to the callee, on average. */
  callsPerRequest: number;
  /**
   * The same for requests that entered the region at one service: entry service → calls per request of the caller. An
   * entry that is not named was not seen at the caller: the average holds.
   */
  callsByEntry?: Readonly<Record<string, number>>;
  /** The same by entry route, `<entry service> <method> <route>`. */
  callsByRoute?: Readonly<Record<string, number>>;
  /** How long a call takes at the callee. */
  latency?: EdgeLatency;
  /** Of request and response together. */
  bytesPerCall?: number;
  sources: readonly string[];
  /** 0–1 */
  confidence: number;
}

export interface EdgeLatency {
  p50Ms: number;
  p99Ms: number;
}

export interface GraphContradiction {
  caller: string;
  callee: string;
  said: readonly { source: string; callsPerRequest: number }[];
  /** The source whose word was taken. */
  holds: string;
}
