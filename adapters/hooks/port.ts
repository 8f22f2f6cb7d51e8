import type { HookSpec } from '../../core/spec/region.js';

/** Calls what the region file declares for things that others own: DNS, global balancers, autoscalers. */
export interface HookClient {
  /**
   * Hands over `body` as JSON. Resolves when the hook took it: it answered 2xx, or ended with 0. Throws HookFailedError
   * with its own words otherwise, and whatever `signal` was aborted with.
   */
  call(hook: HookSpec, body: unknown, signal: AbortSignal): Promise<void>;
}

export class HookFailedError extends Error {
  override readonly name = 'HookFailedError';
}
