import type { TwinFault } from '../model.js';
import { FAULT, event } from './codes.js';
import type { Instance } from './instance.js';
import { start, stop } from './membership.js';
import type { Place } from './place.js';
import type { World } from './world.js';

/** A change at a moment: a fault begins or ends. */
export interface FaultStep {
  atMs: number;
  fault: TwinFault;
  begins: boolean;
}

export function faultSteps(faults: readonly TwinFault[]): FaultStep[] {
  const steps = faults.flatMap((fault): FaultStep[] => {
    if (fault.kind === 'coldStart') return [{ atMs: fault.atMs, fault, begins: true }];
    const begin = { atMs: fault.fromMs, fault, begins: true };
    return fault.untilMs === undefined ? [begin] : [begin, { atMs: fault.untilMs, fault, begins: false }];
  });
  return steps.sort((a, b) => a.atMs - b.atMs);
}

export function scheduleFaults(world: World, steps: readonly FaultStep[]): void {
  steps.forEach((step, i) => world.queue.push(step.atMs, event(FAULT, i)));
}

export function onFault(world: World, { fault, begins }: FaultStep): void {
  switch (fault.kind) {
    case 'slowInstance':
      instanceOf(world, fault).factor *= begins ? fault.factor : 1 / fault.factor;
      return;
    case 'slowService':
      placeOf(world, fault).slowFactor *= begins ? fault.factor : 1 / fault.factor;
      return;
    case 'failing':
      if (fault.instance === undefined) placeOf(world, fault).faultErrorShare = begins ? fault.errorShare : 0;
      else instanceOf(world, { ...fault, instance: fault.instance }).errorShare = begins ? fault.errorShare : 0;
      return;
    case 'instanceDown':
      lose(world, placeOf(world, fault), instanceOf(world, fault), begins, fault.how);
      return;
    case 'zoneLost':
      loseZone(world, fault, begins);
      return;
    case 'network':
      delayWay(world, fault, begins);
      return;
    case 'coldStart':
      for (const index of fault.instances)
        restart(world, placeOf(world, fault), instanceOf(world, { ...fault, instance: index }));
  }
}

function loseZone(world: World, fault: Extract<TwinFault, { kind: 'zoneLost' }>, begins: boolean): void {
  const region = regionOf(world, fault.region);
  for (const place of world.places) {
    if (place === undefined || place.regionNumber !== region) continue;
    for (const instance of place.instances) {
      if (instance.zone === fault.zone) lose(world, place, instance, begins, fault.how);
    }
  }
}

function lose(world: World, place: Place, instance: Instance, begins: boolean, how: 'refuses' | 'silent'): void {
  if (begins) stop(world, place, instance, how);
  else if (instance.state === 'down') start(world, place, instance);
}

function restart(world: World, place: Place, instance: Instance): void {
  if (instance.state === 'off') return;
  stop(world, place, instance, 'refuses');
  start(world, place, instance);
}

function delayWay(world: World, fault: Extract<TwinFault, { kind: 'network' }>, begins: boolean): void {
  const [a, b] = fault.between.map((name) => regionOf(world, name)) as [number, number];
  const add = begins ? fault.addMs : -fault.addMs;
  world.wayMs[a * world.regions.length + b]! += add;
  if (a !== b) world.wayMs[b * world.regions.length + a]! += add;
}

/** Throws a RangeError for a region that the model has not. */
export function regionOf(world: World, name: string | undefined): number {
  const found = name === undefined ? 0 : world.regions.findIndex((region) => region.name === name);
  if (found < 0) throw new RangeError(`the model has no region ${name}`);
  return found;
}

/** Throws a RangeError for a service that the region has not. */
export function placeOf(world: World, at: { service: string; region?: string }): Place {
  const region = regionOf(world, at.region);
  const found = world.places.find((place) => place?.regionNumber === region && place.service === at.service);
  if (found === undefined) throw new RangeError(`${world.regions[region]?.name} has no service ${at.service}`);
  return found;
}

function instanceOf(world: World, at: { service: string; region?: string; instance: number }): Instance {
  const found = placeOf(world, at).instances[at.instance];
  if (found === undefined) throw new RangeError(`${at.service} has no instance ${at.instance}`);
  return found;
}
