import { doubled } from './eventQueue.js';

/** Previous hosts that a retry avoids. */
export const TRIED = 4;

/** Of a call: it counts as a retry in progress; its caller does not mind its failure; a retry waits for its time. */
export const RETRYING = 1;
export const OPTIONAL = 2;
export const WAITING = 4;
export const ENDED = 8;
/** Calls between services use another limiter's bucket than users' requests. */
export const FROM_MESH = 16;
/** Limiters that admitted it wait for its answer. */
export const CLIENT_CONTROLLED = 32;
export const ENTRY_CONTROLLED = 64;

/** Requests at proxies: one for each call of a service, attempts and all. Records are used again. */
export class CallPool {
  /** In use. */
  alive = 0;
  key = new Int32Array(1024);
  user = new Int32Array(1024);
  view = new Int32Array(1024);
  entry = new Int32Array(1024);
  /** Attempt that made the call; −1: a user. */
  parent = new Int32Array(1024);
  attempt = new Int32Array(1024);
  start = new Float64Array(1024);
  tries = new Uint8Array(1024);
  flags = new Uint8Array(1024);
  /** Priorities that attempts went to, as bits. */
  priorities = new Uint32Array(1024);
  tried = new Int32Array(1024 * TRIED);
  /** Grows each time a record is freed. */
  stamp = new Uint32Array(1024);
  private free = new Int32Array(1024);
  private freed = 0;
  private made = 0;

  take(): number {
    this.alive++;
    if (this.freed > 0) return this.free[--this.freed]!;
    if (this.made === this.key.length) this.grow();
    return this.made++;
  }

  release(id: number): void {
    this.alive--;
    this.stamp[id]!++;
    this.free[this.freed++] = id;
  }

  private grow(): void {
    this.key = doubled(this.key, Int32Array);
    this.user = doubled(this.user, Int32Array);
    this.view = doubled(this.view, Int32Array);
    this.entry = doubled(this.entry, Int32Array);
    this.parent = doubled(this.parent, Int32Array);
    this.attempt = doubled(this.attempt, Int32Array);
    this.start = doubled(this.start, Float64Array);
    this.tries = doubled(this.tries, Uint8Array);
    this.flags = doubled(this.flags, Uint8Array);
    this.priorities = doubled(this.priorities, Uint32Array);
    this.tried = doubled(this.tried, Int32Array);
    this.stamp = doubled(this.stamp, Uint32Array);
    this.free = doubled(this.free, Int32Array);
  }
}

/** Who still has to do with an attempt; nobody: its record is free. */
export const CALLER = 1;
export const SERVER = 2;
/** It is counted at the breaker and at its host. */
export const ATTACHED = 4;
/** It holds a place behind the instance's door. */
export const INSIDE = 8;
/** It holds a worker. */
export const WORKING = 16;
/** One of its calls failed. */
export const CALL_FAILED = 32;
/** It waits in the instance's queue. */
export const QUEUED = 64;
/** It waits for a connection. */
export const PENDING = 128;
/** A limiter at the door waits for its answer. */
export const DOOR_CONTROLLED = 256;
/** It was answered and the answer is on its way. */
export const ANSWERED = 512;

/** Requests as they are sent to a host: an instance, or another region's gateway. */
export class AttemptPool {
  alive = 0;
  call = new Int32Array(1024);
  key = new Int32Array(1024);
  view = new Int32Array(1024);
  /** In the view. */
  host = new Int32Array(1024);
  /** −1: a gateway. */
  instance = new Int32Array(1024);
  entry = new Int32Array(1024);
  user = new Int32Array(1024);
  /** In the list that it waits in. */
  next = new Int32Array(1024);
  /** Calls of its stage that have not ended. */
  pending = new Int32Array(1024);
  /** Of the instance, when the attempt came: another one by now means that it is lost. */
  life = new Int32Array(1024);
  /** Call at the other region's proxy, of an attempt to a gateway. */
  child = new Int32Array(1024);
  stage = new Int32Array(1024);
  /** When it came to the door. */
  reached = new Float64Array(1024);
  flags = new Uint16Array(1024);
  outcome = new Uint8Array(1024);
  /** Which attempt of its call, from 1. */
  number = new Uint8Array(1024);
  stamp = new Uint32Array(1024);
  made = 0;
  private free = new Int32Array(1024);
  private freed = 0;

  take(): number {
    this.alive++;
    if (this.freed > 0) return this.free[--this.freed]!;
    if (this.made === this.key.length) this.grow();
    return this.made++;
  }

  release(id: number): void {
    this.alive--;
    this.stamp[id]!++;
    this.free[this.freed++] = id;
  }

  private grow(): void {
    this.call = doubled(this.call, Int32Array);
    this.key = doubled(this.key, Int32Array);
    this.view = doubled(this.view, Int32Array);
    this.host = doubled(this.host, Int32Array);
    this.instance = doubled(this.instance, Int32Array);
    this.entry = doubled(this.entry, Int32Array);
    this.user = doubled(this.user, Int32Array);
    this.next = doubled(this.next, Int32Array);
    this.pending = doubled(this.pending, Int32Array);
    this.life = doubled(this.life, Int32Array);
    this.child = doubled(this.child, Int32Array);
    this.stage = doubled(this.stage, Int32Array);
    this.reached = doubled(this.reached, Float64Array);
    this.flags = doubled(this.flags, Uint16Array);
    this.outcome = doubled(this.outcome, Uint8Array);
    this.number = doubled(this.number, Uint8Array);
    this.stamp = doubled(this.stamp, Uint32Array);
    this.free = doubled(this.free, Int32Array);
  }
}
