import { callSoon } from './calls.js';
import {
  ANSWER,
  CONTROLLER,
  FAILED,
  INBOUND,
  INBOUND_RETRY,
  OK,
  QUEUE_FULL,
  TIMED_OUT,
  WORKED,
  event,
} from './codes.js';
import { answerAtDoor, isAdmitted } from './ending.js';
import { CHILD, PURPOSE, mix, uniform } from './hash.js';
import type { Instance } from './instance.js';
import type { Place } from './place.js';
import { ANSWERED, CALLER, CALL_FAILED, DOOR_CONTROLLED, INSIDE, OPTIONAL, QUEUED, SERVER, WORKING } from './pools.js';
import type { World } from './world.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { floor } = Math;

/** A request comes to its host: an instance's door, or another region's proxy. */
export function onReach(world: World, attempt: number): void {
  const { attempts } = world;
  if (!(attempts.flags[attempt]! & CALLER)) {
    attempts.flags[attempt]! &= ~SERVER;
    attempts.release(attempt);
    return;
  }
  const number = attempts.instance[attempt]!;
  if (number < 0) reachGateway(world, attempt);
  else reachInstance(world, attempt, world.instances[number]!);
}

/** The neighbour's proxy treats it as any call of its own mesh. */
function reachGateway(world: World, attempt: number): void {
  const { attempts } = world;
  const { place } = world.views[attempts.view[attempt]!]!;
  const region = place.gateways[attempts.host[attempt]! - place.instances.length]!;
  const there = world.places[region * world.services + place.serviceNumber]!;
  const key = attempts.key[attempt]!;
  const view = there.firstView + floor(uniform(key, PURPOSE.proxy) * there.views.length);
  attempts.pending[attempt] = 1;
  attempts.child[attempt] = callSoon(world, view, key, attempt, 0);
}

function reachInstance(world: World, attempt: number, instance: Instance): void {
  const { attempts } = world;
  world.serviceCalls++;
  attempts.life[attempt] = instance.life;
  attempts.reached[attempt] = world.now;
  attempts.stage[attempt] = -1;
  instance.offered++;
  if (!instance.isUp()) {
    if (!instance.silent) respond(world, attempt, FAILED);
    // Nobody will answer: only the caller's time-out ends it.
    else attempts.flags[attempt]! &= ~SERVER;
    return;
  }
  const refusal = atDoor(world, attempt, instance);
  if (refusal !== OK) {
    respond(world, attempt, refusal);
    return;
  }
  if (instance.busy < instance.workers) startWork(world, attempt, instance);
  else if (instance.queued < instance.queue) enqueue(world, attempt, instance);
  else respond(world, attempt, QUEUE_FULL);
}

/** What the instance's own proxy refuses (`mesh/envoy/inbound.ts`); `OK`: let in. */
function atDoor(world: World, attempt: number, instance: Instance): number {
  const { attempts } = world;
  const { controller } = instance;
  if (controller !== undefined) {
    const asked = { entry: attempts.entry[attempt]!, attempt: attempts.number[attempt]!, key: attempts.key[attempt]! };
    if (!isAdmitted(world, controller, { ...asked, inFlight: instance.controlled })) return CONTROLLER;
    instance.controlled++;
    attempts.flags[attempt]! |= DOOR_CONTROLLED;
  }
  if (!world.places[instance.place]!.behindInbound) {
    if (controller !== undefined) enterDoor(world, attempt, instance);
    return OK;
  }
  if (attempts.number[attempt]! > 1 && !instance.repeats.take(world.now)) return INBOUND_RETRY;
  if (instance.inside >= instance.maxInbound) return INBOUND;
  enterDoor(world, attempt, instance);
  return OK;
}

function enterDoor(world: World, attempt: number, instance: Instance): void {
  instance.inside++;
  world.attempts.flags[attempt]! |= INSIDE;
}

