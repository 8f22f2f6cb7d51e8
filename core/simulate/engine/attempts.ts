import { pick, pickAgain } from './balance.js';
import {
  BREAKER,
  CONTROLLER,
  EGRESS,
  FAILED,
  INBOUND,
  NO_HEALTHY_HOST,
  OK,
  QUEUE_FULL,
  RATE_LIMIT,
  RETRIES,
  RETRY,
  RETRY_BUDGET,
  RETRY_CONNECT,
  RETRY_FAILURE,
  RETRY_OVERLOAD,
  RETRY_PER_TRY,
  TIMED_OUT,
  event,
} from './codes.js';
import { UNDERWAY, UNREACHABLE, closeConnection, connect, connected, detach, keepConnection } from './connections.js';
import { answerAtDoor, endCall } from './ending.js';
import { PURPOSE, mix, uniform } from './hash.js';
import { recordResult } from './health.js';
import type { Lane } from './lane.js';
import {
  ATTACHED,
  CALLER,
  DOOR_CONTROLLED,
  ENDED,
  INSIDE,
  PENDING,
  RETRYING,
  SERVER,
  TRIED,
  WAITING,
} from './pools.js';
import type { View } from './view.js';
import type { World } from './world.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { floor, max, min } = Math;

/** Sends a call to a host: the first time, or again. */
export function send(world: World, call: number): void {
  const { calls } = world;
  const view = world.views[calls.view[call]!]!;
  const number = ++calls.tries[call]!;
  const key = number === 1 ? calls.key[call]! : mix(calls.key[call]!, PURPOSE.attempt + number);
  const host = number === 1 ? pick(view, key, calls.user[call]!, world.now) : hostAgain(world, view, call, key);
  if (host < 0) {
    endCall(world, call, NO_HEALTHY_HOST);
    return;
  }
  const attempt = make(world, call, host, key);
  const result = connect(world, view, attempt);
  if (result === UNDERWAY) return;
  abort(world, view, attempt, result);
}

function hostAgain(world: World, view: View, call: number, key: number): number {
  const { calls } = world;
  const from = call * TRIED;
  const count = min(TRIED, calls.tries[call]! - 1);
  return pickAgain(view, key, calls.user[call]!, world.now, calls.priorities[call]!, (host) => {
    for (let i = 0; i < count; i++) if (calls.tried[from + i] === host) return true;
    return false;
  });
}

function make(world: World, call: number, host: number, key: number): number {
  const { attempts, calls } = world;
  const attempt = attempts.take();
  const viewNumber = calls.view[call]!;
  const { place } = world.views[viewNumber]!;
  const instance = place.instances[host];
  const number = calls.tries[call]!;
  attempts.call[attempt] = call;
  attempts.key[attempt] = key;
  attempts.view[attempt] = viewNumber;
  attempts.host[attempt] = host;
  attempts.instance[attempt] = instance === undefined ? -1 : instance.number;
  attempts.entry[attempt] = calls.entry[call]!;
  attempts.user[attempt] = calls.user[call]!;
  attempts.pending[attempt] = 0;
  attempts.child[attempt] = -1;
  attempts.life[attempt] = -1;
  attempts.flags[attempt] = CALLER;
  attempts.number[attempt] = number;
  calls.attempt[call] = attempt;
  calls.tried[call * TRIED + ((number - 1) % TRIED)] = host;
  if (instance === undefined) place.counters[EGRESS]!++;
  if (place.perTryTimeoutMs > 0) {
    world.setDeadline(world.lane('perTry', place.perTryTimeoutMs), attempt, attempts.stamp[attempt]!);
  }
  return attempt;
}

/** It came to no host: the breaker is full, or nobody takes the connection. */
function abort(world: World, view: View, attempt: number, result: number): void {
  const call = world.attempts.call[attempt]!;
  const host = world.attempts.host[attempt]!;
  world.attempts.release(attempt);
  if (result !== UNREACHABLE) {
    // Envoy never repeats what overflowed: more load would not help.
    conclude(world, call, BREAKER, 0, host, 0);
    return;
  }
  recordResult(world, view, host, true);
  conclude(world, call, FAILED, RETRY_CONNECT, host, 0);
}

