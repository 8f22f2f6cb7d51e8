/** One apply of artifacts to a region's hosts. Id 0 is what was there before we first wrote. */
export interface DeploymentRequest {
  region: string;
  /** Names the run folder: the same id is never applied twice, a retry re-attaches. */
  deploymentId: string;
  /** Never older than the last one a target has seen. */
  epoch: number;
  /** What must be running for the change to go on; `null`: nothing of ours is there yet. */
  expectedHash: string | null;
  /** Hash of the release that this deployment brings. */
  releaseHash: string;
}

/** What a playbook did, as it happened; one JSON object a line in the run's events file. */
export interface DeploymentEvent {
  /** Milliseconds since the epoch. */
  at: number;
  type: 'play' | 'task' | 'ok' | 'changed' | 'skipped' | 'failed' | 'unreachable' | 'stats';
  host?: string;
  task?: string;
  message?: string;
  diff?: string;
  /** On `stats` only. */
  recap?: Readonly<Record<string, HostRecap>>;
}

export interface HostRecap {
  ok: number;
  changed: number;
  failures: number;
  unreachable: number;
  skipped: number;
}

export interface DeploymentResult {
  deploymentId: string;
  epoch: number;
  releaseHash: string;
  ok: boolean;
  /** `true` when a run already in progress was joined instead of started. */
  reattached: boolean;
  recap: Readonly<Record<string, HostRecap>>;
  /** The tool's own words for each failed task. */
  failures: readonly { host: string; task: string; message: string }[];
  startedAt: string;
  finishedAt: string;
}

/** Outcome of the compare-and-swap at one target. `drift`: what runs is neither expected nor wanted; it stays. */
export type SwapOutcome = 'applied' | 'already' | 'drift' | 'stale-epoch' | 'held' | 'invalid';

export interface SwapResult {
  host: string;
  outcome: SwapOutcome;
  hashBefore: string | null;
  hashAfter: string | null;
  message: string;
}

/** What a target says of itself. */
export interface TargetState {
  host: string;
  epoch: number;
  /** Hash of the release that is switched on; `null` when nothing of ours is there. */
  hash: string | null;
  /** Files changed by somebody else since the last switch. */
  drifted: readonly string[];
  /** A person's hold on the target: nothing is written until it is lifted. */
  held: string | null;
}