function enqueue(world: World, attempt: number, instance: Instance): void {
  const { attempts } = world;
  attempts.flags[attempt]! |= QUEUED;
  attempts.next[attempt] = -1;
  if (instance.queueTail < 0) instance.queueHead = attempt;
  else attempts.next[instance.queueTail] = attempt;
  instance.queueTail = attempt;
  instance.queued++;
}

function startWork(world: World, attempt: number, instance: Instance): void {
  const { attempts } = world;
  const place = world.places[instance.place]!;
  attempts.flags[attempt]! |= WORKING;
  instance.takeWorker(world.now);
  const ms = place.work.draw(attempts.key[attempt]!) * instance.factor * place.slowFactor;
  world.queue.push(world.now + ms, event(WORKED, attempt));
}

/** First come, first served; what nobody waits for is passed over only where the service notices. */
function startNext(world: World, instance: Instance): void {
  const { attempts } = world;
  const drops = world.places[instance.place]!.dropsAbandoned;
  while (instance.queued > 0 && instance.busy < instance.workers) {
    const attempt = instance.queueHead;
    instance.queueHead = attempts.next[attempt]!;
    if (instance.queueHead < 0) instance.queueTail = -1;
    instance.queued--;
    attempts.flags[attempt]! &= ~QUEUED;
    if (drops && !(attempts.flags[attempt]! & CALLER)) {
      attempts.flags[attempt]! &= ~SERVER;
      attempts.release(attempt);
      continue;
    }
    const waited = world.now - attempts.reached[attempt]!;
    if (waited > instance.queuedMost) instance.queuedMost = waited;
    startWork(world, attempt, instance);
  }
}

/** The instance's own work is done: it fails, or the calls to others follow. */
export function onWorked(world: World, attempt: number): void {
  const { attempts } = world;
  const instance = world.instances[attempts.instance[attempt]!]!;
  if (attempts.life[attempt] !== instance.life) {
    forget(world, attempt);
    return;
  }
  const place = world.places[instance.place]!;
  if (!place.holdsWorker) freeWorker(world, attempt, instance);
  if (fails(place, instance, attempts.key[attempt]!)) respond(world, attempt, FAILED);
  else nextStage(world, attempt, place, instance);
}

function fails(place: Place, instance: Instance, key: number): boolean {
  const { errorShare, faultErrorShare } = place;
  if (errorShare === 0 && faultErrorShare === 0 && instance.errorShare === 0) return false;
  const sound = (1 - errorShare) * (1 - faultErrorShare) * (1 - instance.errorShare);
  return uniform(key, PURPOSE.error) >= sound;
}

/** All calls of the stage have ended, or the neighbour has answered. */
export function onCallsDone(world: World, attempt: number): void {
  const { attempts } = world;
  const number = attempts.instance[attempt]!;
  if (number < 0) {
    respond(world, attempt, attempts.outcome[attempt]!);
    return;
  }
  const instance = world.instances[number]!;
  if (attempts.life[attempt] !== instance.life) forget(world, attempt);
  else if (attempts.flags[attempt]! & CALL_FAILED) respond(world, attempt, FAILED);
  else nextStage(world, attempt, world.places[instance.place]!, instance);
}

function nextStage(world: World, attempt: number, place: Place, instance: Instance): void {
  const { attempts } = world;
  const gaveUp = place.dropsAbandoned && !(attempts.flags[attempt]! & CALLER);
  while (!gaveUp && ++attempts.stage[attempt]! < place.stages.length) {
    if (callStage(world, attempt, place, instance) > 0) return;
  }
  respond(world, attempt, OK);
}

