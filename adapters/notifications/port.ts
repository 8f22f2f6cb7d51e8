import type { NotificationSpec } from '../../core/spec/region.js';

/** One event, as every webhook gets it. */
export interface WebhookMessage {
  /** The same on every try: the receiver drops what it has had. */
  id: string;
  /** JSON. */
  body: string;
}

/** `given-up`: the receiver will not take it, however often it is tried. `failed`: it may, later. */
export type WebhookResult = { kind: 'delivered' } | { kind: 'given-up' | 'failed'; reason: string };

/** Tells people by HTTP when they are needed. */
export interface Webhooks {
  /** Posts once; what went wrong is in the result, and only an abort of `signal` is thrown. */
  send(webhook: NotificationSpec, message: WebhookMessage, signal: AbortSignal): Promise<WebhookResult>;
  /** Where a browser shows the workflow; `undefined`: nobody said where the UI is. */
  pageOf(workflowId: string): string | undefined;
}
