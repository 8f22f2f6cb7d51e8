import type { FileSet } from '../../core/spec/artifact.js';
import type { SwapResult, TargetState } from '../../core/spec/deployment.js';
import type { ProbeTarget } from '../probes/port.js';

/** One proxy host of a region: the fast path for live settings, and the way to read what really runs. */
export interface ProxyTarget extends ProbeTarget {
  readonly host: string;
  state(signal?: AbortSignal): Promise<TargetState>;
  /** Compare-and-swap of the whole release, by the script that lives at the target. Never throws for a refused swap. */
  swap(request: SwapRequest, signal?: AbortSignal): Promise<SwapResult>;
  /** Body of `GET path` on the proxy's admin listener, which is only reachable on the host itself. */
  admin(path: string, signal?: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

export interface SwapRequest {
  epoch: number;
  expectedHash: string | null;
  releaseHash: string;
  /** Absent: the target keeps this release already (a rollback). */
  files?: FileSet;
}
