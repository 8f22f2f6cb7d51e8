import type { HttpHookSpec } from '../../core/spec/region.js';

/** Calls what the region file declares for things that others own: DNS, global balancers, autoscalers. */
export interface HookClient {
  /** Resolves when the hook answered 2xx; throws HookFailedError with its status and words otherwise. */
  post(hook: HttpHookSpec, body: unknown, signal: AbortSignal): Promise<void>;
}

export class HookFailedError extends Error {
  override readonly name = 'HookFailedError';
}
