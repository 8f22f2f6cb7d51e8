import type { AdmissionFactory } from '../control.js';
import type { TwinDemand, TwinInstance, TwinModel, TwinPlace, TwinService } from '../model.js';
import { Arrivals } from './arrivals.js';
import { refresh } from './balance.js';
import { Entry } from './entry.js';
import { CHILD, mix } from './hash.js';
import { Instance } from './instance.js';
import { Place } from './place.js';
import type { StageCall } from './place.js';
import { View } from './view.js';
import { WorkTime } from './workTime.js';
import { World } from './world.js';

const USERS = 10_000;

/** The world at time 0. Throws a RangeError where the model names what it has not. */
export function buildWorld(model: TwinModel, demand: TwinDemand, seed: number): World {
  const regions = model.regions.map(({ name, proxies, networkMs }) => ({ name, proxies, networkMs: networkMs ?? 0 }));
  const world = new World(regions, model.services.length, model.users ?? USERS);
  layWays(world, model);
  regions.forEach((region, r) =>
    model.services.forEach((service, s) => {
      const place = service.places[region.name];
      if (place !== undefined) world.places[r * world.services + s] = buildPlace(world, model, r, s, service, place);
    }),
  );
  checkCalls(world);
  for (const place of world.places) if (place !== undefined) buildViews(world, place);
  world.hostStride = Math.max(1, ...world.views.map((view) => view.hosts));
  model.entries.forEach((entry, number) => {
    const place = world.places[regionIn(model, entry.region) * world.services + serviceIn(model, entry.service)];
    if (place === undefined) throw new RangeError(`entry ${entry.name}: no service ${entry.service} there`);
    const asked = demand.entries.find((one) => one.entry === entry.name);
    const entrySeed = mix(mix(seed | 0, CHILD), number);
    const arrivals = asked === undefined ? undefined : new Arrivals(asked, entrySeed);
    world.entries.push(new Entry({ number, entry, place, seed: entrySeed, arrivals }));
  });
  return world;
}

function layWays(world: World, model: TwinModel): void {
  const count = model.regions.length;
  for (const { between, oneWayMs, jitterMs } of model.network) {
    const [a, b] = between.map((name) => regionIn(model, name)) as [number, number];
    for (const way of [a * count + b, b * count + a]) {
      world.wayMs[way] = oneWayMs;
      world.jitterMs[way] = jitterMs ?? 0;
    }
  }
}

function buildPlace(
  world: World,
  model: TwinModel,
  regionNumber: number,
  serviceNumber: number,
  service: TwinService,
  place: TwinPlace,
): Place {
  const region = model.regions[regionNumber]!;
  const number = regionNumber * world.services + serviceNumber;
  const gateways = model.regions.flatMap((other, r) =>
    r !== regionNumber && service.places[other.name] !== undefined ? [r] : [],
  );
  const firstView = world.views.length;
  // Views are made after all places; their numbers are kept free here.
  for (let i = 0; i < region.proxies; i++) world.views.push(undefined as unknown as View);
  const weights = new Float64Array(model.regions.length);
  for (const [name, percent] of Object.entries(place.weights)) {
    const r = regionIn(model, name);
    if (percent > 0 && r !== regionNumber && !gateways.includes(r)) {
      throw new RangeError(`${service.name} in ${region.name} has weight for ${name}, which has no such service`);
    }
    weights[r] = percent;
  }
  return new Place({
    number,
    region: region.name,
    serviceNumber,
    regionNumber,
    service,
    place,
    instances: buildInstances(world, number, place, region.proxies),
    gateways,
    firstView,
    work: new WorkTime(service.time),
    stages: stagesOf(model, service),
    weights,
    failover: (place.failover ?? []).map((name) => regionIn(model, name)).filter((r) => gateways.includes(r)),
  });
}

function buildInstances(world: World, place: number, spec: TwinPlace, proxies: number): Instance[] {
  const known = spec.instances.length;
  const all = Math.max(known, spec.maxInstances ?? 0);
  const last = spec.instances.at(-1);
  const made: Instance[] = [];
  for (let index = 0; index < all; index++) {
    const like: TwinInstance | undefined = spec.instances[index] ?? last;
    if (like === undefined) throw new RangeError('maxInstances without an instance to be like');
    const instance = new Instance({
      number: world.instances.length,
      place,
      index,
      zone: like.zone,
      workers: like.workers,
      queue: like.queue ?? Infinity,
      startupMs: like.startupMs,
      slowFactor: index < known ? (like.slowFactor ?? 1) : 1,
      proxy: index < known && like.proxy !== undefined ? like.proxy : index % proxies,
      state: index < known ? (like.state ?? 'ready') : 'off',
      maxInbound: spec.settings['inbound.maxRequests'],
      retryRps: spec.settings['inbound.retryRps'],
    });
    world.instances.push(instance);
    made.push(instance);
  }
  return made;
}

function stagesOf(model: TwinModel, service: TwinService): StageCall[][] {
  return service.stages.map((stage) =>
    stage.map((call) => ({
      service: serviceIn(model, call.service),
      callsByEntry: Float64Array.from(model.entries, ({ name }) => call.byEntry?.[name] ?? call.callsPerRequest),
      optional: call.optional ?? false,
    })),
  );
}

/** Whoever has a service must have what it calls: calls stay in the region until weights say otherwise. */
function checkCalls(world: World): void {
  for (const place of world.places) {
    for (const call of place?.stages.flat() ?? []) {
      if (world.places[place!.regionNumber * world.services + call.service] !== undefined) continue;
      throw new RangeError(`${place!.service} in ${place!.region} calls a service that ${place!.region} has not`);
    }
  }
}

function buildViews(world: World, place: Place): void {
  const { proxies } = world.regions[place.regionNumber]!;
  for (let proxy = 0; proxy < proxies; proxy++) {
    const view = new View(place.firstView + proxy, place, proxy);
    view.lane = world.lane('request', place.settings['timeout.requestMs']);
    for (const { index, state } of place.instances) view.failsHealth[index] = state === 'ready' ? 0 : 1;
    place.gateways.forEach((region, i) => {
      const up = world.places[region * world.services + place.serviceNumber]?.isUp() ?? false;
      view.failsHealth[place.instances.length + i] = up ? 0 : 1;
    });
    refresh(view, 0);
    world.views[view.number] = view;
    place.views.push(view);
  }
}

/** Asks for a limiter at every place where one can stand. */
export function placeControllers(world: World, factory: AdmissionFactory): void {
  for (const place of world.places) {
    if (place === undefined) continue;
    const at = { region: place.region, service: place.service };
    for (const view of place.views) {
      view.controller = factory({ ...at, side: 'client', proxy: view.proxy, instance: -1 });
      if (!world.entries.some((entry) => entry.place === place)) continue;
      view.entryController = factory({ ...at, side: 'entry', proxy: view.proxy, instance: -1 });
    }
    for (const instance of place.instances) {
      instance.controller = factory({ ...at, side: 'inbound', proxy: -1, instance: instance.index });
    }
  }
}

function regionIn(model: TwinModel, name: string | undefined): number {
  const found = name === undefined ? 0 : model.regions.findIndex((region) => region.name === name);
  if (found < 0) throw new RangeError(`the model has no region ${name}`);
  return found;
}

function serviceIn(model: TwinModel, name: string): number {
  const found = model.services.findIndex((service) => service.name === name);
  if (found < 0) throw new RangeError(`the model has no service ${name}`);
  return found;
}