/** A connection is there for an attempt that waited for it, or nobody took it. */
export function onConnected(world: World, attempt: number): void {
  const { attempts } = world;
  const view = world.views[attempts.view[attempt]!]!;
  const host = attempts.host[attempt]!;
  attempts.flags[attempt]! &= ~SERVER;
  if (!(attempts.flags[attempt]! & CALLER)) {
    attempts.release(attempt);
    keepConnection(world, view, host);
    return;
  }
  attempts.flags[attempt]! &= ~PENDING;
  view.pending--;
  const result = connected(world, view, attempt, host);
  if (result !== UNDERWAY) abort(world, view, attempt, result);
}

function onConnectTimeout(world: World, attempt: number): void {
  const { attempts } = world;
  const view = world.views[attempts.view[attempt]!]!;
  closeConnection(world, view, attempts.host[attempt]!);
  attempts.flags[attempt]! &= ~SERVER;
  if (!(attempts.flags[attempt]! & CALLER)) {
    attempts.release(attempt);
    return;
  }
  view.pending--;
  abort(world, view, attempt, UNREACHABLE);
}

/** An answer is back at the proxy that asked; perhaps nobody waits for it any more. */
export function onAnswer(world: World, attempt: number): void {
  const { attempts } = world;
  attempts.flags[attempt]! &= ~SERVER;
  if (!(attempts.flags[attempt]! & CALLER)) {
    attempts.release(attempt);
    return;
  }
  const outcome = attempts.outcome[attempt]!;
  const view = world.views[attempts.view[attempt]!]!;
  const host = attempts.host[attempt]!;
  const call = attempts.call[attempt]!;
  const gateway = attempts.instance[attempt]! < 0;
  detach(world, view, attempt, true);
  attempts.release(attempt);
  recordResult(world, view, host, countsAsFailure(view, outcome));
  // A neighbour's gateway hands on no mark that would let us repeat what its instances failed.
  conclude(world, call, gateway && outcome === TIMED_OUT ? FAILED : outcome, causeOf(outcome, gateway), host, 1);
}

/** Behind inbound proxies, refusals are told from failures by a header (`failedAndNotOverloaded`); 429 is none. */
function countsAsFailure(view: View, outcome: number): boolean {
  if (outcome === OK || outcome === RATE_LIMIT) return false;
  if (outcome === FAILED || outcome === TIMED_OUT || outcome === QUEUE_FULL || outcome === NO_HEALTHY_HOST) return true;
  return !view.place.behindInbound;
}

function causeOf(outcome: number, gateway: boolean): number {
  if (outcome === FAILED || outcome === QUEUE_FULL) return gateway ? 0 : RETRY_FAILURE;
  return outcome === INBOUND || outcome === CONTROLLER ? RETRY_OVERLOAD : 0;
}

/** An attempt is over: the call is, or another attempt follows. `counted`: Envoy still counts it as active meanwhile. */
function conclude(world: World, call: number, outcome: number, cause: number, host: number, counted: number): void {
  const { calls } = world;
  const view = world.views[calls.view[call]!]!;
  calls.attempt[call] = -1;
  if (outcome === OK || (cause & view.place.retryOn) === 0 || !takeRetry(view, call, world, counted)) {
    endCall(world, call, outcome);
    return;
  }
  calls.flags[call]! |= RETRYING | WAITING;
  calls.priorities[call]! |= 1 << priorityOf(view, host);
  world.queue.push(world.now + backOff(view, calls.key[call]!, calls.tries[call]!), event(RETRY, call));
}

/** Envoy's retry budget: retries in progress, below a part of what is active and pending, or the least number. */
function takeRetry(view: View, call: number, world: World, counted: number): boolean {
  const { calls } = world;
  if (calls.flags[call]! & RETRYING) {
    view.retries--;
    calls.flags[call]! &= ~RETRYING;
  }
  if (calls.tries[call]! > view.maxRetries) return false;
  const active = view.requests + view.pending + counted;
  if (view.retries >= max(view.minRetries, floor(view.budget * active + 1e-9))) {
    view.place.counters[RETRY_BUDGET]!++;
    return false;
  }
  view.retries++;
  view.place.counters[RETRIES]!++;
  return true;
}

