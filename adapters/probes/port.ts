/** A host of ours from which the way to other regions can be measured: `probe` of psmg_target.py there. */
export interface ProbeTarget {
  readonly host: string;
  /** What the script answers, as it is. Rejects when the host cannot be reached or its script fails. */
  probe(request: ProbeRequest, signal?: AbortSignal): Promise<unknown>;
}

export interface ProbeRequest {
  /** At each destination; the destinations are tried side by side. */
  tries: number;
  spacingMs: number;
  /** A try that has no answer by then is lost. */
  timeoutMs: number;
  destinations: readonly ProbeDestination[];
}

/** The gateway of a neighbour, called as our proxies call it. */
export interface ProbeDestination {
  name: string;
  address: string;
  port: number;
  /** By which `Host` it is called. */
  service: string;
  /** What is asked for; absent: only a connection is opened. */
  path?: string;
  /** Files on the host; absent: plain text. */
  tls?: { certificateFile: string; privateKeyFile: string; caFile: string };
}
