import { setTimeout as sleep } from 'node:timers/promises';

import { causeOf, readLimited } from '../http/response.js';
import { readAnswer } from './answer.js';
import { PrometheusError, shownQuery } from './errors.js';
import type { PrometheusAnswer, PrometheusLimits } from './port.js';

export interface PrometheusRequest {
  /** Full address of the call. */
  url: string;
  /** How messages name the server. */
  name: string;
  form: Readonly<Record<string, string>> & { query: string };
  headers: Readonly<Record<string, string>>;
  timeoutMs: number;
  limits: PrometheusLimits;
}

type Attempt =
  | { kind: 'answer'; answer: PrometheusAnswer }
  | { kind: 'failed'; error: PrometheusError }
  | { kind: 'again'; error: PrometheusError; retryAfterMs: number | null };

/** One call, sent again while the server is away or overloaded. Rejects with the last failure. */
export async function ask(request: PrometheusRequest, signal: AbortSignal): Promise<PrometheusAnswer> {
  const { attempts, backoffMs, maxBackoffMs } = request.limits;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await send(request, signal);
    if (outcome.kind === 'answer') return outcome.answer;
    if (outcome.kind === 'failed' || attempt >= attempts) throw outcome.error;
    const wanted = outcome.retryAfterMs ?? backoffMs * 2 ** (attempt - 1);
    await sleep(Math.min(wanted, maxBackoffMs), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function send(request: PrometheusRequest, signal: AbortSignal): Promise<Attempt> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(request.timeoutMs);
  const seconds = request.timeoutMs / 1000;
  try {
    const response = await fetch(request.url, {
      method: 'POST',
      // The server gives up as well, rather than work on for nobody.
      body: new URLSearchParams({ ...request.form, timeout: `${seconds}s` }),
      headers: { accept: 'application/json', ...request.headers },
      // A redirect would turn the POST into a GET, and may lead a secret elsewhere.
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    return await judge(request, response);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PrometheusError) return { kind: 'failed', error };
    if (timeout.aborted) {
      const message = `${request.name} gave no answer in ${seconds} s to ${shownQuery(request.form.query)}`;
      return again(new PrometheusError('timeout', message, 'raise timeoutSeconds, or ask for less'));
    }
    const fix = 'check the address, and that the server runs';
    const message = `${request.name} cannot be reached: ${causeOf(error).slice(0, 300)}`;
    return again(new PrometheusError('unreachable', message, fix));
  }
}

async function judge(request: PrometheusRequest, response: Response): Promise<Attempt> {
  const { name, limits } = request;
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    const target = (response.headers.get('location') ?? 'nowhere').slice(0, 200);
    const message = `${name} redirects (${status}) to ${target}, which is not followed`;
    return failed('not-prometheus', message, 'write the address where the API itself is, with its path prefix');
  }
  const body = await readLimited(response, limits.maxMiB * 1024 * 1024);
  if (body === null) {
    const message = `${name} answered with more than ${limits.maxMiB} MiB to ${shownQuery(request.form.query)}`;
    return failed('too-large', message, 'aggregate in the query, by service alone');
  }
  const read = readAnswer(body);
  if (status === 401 || status === 403) {
    const fix = 'check the token that the region file names, and what it may read';
    return failed('unauthorized', `${name} refuses us (${status})`, fix);
  }
  if (status === 429 || status >= 500) {
    const reason = read.kind === 'error' ? `: ${read.error.slice(0, 300)}` : '';
    const message = `${name} cannot answer now (${status}${reason}) to ${shownQuery(request.form.query)}`;
    return again(new PrometheusError('unavailable', message, 'look at its log and its load'), retryAfterMs(response));
  }
  if (read.kind === 'error') return { kind: 'failed', error: refusal(request, read.errorType, read.error) };
  if (status === 200 && read.kind === 'answer') return { kind: 'answer', answer: read.answer };
  const what = read.kind === 'foreign' ? read.reason : 'an answer';
  const message = `${name} answered ${status} with ${what}: it is no Prometheus API, or something stands before it`;
  return failed('not-prometheus', message, 'check the address and its path prefix');
}

/** `errorType` is from a closed list of Prometheus' own; the text says more. */
function refusal(request: PrometheusRequest, errorType: string, error: string): PrometheusError {
  const { name, form } = request;
  const query = shownQuery(form.query);
  const said = error.slice(0, 300);
  if (TOO_MUCH.test(error)) {
    const fix = 'aggregate in the query, ask for fewer days, or raise the limit of the server';
    return new PrometheusError('too-much', `${name} finds it too much to read (${said}): ${query}`, fix);
  }
  const words = ERROR_TYPES[errorType] ?? `refuses the query (${errorType})`;
  return new PrometheusError('bad-query', `${name} ${words}: ${said}, in ${query}`, 'mend the query');
}

const TOO_MUCH = /too many samples|exceeded maximum resolution|maxSamplesPerQuery|max-samples|max_samples|too large/i;

const ERROR_TYPES: Readonly<Record<string, string>> = {
  bad_data: 'cannot read the query',
  execution: 'cannot work the query out',
  timeout: 'ran out of time over the query',
  canceled: 'gave the query up',
  not_found: 'has nothing there',
};

/** Seconds or a date (RFC 9110); `null` when neither is there. */
function retryAfterMs(response: Response): number | null {
  const text = response.headers.get('retry-after');
  if (text === null) return null;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

function failed(failure: PrometheusError['failure'], message: string, fix: string): Attempt {
  return { kind: 'failed', error: new PrometheusError(failure, message, fix) };
}

function again(error: PrometheusError, retryAfter: number | null = null): Attempt {
  return { kind: 'again', error, retryAfterMs: retryAfter };
}