function callStage(world: World, attempt: number, place: Place, instance: Instance): number {
  const { attempts, places, services } = world;
  const number = attempts.stage[attempt]!;
  const stage = place.stages[number]!;
  const key = attempts.key[attempt]!;
  const entry = attempts.entry[attempt]!;
  let made = 0;
  for (let i = 0; i < stage.length; i++) {
    const { service, callsByEntry, optional } = stage[i]!;
    const draw = mix(key, CHILD + number * 4096 + i * 64);
    const mean = callsByEntry[entry]!;
    const whole = floor(mean);
    const count = whole < mean && uniform(draw, PURPOSE.fraction) < mean - whole ? whole + 1 : whole;
    const view = places[place.regionNumber * services + service]!.firstView + instance.proxy;
    for (let n = 0; n < count; n++) {
      callSoon(world, view, n === 0 ? draw : mix(draw, CHILD + n), attempt, optional ? OPTIONAL : 0);
    }
    made += count;
  }
  attempts.pending[attempt] = made;
  return made;
}

/** The instance is done with it: its worker goes on, and the answer goes back where somebody waits for it. */
function respond(world: World, attempt: number, outcome: number): void {
  const { attempts } = world;
  attempts.outcome[attempt] = outcome;
  const number = attempts.instance[attempt]!;
  if (number >= 0) leave(world, attempt, world.instances[number]!, outcome);
  if (!(attempts.flags[attempt]! & CALLER)) {
    forget(world, attempt);
    return;
  }
  attempts.flags[attempt]! |= ANSWERED;
  const view = world.views[attempts.view[attempt]!]!;
  world.after(world.wayTo(view, attempts.host[attempt]!, attempts.key[attempt]! + 1), event(ANSWER, attempt));
}

function leave(world: World, attempt: number, instance: Instance, outcome: number): void {
  const { attempts } = world;
  const flags = attempts.flags[attempt]!;
  const latency = world.now - attempts.reached[attempt]!;
  const isWanted = (flags & CALLER) !== 0;
  if (outcome === OK && isWanted) {
    instance.succeeded++;
    instance.latencySum += latency;
  } else if (outcome === OK || outcome === FAILED) instance.failed++;
  else instance.refused++;
  if (flags & INSIDE) instance.inside--;
  if (flags & DOOR_CONTROLLED) answerAtDoor(world, instance, attempt, outcome);
  attempts.flags[attempt]! &= ~(INSIDE | DOOR_CONTROLLED);
  if (flags & WORKING) freeWorker(world, attempt, instance);
}

function freeWorker(world: World, attempt: number, instance: Instance): void {
  world.attempts.flags[attempt]! &= ~WORKING;
  instance.giveWorker(world.now);
  startNext(world, instance);
}

/** The server's side of an attempt is over without an answer. */
function forget(world: World, attempt: number): void {
  const { attempts } = world;
  attempts.flags[attempt]! &= ~SERVER;
  if (!(attempts.flags[attempt]! & CALLER)) attempts.release(attempt);
}

/** What an instance worked on and held is lost; who is told so at once is returned. */
export function loseRequests(world: World, instance: Instance): number[] {
  const { attempts } = world;
  const told: number[] = [];
  for (let attempt = 0; attempt < attempts.made; attempt++) {
    if (attempts.instance[attempt] !== instance.number || attempts.life[attempt] !== instance.life) continue;
    const flags = attempts.flags[attempt]!;
    if (!(flags & SERVER) || flags & ANSWERED || !isThere(flags, attempts.pending[attempt]!)) continue;
    attempts.flags[attempt] = flags & ~(WORKING | INSIDE | DOOR_CONTROLLED | QUEUED);
    if (flags & DOOR_CONTROLLED) answerAtDoor(world, instance, attempt, TIMED_OUT);
    if (flags & CALLER && !instance.silent) told.push(attempt);
    if (flags & QUEUED) forget(world, attempt);
  }
  instance.loseAll(world.now);
  return told;
}

/** In the queue, at a worker, or waiting for its calls: not on its way to the door. */
function isThere(flags: number, pending: number): boolean {
  return (flags & (WORKING | QUEUED)) !== 0 || pending > 0;
}
