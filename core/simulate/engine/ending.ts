import type { AdmissionController, AdmissionResponse } from '../control.js';
import { CALLS_DONE, FAILED, OK, TIMED_OUT, WITHIN_DEADLINE, event } from './codes.js';
import type { Instance } from './instance.js';
import { CALL_FAILED, CLIENT_CONTROLLED, ENDED, ENTRY_CONTROLLED, OPTIONAL, RETRYING, WAITING } from './pools.js';
import type { View } from './view.js';
import type { World } from './world.js';

/** A call has its outcome: counted, told to limiters and to whoever waits for it. Its attempts are over already. */
export function endCall(world: World, call: number, outcome: number): void {
  const { calls } = world;
  const view = world.views[calls.view[call]!]!;
  const flags = calls.flags[call]!;
  const latency = world.now - calls.start[call]!;
  count(world, view, outcome, latency);
  const parent = calls.parent[call]!;
  if (parent < 0) countEntry(world, calls.entry[call]!, outcome, latency);
  if (flags & RETRYING) view.retries--;
  if (flags & (CLIENT_CONTROLLED | ENTRY_CONTROLLED)) tellControllers(world, view, call, outcome, latency);
  if (parent >= 0) tellParent(world, parent, outcome, (flags & OPTIONAL) !== 0);
  // The record of one whose retry waits is freed when that event comes.
  if (flags & WAITING) calls.flags[call] = flags | ENDED;
  else calls.release(call);
}

function tellControllers(world: World, view: View, call: number, outcome: number, latencyMs: number): void {
  const { calls } = world;
  const ended = { outcome, latencyMs, entry: calls.entry[call]!, key: calls.key[call]! };
  const flags = calls.flags[call]!;
  if (flags & CLIENT_CONTROLLED) answer(world, view.controller!, { ...ended, inFlight: --view.controlled });
  if (flags & ENTRY_CONTROLLED) answer(world, view.entryController!, { ...ended, inFlight: --view.entryControlled });
}

function count(world: World, view: View, outcome: number, latency: number): void {
  const { place } = view;
  place.counters[outcome]!++;
  view.inFlight--;
  if (outcome === OK) {
    place.window.add(latency);
    if (world.isControlled) place.interval.add(latency);
    place.latencySum += latency;
    view.succeeded++;
    view.latencySum += latency;
  } else if (outcome === FAILED || outcome === TIMED_OUT) view.failed++;
  else view.refused++;
}

function countEntry(world: World, number: number, outcome: number, latency: number): void {
  const entry = world.entries[number]!;
  entry.counters[outcome]!++;
  if (outcome !== OK) return;
  entry.window.add(latency);
  if (world.isControlled) entry.interval.add(latency);
  entry.latencySum += latency;
  if (latency <= entry.deadlineMs) entry.counters[WITHIN_DEADLINE]!++;
}

/** Of an attempt at an instance the stage goes on when its last call ended; a gateway hands the outcome on. */
function tellParent(world: World, parent: number, outcome: number, optional: boolean): void {
  const { attempts } = world;
  if (attempts.instance[parent]! < 0) attempts.outcome[parent] = outcome;
  else if (outcome !== OK && !optional) attempts.flags[parent]! |= CALL_FAILED;
  if (--attempts.pending[parent]! === 0) world.soon.push(event(CALLS_DONE, parent));
}

/** Tells a limiter how what it admitted ended. */
export function answer(
  world: World,
  controller: AdmissionController,
  ended: { outcome: number; latencyMs: number; inFlight: number; entry: number; key: number },
): void {
  const { response } = world;
  response.nowMs = world.now;
  response.latencyMs = ended.latencyMs;
  response.outcome = outcomeName(ended.outcome);
  response.inFlight = ended.inFlight;
  response.entry = ended.entry;
  response.key = ended.key;
  controller.onResponse(response);
}

/** Of an attempt, at the instance's door. */
export function answerAtDoor(world: World, instance: Instance, attempt: number, outcome: number): void {
  const { attempts } = world;
  answer(world, instance.controller!, {
    outcome,
    latencyMs: world.now - attempts.reached[attempt]!,
    inFlight: --instance.controlled,
    entry: attempts.entry[attempt]!,
    key: attempts.key[attempt]!,
  });
}

function outcomeName(outcome: number): AdmissionResponse['outcome'] {
  if (outcome === OK) return 'ok';
  if (outcome === FAILED) return 'failed';
  return outcome === TIMED_OUT ? 'dropped' : 'refused';
}

/** Asks a limiter. */
export function isAdmitted(
  world: World,
  controller: AdmissionController,
  asked: { inFlight: number; entry: number; attempt: number; key: number },
): boolean {
  const { request } = world;
  request.nowMs = world.now;
  request.inFlight = asked.inFlight;
  request.entry = asked.entry;
  request.attempt = asked.attempt;
  request.key = asked.key;
  return controller.onRequest(request);
}
