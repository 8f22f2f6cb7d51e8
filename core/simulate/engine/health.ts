import { refresh } from './balance.js';
import { EJECTIONS, HEALTH, OUTLIER, PROBE, event } from './codes.js';
import { CHILD, PURPOSE, mix, uniform } from './hash.js';
import type { Place } from './place.js';
import type { View } from './view.js';
import type { World } from './world.js';

/** Envoy's `max_ejection_time`. */
const LONGEST_EJECTION_MS = 300_000;

/** Whether whoever is asked at `host` answers. */
function answers(world: World, view: View, host: number): boolean {
  const { instances, gateways, serviceNumber } = view.place;
  const instance = instances[host];
  if (instance !== undefined) return instance.state === 'ready';
  return world.places[gateways[host - instances.length]! * world.services + serviceNumber]?.isUp() ?? false;
}

/**
 * An instance, or all of a region, came up or went: each proxy finds out by its own health checks, `healthyThreshold`
 * or `unhealthyThreshold` in a row, an interval apart, and later by the timeout where nothing answers.
 */
export function healthChanged(world: World, place: Place, host: number, silent: boolean): void {
  for (const view of place.views) expectHealth(world, view, host, silent);
  for (const other of world.places) {
    if (other === undefined || other === place || other.serviceNumber !== place.serviceNumber) continue;
    const gateway = other.gateways.indexOf(place.regionNumber);
    if (gateway < 0) continue;
    for (const view of other.views) {
      const at = other.instances.length + gateway;
      if (answers(world, view, at) !== (view.failsHealth[at] === 0)) expectHealth(world, view, at, false);
    }
  }
}

function expectHealth(world: World, view: View, host: number, silent: boolean): void {
  const { settings } = view;
  const up = answers(world, view, host);
  const threshold = settings[up ? 'health.healthyThreshold' : 'health.unhealthyThreshold'];
  const late = !up && silent ? settings['health.timeoutMs'] : 0;
  const due = view.nextProbe(host, world.now) + (threshold - 1) * settings['health.intervalMs'] + late;
  view.healthDue[host] = due;
  world.queue.push(due, event(HEALTH, view.number * world.hostStride + host));
}

/** A proxy has seen enough checks; not where the host changed again meanwhile. */
export function onHealth(world: World, number: number): void {
  const host = number % world.hostStride;
  const view = world.views[(number - host) / world.hostStride]!;
  if (view.healthDue[host] !== world.now) return;
  const fails = answers(world, view, host) ? 0 : 1;
  if (view.failsHealth[host] === fails) return;
  view.failsHealth[host] = fails;
  if (fails === 0) view.startedAt[host] = world.now;
  refresh(view, world.now);
}

/** Counts an answer for outlier detection: consecutive failures take a host out of rotation, as far as percents go. */
export function recordResult(world: World, view: View, host: number, failed: boolean): void {
  if (!failed) {
    view.streak[host] = 0;
    return;
  }
  if (++view.streak[host]! < view.consecutive) return;
  view.streak[host] = 0;
  if (view.ejectedAt[host]! >= 0) return;
  const members = view.place.localities.reduce((sum, { hosts }) => sum + hosts.length, 0);
  if ((100 * (view.ejected + 1)) / members > view.maxEjectionPercent) return;
  eject(world, view, host);
}

function eject(world: World, view: View, host: number): void {
  view.ejectedAt[host] = world.now;
  view.ejections[host]!++;
  view.ejected++;
  view.place.counters[EJECTIONS]!++;
  refresh(view, world.now);
  const number = view.number * world.hostStride + host;
  if (view.place.healthEndsEjection) world.queue.push(view.nextProbe(host, world.now), event(PROBE, number));
  if (view.ticking) return;
  view.ticking = true;
  const interval = view.outlierIntervalMs;
  const phase = uniform(mix(view.number, CHILD), PURPOSE.probe) * interval;
  const due = phase + Math.ceil((world.now - phase) / interval) * interval;
  world.queue.push(due > world.now ? due : due + interval, event(OUTLIER, view.number));
}

/** Envoy's default `successful_active_health_check_uneject_host`: a host that passes a check is asked again. */
export function onProbe(world: World, number: number): void {
  const host = number % world.hostStride;
  const view = world.views[(number - host) / world.hostStride]!;
  if (view.ejectedAt[host]! < 0) return;
  if (answers(world, view, host) && view.failsHealth[host] === 0) bringBack(view, host, world.now);
  else world.queue.push(world.now + view.settings['health.intervalMs'], event(PROBE, number));
}

/**
 * Once an interval: hosts return after base time × how often they were taken out, and what they are charged for falls by
 * one for each interval in rotation.
 */
export function onOutlierTick(world: World, number: number): void {
  const view = world.views[number]!;
  let busy = false;
  for (let host = 0; host < view.hosts; host++) {
    const since = view.ejectedAt[host]!;
    if (since >= 0) {
      const length = Math.min(view.baseEjectionMs * view.ejections[host]!, LONGEST_EJECTION_MS);
      if (world.now - since >= length) bringBack(view, host, world.now);
    } else if (view.ejections[host]! > 0) view.ejections[host]!--;
    busy ||= view.ejections[host]! > 0;
  }
  view.ticking = busy;
  if (busy) world.queue.push(world.now + view.outlierIntervalMs, event(OUTLIER, number));
}

/** Failures of requests that were underway when it was taken out are forgotten, as Envoy does. */
function bringBack(view: View, host: number, now: number): void {
  view.ejectedAt[host] = -1;
  view.streak[host] = 0;
  view.ejected--;
  refresh(view, now);
}