/** Envoy's exponential back-off with full jitter: uniform below base × 2^(n−1), at most the highest interval. */
function backOff(view: View, key: number, tries: number): number {
  const { backOffBaseMs, backOffMostMs } = view.place;
  return uniform(key, PURPOSE.backOff + 512 * tries) * min(backOffMostMs, backOffBaseMs * 2 ** (tries - 1));
}

function priorityOf(view: View, host: number): number {
  return view.place.localities.find(({ hosts }) => hosts.includes(host))?.priority ?? 0;
}

export function onRetry(world: World, call: number): void {
  const flags = world.calls.flags[call]!;
  if (flags & ENDED) {
    world.calls.release(call);
    return;
  }
  world.calls.flags[call] = flags & ~WAITING;
  send(world, call);
}

/** Whatever fell due in a lane. Most has ended by then. */
export function onLane(world: World, lane: Lane): void {
  const stamps = lane.kind === 'request' ? world.calls : world.attempts;
  while (lane.size > 0) {
    const item = lane.headItem();
    const current = stamps.stamp[item] === lane.headStamp();
    if (current && lane.headTime() > world.now) return;
    lane.drop();
    if (current) fallDue(world, lane, item);
  }
}

function fallDue(world: World, lane: Lane, item: number): void {
  if (lane.kind === 'connect') onConnectTimeout(world, item);
  else if (lane.kind === 'perTry') onPerTryTimeout(world, item);
  else cancel(world, item, true);
}

/** Nobody waits for a call any more: its time is over, or its caller's is. */
function cancel(world: World, call: number, timedOut: boolean): void {
  const { calls, attempts } = world;
  if (calls.flags[call]! & ENDED) return;
  const attempt = calls.attempt[call]!;
  if (attempt >= 0) {
    const view = world.views[calls.view[call]!]!;
    const wasSent = (attempts.flags[attempt]! & ATTACHED) !== 0;
    const host = attempts.host[attempt]!;
    drop(world, attempt);
    if (timedOut && wasSent) recordResult(world, view, host, true);
  }
  calls.attempt[call] = -1;
  endCall(world, call, TIMED_OUT);
}

function onPerTryTimeout(world: World, attempt: number): void {
  const { attempts } = world;
  if (!(attempts.flags[attempt]! & CALLER)) return;
  const call = attempts.call[attempt]!;
  const host = attempts.host[attempt]!;
  const view = world.views[attempts.view[attempt]!]!;
  drop(world, attempt);
  recordResult(world, view, host, true);
  conclude(world, call, TIMED_OUT, RETRY_PER_TRY, host, 0);
}

/** The instance that an attempt was sent to broke off. */
export function reset(world: World, attempt: number): void {
  const { attempts } = world;
  const call = attempts.call[attempt]!;
  const host = attempts.host[attempt]!;
  const view = world.views[attempts.view[attempt]!]!;
  drop(world, attempt);
  recordResult(world, view, host, true);
  conclude(world, call, FAILED, RETRY_FAILURE, host, 0);
}

/** The caller gives an attempt up. The instance may go on with it; its own proxy sees the connection close. */
export function drop(world: World, attempt: number): void {
  const { attempts } = world;
  const flags = attempts.flags[attempt]!;
  const view = world.views[attempts.view[attempt]!]!;
  attempts.flags[attempt] = flags & ~(CALLER | PENDING | INSIDE | DOOR_CONTROLLED);
  if (flags & PENDING) view.pending--;
  if (flags & ATTACHED) detach(world, view, attempt, false);
  if (flags & INSIDE) leaveDoor(world, attempt, flags);
  const child = attempts.child[attempt]!;
  if (child >= 0 && attempts.pending[attempt]! > 0) cancel(world, child, false);
  if (!(flags & SERVER)) attempts.release(attempt);
}

function leaveDoor(world: World, attempt: number, flags: number): void {
  const { attempts } = world;
  const instance = world.instances[attempts.instance[attempt]!]!;
  if (attempts.life[attempt] === instance.life) instance.inside--;
  if (flags & DOOR_CONTROLLED) answerAtDoor(world, instance, attempt, TIMED_OUT);
}
