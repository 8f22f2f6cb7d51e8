import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpError, InfluxDB } from '@influxdata/influxdb-client';
import type { SendOptions } from '@influxdata/influxdb-client';
import { MetricsQueryError } from './errors.js';
import type { SendOutcome } from './outcome.js';
import { TokenError, outcomeOfError } from './outcome.js';

export interface InfluxTarget {
  url: string;
  org: string;
  bucket: string;
  /** Asked before every request, so that a rotated token is taken up. */
  token: () => string;
  timeoutMs: number;
}

/** Requests to one server. */
export interface InfluxConnection {
  /** Lines of line protocol, or nothing, to see whether they would be taken. Never rejects. */
  send(lines: string, timeoutMs?: number): Promise<SendOutcome>;
  /** The answer as it comes. Rejects with MetricsQueryError, or with the reason of `signal`. */
  ask(path: string, body: string, headers: Record<string, string>, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  close(): void;
}

/**
 * The client's write buffer is not used: its `flush` and `close` resolve while batches are under way or lost. Its
 * transport answers for exactly one request, and gives it up when told to.
 */
export function openConnection(target: InfluxTarget): InfluxConnection {
  const agent = new (new URL(target.url).protocol === 'https:' ? HttpsAgent : HttpAgent)({ keepAlive: true });
  const abort = new AbortController();
  let current: { token: string; client: InfluxDB } | null = null;
  const transport = (): InfluxDB['transport'] => {
    const token = readToken(target.token);
    if (current?.token !== token) {
      current = { token, client: new InfluxDB({ url: target.url, token, timeout: 0, transportOptions: { agent } }) };
    }
    return current.client.transport;
  };
  const place = `org=${encodeURIComponent(target.org)}&bucket=${encodeURIComponent(target.bucket)}`;
  return {
    async send(lines, timeoutMs = target.timeoutMs) {
      let status: number | undefined;
      const options: SendOptions = {
        method: 'POST',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        gzipThreshold: 1000,
        signal: AbortSignal.any([abort.signal, AbortSignal.timeout(timeoutMs)]),
      };
      try {
        await transport().request(`/api/v2/write?${place}&precision=ms`, lines, options, (_, code) => (status = code));
        // Whatever answers in another way did not store: a page of a proxy, say.
        if (status !== 204) throw new HttpError(status ?? 0, 'an answer that is none of InfluxDB 2');
        return { kind: 'stored' };
      } catch (error) {
        return outcomeOfError(error, Date.now());
      }
    },
    async *ask(path, body, headers, signal) {
      const timeout = AbortSignal.timeout(target.timeoutMs);
      const signals = [abort.signal, timeout, ...(signal === undefined ? [] : [signal])];
      try {
        yield* transport().iterate(path, body, { method: 'POST', headers, signal: AbortSignal.any(signals) });
      } catch (error) {
        signal?.throwIfAborted();
        const words = timeout.aborted ? `no answer in ${target.timeoutMs} ms` : outcomeOfError(error, 0).words;
        throw new MetricsQueryError(`InfluxDB at ${target.url}: ${words}`, { cause: error });
      }
    },
    close() {
      abort.abort();
      agent.destroy();
    },
  };
}

function readToken(token: () => string): string {
  try {
    return token().trim();
  } catch (error) {
    throw new TokenError(`the token cannot be read: ${(error as Error).message}`);
  }
}
