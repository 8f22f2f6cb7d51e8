import type { HttpHookSpec } from '../../core/spec/region.js';
import { readLimited } from '../http/response.js';
import { HookFailedError } from './port.js';

/** Enough of an answer to tell a person what went wrong. */
const KEPT_CHARACTERS = 500;
const MAX_ANSWER_BYTES = 64 * 1024;

/** POSTs the body and is content with any 2xx. */
export async function postHook(hook: HttpHookSpec, body: unknown, signal: AbortSignal): Promise<void> {
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
  if (response.ok) {
    await response.body?.cancel();
    return;
  }
  // A status is enough of an answer when no words come with it, or too many.
  const text = (await readLimited(response, MAX_ANSWER_BYTES).catch(() => null)) ?? '';
  const said = text === '' ? '' : `: ${text.slice(0, KEPT_CHARACTERS)}`;
  throw new HookFailedError(`hook ${hook.url} answered ${response.status}${said}`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
