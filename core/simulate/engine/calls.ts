import { send } from './attempts.js';
import { ADMITTED, ARRIVAL, BEGIN, CONTROLLER, OFFERED, RATE_LIMIT, RATE_LIMIT_WOULD, event } from './codes.js';
import { endCall, isAdmitted } from './ending.js';
import type { Entry } from './entry.js';
import { PURPOSE, mix, uniform } from './hash.js';
import { CLIENT_CONTROLLED, ENTRY_CONTROLLED, FROM_MESH } from './pools.js';
import type { View } from './view.js';
import type { World } from './world.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { floor } = Math;

/** A user's request comes to one of the region's proxies; the next is on its way. */
export function onArrival(world: World, entry: Entry): void {
  const { place, arrivals } = entry;
  const key = mix(entry.seed, arrivals!.count);
  scheduleArrival(world, entry);
  const view = place.firstView + floor(uniform(key, PURPOSE.proxy) * place.views.length);
  const user = mix(floor(uniform(key, PURPOSE.user) * world.users), PURPOSE.user);
  entry.counters[OFFERED]!++;
  const call = makeCall(world, view, key, user, entry.number, -1, 0);
  begin(world, call);
}

export function scheduleArrival(world: World, entry: Entry): void {
  const time = entry.arrivals!.next();
  if (time < Infinity) world.queue.push(time, event(ARRIVAL, entry.number));
}

export function makeCall(
  world: World,
  view: number,
  key: number,
  user: number,
  entry: number,
  parent: number,
  flags: number,
): number {
  const { calls } = world;
  const call = calls.take();
  calls.view[call] = view;
  calls.key[call] = key;
  calls.user[call] = user;
  calls.entry[call] = entry;
  calls.parent[call] = parent;
  calls.attempt[call] = -1;
  calls.start[call] = world.now;
  calls.tries[call] = 0;
  calls.flags[call] = flags;
  calls.priorities[call] = 0;
  return call;
}

/** A call of a service from within the mesh, to begin at once. */
export function callSoon(world: World, view: number, key: number, attempt: number, flags: number): number {
  const { attempts } = world;
  const call = makeCall(
    world,
    view,
    key,
    attempts.user[attempt]!,
    attempts.entry[attempt]!,
    attempt,
    flags | FROM_MESH,
  );
  world.soon.push(event(BEGIN, call));
  return call;
}

/** At the proxy: limiters, then the rate limit of the listener it came by, then a host. */
export function begin(world: World, call: number): void {
  const { calls } = world;
  const view = world.views[calls.view[call]!]!;
  const { place } = view;
  const isUser = calls.parent[call]! < 0;
  place.counters[OFFERED]!++;
  view.offered++;
  view.inFlight++;
  if (!passesControllers(world, view, call, isUser)) {
    endCall(world, call, CONTROLLER);
    return;
  }
  if (!(isUser ? view.userBucket : view.meshBucket).take(world.now)) {
    place.counters[RATE_LIMIT_WOULD]!++;
    if (isEnforced(view, calls.key[call]!)) {
      endCall(world, call, RATE_LIMIT);
      return;
    }
  }
  place.counters[ADMITTED]!++;
  if (isUser) world.entries[calls.entry[call]!]!.counters[ADMITTED]!++;
  world.setDeadline(view.lane!, call, calls.stamp[call]!);
  send(world, call);
}

/** Envoy's `filter_enforced`: so many percent of what is beyond the bucket are refused. */
function isEnforced(view: View, key: number): boolean {
  const percent = view.enforcedPercent;
  return percent >= 100 || (percent > 0 && uniform(key, PURPOSE.enforce) * 100 < percent);
}

function passesControllers(world: World, view: View, call: number, isUser: boolean): boolean {
  const { calls } = world;
  if (view.controller === undefined && view.entryController === undefined) return true;
  const asked = { entry: calls.entry[call]!, attempt: 1, key: calls.key[call]! };
  if (isUser && view.entryController !== undefined) {
    if (!isAdmitted(world, view.entryController, { ...asked, inFlight: view.entryControlled })) return false;
    view.entryControlled++;
    calls.flags[call]! |= ENTRY_CONTROLLED;
  }
  if (view.controller === undefined) return true;
  if (!isAdmitted(world, view.controller, { ...asked, inFlight: view.controlled })) return false;
  view.controlled++;
  calls.flags[call]! |= CLIENT_CONTROLLED;
  return true;
}
