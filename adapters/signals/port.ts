import type { RegionSpec } from '../../core/spec/region.js';
import type { SignalSet } from '../../core/spec/signals.js';

/** Another source than our own reading of the proxies. */
export interface SignalSource {
  /**
   * What the source that the region names measured between the two times (milliseconds since the epoch), for every
   * service of the region in their order. What the source does not tell is `null`, and why is among the problems;
   * a service without any sample has its age counted from the epoch. A region that names no source gets a set without
   * services. Never throws but for the reason of `signal`.
   */
  read(spec: RegionSpec, fromMs: number, toMs: number, signal: AbortSignal): Promise<SignalSet>;
}
