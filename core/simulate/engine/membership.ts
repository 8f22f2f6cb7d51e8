import type { ServiceSettings } from '../../spec/settings.js';
import { reset } from './attempts.js';
import { refresh } from './balance.js';
import { READY, event } from './codes.js';
import { closeIdle } from './connections.js';
import { healthChanged } from './health.js';
import type { Instance } from './instance.js';
import { localitiesOf } from './place.js';
import type { Place } from './place.js';
import { loseRequests } from './serving.js';
import type { View } from './view.js';
import type { World } from './world.js';

/** Starts an instance cold; it answers after its start-up. */
export function start(world: World, place: Place, instance: Instance): void {
  const wasUp = instance.isUp();
  instance.enter('starting', world.now);
  instance.readyAt = world.now + instance.startupMs;
  world.queue.push(instance.readyAt, event(READY, instance.number));
  if (wasUp) healthChanged(world, place, instance.index, false);
}

/** Unless it was stopped or started anew meanwhile. */
export function onReady(world: World, instance: Instance): void {
  if (instance.state !== 'starting' || instance.readyAt !== world.now) return;
  instance.enter('ready', world.now);
  healthChanged(world, world.places[instance.place]!, instance.index, false);
}

/** Ends an instance at once, and what it works on with it. */
export function stop(world: World, place: Place, instance: Instance, how: 'refuses' | 'silent'): void {
  if (instance.state === 'off' || instance.state === 'down') return;
  instance.silent = how === 'silent';
  const told = loseRequests(world, instance);
  instance.enter('down', world.now);
  // The other end of idle connections closes them where the instance still can.
  if (how === 'refuses') for (const view of place.views) closeIdle(view, instance.index);
  healthChanged(world, place, instance.index, instance.silent);
  for (const attempt of told) reset(world, attempt);
}

/** The first so many instances are in the mesh: those beyond leave it and finish, those that are new start. */
export function setTarget(world: World, place: Place, target: number): void {
  const wanted = Math.max(0, Math.min(place.instances.length, Math.round(target)));
  if (wanted === place.targetInstances) return;
  for (const instance of place.instances) {
    if (instance.index < wanted && (instance.state === 'off' || instance.state === 'draining'))
      join(world, place, instance);
    if (instance.index >= wanted && instance.state !== 'off' && instance.state !== 'down') {
      instance.enter(instance.state === 'starting' ? 'off' : 'draining', world.now);
    }
  }
  place.targetInstances = wanted;
  relocate(world, place);
}

function join(world: World, place: Place, instance: Instance): void {
  if (instance.state === 'draining') {
    instance.enter('ready', world.now);
    // A check that fell due while it drained did not let it in.
    healthChanged(world, place, instance.index, false);
    return;
  }
  for (const view of place.views) view.failsHealth[instance.index] = 1;
  start(world, place, instance);
}

/** Weights, failover or members changed: every proxy of the region shares anew. */
export function relocate(world: World, place: Place): void {
  place.localities = localitiesOf(place);
  for (const view of place.views) refresh(view, world.now);
}

/** Client settings of some proxies, or of all. */
export function changeSettings(world: World, view: View, change: Readonly<Partial<ServiceSettings>>): void {
  const before = view.settings;
  view.take({ ...before, ...change }, world.now);
  if (view.settings['timeout.requestMs'] !== before['timeout.requestMs'] || view.lane === undefined) {
    view.lane = world.lane('request', view.settings['timeout.requestMs']);
  }
  refresh(view, world.now);
}
