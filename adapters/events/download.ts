import { causeOf, readLimited } from '../http/response.js';
import type { SourceLimits } from './port.js';

/** What an address answered. */
export type Download =
  | { kind: 'new'; text: string; etag?: string; lastModified?: string }
  | { kind: 'unchanged' }
  | { kind: 'failed'; reason: string };

export interface DownloadRequest {
  url: string;
  /** Sent to the first address and to others of the same origin only. */
  token?: string;
  etag?: string;
  lastModified?: string;
}

/**
 * GETs a text within the limits: time, size while it streams, and redirects, which never lead from https to http.
 * Every failure is told in words; throws only when `signal` aborts.
 */
export async function download(request: DownloadRequest, limits: SourceLimits, signal: AbortSignal): Promise<Download> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(limits.timeoutSeconds * 1000);
  const either = AbortSignal.any([signal, timeout]);
  try {
    return await follow(request, limits, either);
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) return failed(`gave no answer in ${limits.timeoutSeconds} s`);
    return failed(`cannot be reached: ${causeOf(error)}`);
  }
}

async function follow(request: DownloadRequest, limits: SourceLimits, signal: AbortSignal): Promise<Download> {
  let url = new URL(request.url);
  for (let redirects = 0; redirects <= limits.maxRedirects; redirects++) {
    const response = await fetch(url, { headers: headersFor(request, url), redirect: 'manual', signal });
    const target = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (target === null) return await answer(response, limits);
    await response.body?.cancel();
    const next = new URL(target, url);
    if (next.protocol !== 'https:' && (next.protocol !== 'http:' || url.protocol === 'https:')) {
      return failed(`leads to ${next.protocol}//, which is not followed from ${url.protocol}//`);
    }
    url = next;
  }
  return failed(`leads on more than ${limits.maxRedirects} times`);
}

function headersFor(request: DownloadRequest, url: URL): Record<string, string> {
  const sameOrigin = new URL(request.url).origin === url.origin;
  return {
    accept: 'text/calendar, application/json, text/csv, text/plain;q=0.8, */*;q=0.5',
    ...(request.token !== undefined && sameOrigin ? { authorization: `Bearer ${request.token}` } : {}),
    ...(request.etag === undefined ? {} : { 'if-none-match': request.etag }),
    ...(request.lastModified === undefined ? {} : { 'if-modified-since': request.lastModified }),
  };
}

async function answer(response: Response, limits: SourceLimits): Promise<Download> {
  if (response.status === 304) {
    await response.body?.cancel();
    return { kind: 'unchanged' };
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    return failed(`answered ${response.status}`);
  }
  const text = await readLimited(response, limits.maxMiB * 1024 * 1024);
  if (text === null) return failed(`sent more than ${limits.maxMiB} MiB`);
  const etag = response.headers.get('etag');
  const lastModified = response.headers.get('last-modified');
  return {
    kind: 'new',
    text,
    ...(etag === null ? {} : { etag }),
    ...(lastModified === null ? {} : { lastModified }),
  };
}

function failed(reason: string): Download {
  return { kind: 'failed', reason };
}
