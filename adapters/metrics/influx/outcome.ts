import { HttpError } from '@influxdata/influxdb-client';
import type { StoreState } from '../port.js';

/** What became of one write to the server. */
export type SendOutcome =
  | { kind: 'stored' }
  /** Refused as it is; `dropped` lines, where the server says how many. */
  | { kind: 'refused'; words: string; dropped: number | null }
  /** Not taken now: again later, not before `retryAfterMs`. */
  | { kind: 'failed'; state: FailedState; words: string; retryAfterMs: number };

export type FailedState = Extract<StoreState, 'unreachable' | 'overloaded' | 'unauthorized' | 'no-bucket'>;

/** The token could not be read: no request was made. */
export class TokenError extends Error {}

/** What an error of a request means for the rows in it. Anything but an answer of the server is "unreachable". */
export function outcomeOfError(error: unknown, nowMs: number): Exclude<SendOutcome, { kind: 'stored' }> {
  if (error instanceof TokenError) return failed('unauthorized', error.message);
  if (!(error instanceof HttpError)) return failed('unreachable', wordsOf(error));
  const words = `${error.statusCode} ${error.message}`.slice(0, 500);
  switch (error.statusCode) {
    case 401:
    case 403:
      return failed('unauthorized', words);
    case 404:
      return failed('no-bucket', words);
    case 400:
    case 413:
    case 422:
      return { kind: 'refused', words, dropped: droppedIn(error.message) };
    default:
      // What a proxy in between may say, redirects included, is no reason to give rows up.
      return failed('overloaded', words, retryAfterMs(error.headers?.['retry-after'], nowMs));
  }
}

/** What an empty write says of the server: who refuses even nothing, such as a proxy with an opinion, takes no rows. */
export function failedOrStored(outcome: SendOutcome): Exclude<SendOutcome, { kind: 'refused' }> {
  return outcome.kind === 'refused' ? failed('overloaded', outcome.words) : outcome;
}

function failed(state: FailedState, words: string, retryMs = 0): Extract<SendOutcome, { kind: 'failed' }> {
  return { kind: 'failed', state, words, retryAfterMs: retryMs };
}

function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}

function droppedIn(message: string): number | null {
  const found = /\bdropped=(\d+)/.exec(message)?.[1];
  return found === undefined ? null : Number(found);
}

/** Longest pause that a server may ask for. */
const MAX_RETRY_AFTER_MS = 600_000;

/** `Retry-After`: seconds, or a date. */
export function retryAfterMs(header: string | string[] | undefined, nowMs: number): number {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return 0;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : 0;
}
