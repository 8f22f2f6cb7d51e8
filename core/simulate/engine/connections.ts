import { CONNECTED, REACH, event } from './codes.js';
import { ATTACHED, CALLER, PENDING, SERVER } from './pools.js';
import { IDLE_MS } from './view.js';
import type { View } from './view.js';
import type { World } from './world.js';

/** What became of asking for a connection. */
export const UNDERWAY = 0;
export const OVERFLOW = 1;
export const UNREACHABLE = 2;

/** Looking for connections that nobody has used for long is not repeated sooner. */
const SWEEP_MS = 100;

/**
 * Envoy's connection pool of one host. HTTP/1.1: a request in flight has a connection of its own, an idle one where
 * there is one. At the cap of connections a request waits for one of its host; a host that has none may always open one.
 */
export function connect(world: World, view: View, attempt: number): number {
  const host = world.attempts.host[attempt]!;
  if (view.place.multiplexed) return connectShared(world, view, attempt, host);
  if (view.idle[host]! > 0) {
    if (world.now - view.idleSince[host]! <= IDLE_MS) {
      view.idle[host]!--;
      return attach(world, view, attempt, host);
    }
    closeIdle(view, host);
  }
  if (view.pending >= view.maxPending) return OVERFLOW;
  if (view.connections >= view.maxConnections) sweep(view, world.now);
  if (view.connections >= view.maxConnections && view.connected[host]! > 0) {
    wait(world, view, attempt, host);
    return UNDERWAY;
  }
  return open(world, view, attempt, host);
}

/** HTTP/2: one connection to a host carries all. */
function connectShared(world: World, view: View, attempt: number, host: number): number {
  if (view.connected[host]! > 0) return attach(world, view, attempt, host);
  if (view.pending >= view.maxPending) return OVERFLOW;
  return open(world, view, attempt, host);
}

function open(world: World, view: View, attempt: number, host: number): number {
  view.connections++;
  view.connected[host]!++;
  const roundTripMs = 2 * world.wayTo(view, host, world.attempts.key[attempt]!);
  if (roundTripMs === 0 && !isSilent(view, host)) return connected(world, view, attempt, host);
  expectConnection(world, view, attempt, roundTripMs);
  return UNDERWAY;
}

function isSilent(view: View, host: number): boolean {
  const instance = view.place.instances[host];
  return instance !== undefined && !instance.isUp() && instance.silent;
}

/** A connection is being made for an attempt: it takes a round trip, or comes to nothing when its time is over. */
function expectConnection(world: World, view: View, attempt: number, roundTripMs: number): void {
  const { attempts } = world;
  attempts.flags[attempt]! |= PENDING | SERVER;
  view.pending++;
  if (isSilent(view, attempts.host[attempt]!) || roundTripMs >= view.connectTimeoutMs) {
    world.setDeadline(world.lane('connect', view.connectTimeoutMs), attempt, attempts.stamp[attempt]!);
  } else world.after(roundTripMs, event(CONNECTED, attempt));
}

/** The other end took the connection, or refused it. */
export function connected(world: World, view: View, attempt: number, host: number): number {
  const instance = view.place.instances[host];
  if (instance === undefined || instance.isUp()) return attach(world, view, attempt, host);
  closeConnection(world, view, host);
  return UNREACHABLE;
}

/** The breaker counts a request when it gets its connection. */
function attach(world: World, view: View, attempt: number, host: number): number {
  if (view.requests >= view.maxRequests) {
    keepConnection(world, view, host);
    return OVERFLOW;
  }
  view.requests++;
  view.active[host]!++;
  world.attempts.flags[attempt]! |= ATTACHED | SERVER;
  world.after(world.wayTo(view, host, world.attempts.key[attempt]!), event(REACH, attempt));
  return UNDERWAY;
}

/** A request leaves its host. `keep`: its connection is whole and may be used again. */
export function detach(world: World, view: View, attempt: number, keep: boolean): void {
  const host = world.attempts.host[attempt]!;
  world.attempts.flags[attempt]! &= ~ATTACHED;
  view.requests--;
  view.active[host]!--;
  if (keep || view.place.multiplexed) keepConnection(world, view, host);
  else closeConnection(world, view, host);
}

/** Whoever waits for one of the host's gets another: there is room again. */
export function closeConnection(world: World, view: View, host: number): void {
  view.connections--;
  view.connected[host]!--;
  const next = nextWaiting(world, view, host);
  if (next < 0) return;
  view.connections++;
  view.connected[host]!++;
  expectConnection(world, view, next, 2 * world.wayTo(view, host, world.attempts.key[next]!));
}

export function keepConnection(world: World, view: View, host: number): void {
  if (view.place.multiplexed) return;
  const next = nextWaiting(world, view, host);
  if (next < 0) {
    view.idle[host]!++;
    view.idleSince[host] = world.now;
    return;
  }
  world.attempts.flags[next]! |= PENDING | SERVER;
  view.pending++;
  // Its turn comes by an event, as one that has just been connected.
  world.soon.push(event(CONNECTED, next));
}

export function closeIdle(view: View, host: number): void {
  view.connections -= view.idle[host]!;
  view.connected[host]! -= view.idle[host]!;
  view.idle[host] = 0;
}

function sweep(view: View, now: number): void {
  if (now - view.sweptAt < SWEEP_MS) return;
  view.sweptAt = now;
  for (let host = 0; host < view.hosts; host++) if (now - view.idleSince[host]! > IDLE_MS) closeIdle(view, host);
}

function wait(world: World, view: View, attempt: number, host: number): void {
  const { attempts } = world;
  attempts.flags[attempt]! |= PENDING | SERVER;
  attempts.next[attempt] = -1;
  view.pending++;
  if (view.waitTail[host]! < 0) view.waitHead[host] = attempt;
  else attempts.next[view.waitTail[host]!] = attempt;
  view.waitTail[host] = attempt;
}

/** The first that still wants a connection; no longer pending. */
function nextWaiting(world: World, view: View, host: number): number {
  const { attempts } = world;
  for (;;) {
    const attempt = view.waitHead[host]!;
    if (attempt < 0) return -1;
    const next = attempts.next[attempt]!;
    view.waitHead[host] = next;
    if (next < 0) view.waitTail[host] = -1;
    if (attempts.flags[attempt]! & CALLER) {
      attempts.flags[attempt]! &= ~PENDING;
      view.pending--;
      return attempt;
    }
    attempts.flags[attempt]! &= ~SERVER;
    attempts.release(attempt);
  }
}
