import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SocketSpec } from '../core/spec/region.js';

/** A control API: JSON in, JSON out, on the loopback interface. */
export type JsonHandler = (body: unknown) => Promise<unknown> | unknown;

/** A request that the caller got wrong; answered with 400 and the message. */
export class BadRequestError extends Error {}

export interface JsonServer {
  url: string;
  stop(): Promise<void>;
}

/** Status of the answer to a GET; 0 where there was none, or none in `timeout`. The body is read and dropped. */
export async function statusOf(request: http.RequestOptions): Promise<number> {
  return new Promise((resolve) => {
    const sent = http.get(request, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(0));
  });
}

const MAX_BODY_BYTES = 1_000_000;

/** Serves handlers by `METHOD /path`. */
export async function serveJson(
  socket: SocketSpec,
  handlers: Readonly<Record<string, JsonHandler>>,
): Promise<JsonServer> {
  const server = http.createServer((request, response) => {
    void answer(handlers, request, response);
  });
  await listen(server, socket);
  return {
    url: `http://${socket.address}:${socket.port}`,
    stop: async () => closeServer(server),
  };
}

async function answer(
  handlers: Readonly<Record<string, JsonHandler>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const handler = handlers[`${request.method ?? 'GET'} ${path}`];
  try {
    const body = await readBody(request);
    if (handler === undefined) return sendJson(response, 404, { error: `nothing at ${request.method} ${path}` });
    sendJson(response, 200, await handler(body === '' ? undefined : parse(body)));
  } catch (error) {
    sendJson(response, error instanceof BadRequestError ? 400 : 500, { error: String((error as Error).message) });
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new BadRequestError('the body is no JSON');
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new BadRequestError('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

export async function listen(server: http.Server, socket: SocketSpec): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket.port, socket.address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

export async function closeServer(server: http.Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Parsed JSON answer to a request; throws when the status is not 2xx. */
export async function requestJson<T>(url: string, body?: unknown): Promise<T> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.trim()}`);
  return JSON.parse(text) as T;
}

/** Polls until `check` gives something other than `undefined` or `false`. Errors of `check` count as "not yet". */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  check: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= deadline) {
      throw new Error(`${what} did not happen in ${timeoutMs} ms${last === undefined ? '' : `: ${String(last)}`}`);
    }
    await sleep(50);
  }
}
