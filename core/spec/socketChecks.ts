import { fieldPath } from './fieldPath.js';
import type { Item, Path, Raw } from './rawDocument.js';
import { isRecord, items, record } from './rawDocument.js';
import type { SocketSpec } from './region.js';
import type { PathProblem } from './schemaProblems.js';
import { parseSockets, socketKey } from './socket.js';

export interface Placed {
  path: Path;
  socket: SocketSpec;
  /** Where the socket is bound: loopback sockets of two machines do not meet. */
  scope: string;
}

/** No two of what listens share a socket: proxies, the instances behind them, and instances that are reached directly. */
export function socketProblems(document: Raw, services: readonly Item[]): PathProblem[] {
  const problems: PathProblem[] = [];
  const seen = new Map<string, Placed>();
  const claim = (placed: Placed, key: string): void => {
    const before = seen.get(key);
    if (before === undefined) seen.set(key, placed);
    else {
      problems.push({
        code: 'duplicate-endpoint',
        path: placed.path,
        message: `listens on ${socketKey(placed.socket)}, which ${fieldPath(before.path)} takes already`,
        fix: 'give each listener and instance an address and port of its own',
      });
    }
  };
  const onHost = (placed: Placed): void => {
    const apart = isLoopback(placed.socket) && placed.scope !== 'local';
    claim(placed, apart ? `${placed.scope} ${socketKey(placed.socket)}` : socketKey(placed.socket));
  };
  for (const { path, value } of hostsOf(document)) {
    const scope = value['connection'] === 'ssh' ? String(value['name']) : 'local';
    const proxy = record(value, 'proxy');
    for (const role of ['ingress', 'mesh', 'admin']) {
      for (const socket of socketsOf(proxy[role])) onHost({ path: [...path, 'proxy', role], socket, scope });
    }
    // The socket of an inbound proxy is an endpoint of its service: it is told apart from others there.
    for (const inbound of items(proxy, 'inbound', [...path, 'proxy'])) {
      for (const socket of socketsOf(inbound.value['app'])) onHost({ path: [...inbound.path, 'app'], socket, scope });
    }
  }
  for (const service of services)
    for (const placed of endpointSockets(service)) claim(placed, socketKey(placed.socket));
  return problems;
}

export function hostsOf(document: Raw): Item[] {
  return items(record(document, 'delivery'), 'hosts', ['delivery']);
}

export function endpointSockets({ path, value }: Item): Placed[] {
  const list = value['endpoints'];
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown, index) =>
    socketsOf(entry).map((socket) => ({ path: [...path, 'endpoints', index], socket, scope: 'local' })),
  );
}

/** The sockets that an entry of a list, or the value of a field, stands for; none where it is not well written. */
export function socketsOf(entry: unknown): readonly SocketSpec[] {
  if (typeof entry === 'string') {
    const parsed = parseSockets(entry);
    return parsed.ok ? parsed.sockets : [];
  }
  if (!isRecord(entry)) return [];
  const { address, port, at } = entry;
  if (typeof at === 'string') return socketsOf(at);
  return typeof address === 'string' && typeof port === 'number' ? [{ address, port }] : [];
}

function isLoopback({ address }: SocketSpec): boolean {
  return address.startsWith('127.') || address === '::1' || address === 'localhost';
}
