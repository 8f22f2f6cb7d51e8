/** Directed edges caller → callee. The shape `psmg graph --format json` prints. */
export interface ServiceGraph {
  services: readonly string[];
  edges: readonly ServiceEdge[];
  /** Each a list of services that call each other in a circle. */
  cycles: readonly (readonly string[])[];
  warnings: readonly string[];
}

export interface ServiceEdge {
  caller: string;
  callee: string;
  /** Calls that one request to the caller makes to the callee, on average. */
  callsPerRequest: number;
  sources: readonly string[];
  /** 0–1 */
  confidence: number;
}
