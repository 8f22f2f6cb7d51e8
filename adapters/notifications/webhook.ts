import type { NotificationSpec } from '../../core/spec/region.js';
import { causeOf, readLimited } from '../http/response.js';
import type { WebhookMessage, WebhookResult, Webhooks } from './port.js';
import type { SecretSurroundings } from './secret.js';
import { secretOf } from './secret.js';
import { signatureOf } from './signature.js';

export interface WebhookSurroundings extends SecretSurroundings {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Where a browser finds workflows, up to their id; absent: messages link to nothing. */
  workflowsUrl?: string;
}

/** Enough of an answer to tell a person what went wrong; the rest is never read. */
const MOST_BYTES = 16 * 1024;
const KEPT_CHARACTERS = 300;
/** Of the 4xx these two alone may pass. */
const PASSING: readonly number[] = [408, 429];

export function createWebhooks(around: WebhookSurroundings): Webhooks {
  const base = around.workflowsUrl?.replace(/\/+$/, '');
  return {
    send: (webhook, message, signal) => send(webhook, message, signal, around),
    pageOf: (workflowId) => (base === undefined ? undefined : `${base}/${encodeURIComponent(workflowId)}`),
  };
}

async function send(
  webhook: NotificationSpec,
  message: WebhookMessage,
  signal: AbortSignal,
  around: WebhookSurroundings,
): Promise<WebhookResult> {
  const secret = await secretOf(webhook, around);
  if (!secret.ok) return { kind: 'failed', reason: secret.reason };
  const deadline = AbortSignal.timeout(webhook.timeoutSeconds * 1000);
  try {
    const response = await fetch(webhook.url, {
      method: 'POST',
      headers: headersOf(message, secret.value, around.now()),
      body: message.body,
      // A signed message goes where the region file says and nowhere else.
      redirect: 'manual',
      signal: AbortSignal.any([signal, deadline]),
    });
    return await resultOf(response);
  } catch (error) {
    if (signal.aborted) throw error;
    return { kind: 'failed', reason: deadline.aborted ? `no answer in ${webhook.timeoutSeconds} s` : causeOf(error) };
  }
}

function headersOf({ id, body }: WebhookMessage, secret: string | null, nowMs: number): Record<string, string> {
  return {
    'content-type': 'application/json',
    'psmg-id': id,
    ...(secret === null ? {} : { 'psmg-signature': signatureOf(secret, body, Math.floor(nowMs / 1000)) }),
  };
}

async function resultOf(response: Response): Promise<WebhookResult> {
  const { ok, status } = response;
  if (ok) {
    // It was taken: whatever the receiver goes on saying is of no interest, nor is how that ends.
    await response.body?.cancel().catch(() => undefined);
    return { kind: 'delivered' };
  }
  const lasting = status >= 400 && status < 500 && !PASSING.includes(status);
  return { kind: lasting ? 'given-up' : 'failed', reason: `answered ${status}${await wordsOf(response)}` };
}

async function wordsOf(response: Response): Promise<string> {
  if (response.status >= 300 && response.status < 400) {
    await response.body?.cancel().catch(() => undefined);
    return ', a redirect, and those are not followed: put the address it leads to in the region file';
  }
  const text = await readLimited(response, MOST_BYTES).catch(() => '');
  if (text === null) return ` with more than ${MOST_BYTES / 1024} KiB`;
  return text.trim() === '' ? '' : `: ${text.trim().slice(0, KEPT_CHARACTERS)}`;
}
