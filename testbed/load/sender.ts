import http from 'node:http';
import type { SocketSpec } from '../../core/spec/region.js';

export interface Answer {
  /** 0: none came. */
  status: number;
  /** Body of a failed answer, shortened, or what broke the connection. */
  message: string;
  resent: boolean;
}

export interface Sender {
  /** Never rejects. */
  get(path: string, requestId: string): Promise<Answer>;
  close(): void;
}

/** Sends GETs over kept connections, as a browser does: one on which nothing came back since it idled is sent again. */
export function createSender(socket: SocketSpec, timeoutMs: number): Sender {
  const agent = new http.Agent({ keepAlive: true });
  return {
    get: async (path, requestId) => {
      const first = await getOnce(agent, socket, path, requestId, timeoutMs);
      if (!first.stale) return { ...first, resent: false };
      // On a connection of its own: another kept one may be just as stale.
      return { ...(await getOnce(false, socket, path, requestId, timeoutMs)), resent: true };
    },
    close: () => agent.destroy(),
  };
}

interface Attempt {
  status: number;
  message: string;
  /** The connection had been used before and was closed under the request. */
  stale: boolean;
}

async function getOnce(
  agent: http.Agent | false,
  socket: SocketSpec,
  path: string,
  requestId: string,
  timeoutMs: number,
): Promise<Attempt> {
  return new Promise((resolve) => {
    const options = { host: socket.address, port: socket.port, path, agent, headers: { 'x-request-id': requestId } };
    const request = http.get(options, (response) => {
      const status = response.statusCode ?? 0;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        if (status >= 500) chunks.push(chunk);
      });
      response.on('end', () => done({ status, message: Buffer.concat(chunks).toString('utf8').trim(), stale: false }));
      response.on('error', (error) => done({ status: 0, message: error.message, stale: false }));
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    request.on('error', (error: NodeJS.ErrnoException) => {
      const closed = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      done({ status: 0, message: error.message, stale: request.reusedSocket && closed });
    });
    function done(attempt: Attempt): void {
      clearTimeout(timer);
      resolve({ ...attempt, message: attempt.message.slice(0, 300) });
    }
  });
}
