import type { SocketSpec } from './region.js';

/** A range longer than this is a typing mistake rather than a service. */
export const MAX_RANGE = 1024;

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;
const HOST_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const IPV6 = /^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$/;

export type SocketParse = { ok: true; sockets: readonly SocketSpec[] } | { ok: false; message: string };

/** IPv4, IPv6 or a DNS name. */
export function isAddress(text: string): boolean {
  if (text.length === 0 || text.length > 253) return false;
  if (IPV4.test(text)) return true;
  if (text.includes(':')) return IPV6.test(text);
  // `10.0.0.999` is a mistyped IPv4 address, not a name.
  if (/^[\d.]+$/.test(text)) return false;
  return text.split('.').every((label) => HOST_LABEL.test(label));
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** `127.0.0.1:21000`, `[::1]:21000`, or with a range `127.0.0.1:21000-21007`; a range gives one socket a port. */
export function parseSockets(text: string): SocketParse {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,9})(?:-(\d{1,9}))?$/.exec(text.trim());
  if (match === null) return { ok: false, message: `"${clip(text)}" is not an address with a port` };
  const address = match[1] ?? match[2] ?? '';
  const first = Number(match[3]);
  const last = match[4] === undefined ? first : Number(match[4]);
  if (!isAddress(address)) return { ok: false, message: `"${clip(address)}" is neither an IP address nor a DNS name` };
  for (const port of [first, last]) {
    if (!isPort(port)) return { ok: false, message: `port ${port} is outside 1–65535` };
  }
  if (last < first) return { ok: false, message: `the port range ${first}-${last} falls` };
  if (last - first >= MAX_RANGE) return { ok: false, message: `the range holds more than ${MAX_RANGE} ports` };
  return { ok: true, sockets: Array.from({ length: last - first + 1 }, (_, i) => ({ address, port: first + i })) };
}

/** The key under which two sockets are the same one. */
export function socketKey(socket: SocketSpec): string {
  return `${socket.address.toLowerCase()}:${socket.port}`;
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
