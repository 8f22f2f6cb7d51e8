import type { HttpHookSpec } from '../../core/spec/region.js';
import type { HookClient } from './port.js';
import { HookFailedError } from './port.js';

/** Enough of an answer to tell a person what went wrong. */
const KEPT_CHARACTERS = 500;

export function createHttpHooks(): HookClient {
  return { post };
}

async function post(hook: HttpHookSpec, body: unknown, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(hook.timeoutSeconds * 1000);
  let response: Response;
  try {
    response = await fetch(hook.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, deadline]),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    const why = deadline.aborted ? `no answer in ${hook.timeoutSeconds} s` : reasonOf(error);
    throw new HookFailedError(`hook ${hook.url} failed: ${why}`);
  }
  const text = await response.text();
  if (!response.ok) {
    throw new HookFailedError(`hook ${hook.url} answered ${response.status}: ${text.slice(0, KEPT_CHARACTERS)}`);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
