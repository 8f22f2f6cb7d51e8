import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

const LOOPBACK = '127.0.0.1';
/** Below the range from which systems take the local ports of outgoing connections, so that none is taken later. */
const LOWEST = 10_500;
const HIGHEST = 31_500;

/** Ports that earlier calls gave out and that may not be listened on yet. */
const given = new Set<number>();

/** `count` free TCP ports in a row on the loopback interface; the first of them. */
export async function freePortRange(count: number): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const first = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST - count));
    const ports = Array.from({ length: count }, (_, i) => first + i);
    if (ports.some((port) => given.has(port))) continue;
    const servers = await Promise.all(ports.map(listen));
    await Promise.all(servers.map(close));
    if (servers.every((server) => server !== null)) {
      ports.forEach((port) => given.add(port));
      return first;
    }
  }
  throw new Error(`no ${count} free ports in a row between ${LOWEST} and ${HIGHEST} on ${LOOPBACK}`);
}

export async function freePort(): Promise<number> {
  return freePortRange(1);
}

/** `preferred` when nobody listens there, else any free port: people type commands with defaults. */
export async function preferPort(preferred: number): Promise<number> {
  const server = given.has(preferred) ? null : await listen(preferred);
  await close(server);
  if (server === null) return freePort();
  given.add(preferred);
  return preferred;
}

/** The port that a server which was told to listen on port 0 got. */
export function portOf(server: { address(): string | AddressInfo | null }): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return address.port;
}

async function listen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, LOOPBACK, () => resolve(server));
  });
}

async function close(server: Server | null): Promise<void> {
  if (server === null) return;
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
