import type { EntryView, InstanceView, ProxyView, TwinAction, TwinControl, TwinView } from '../control.js';
import type { ServiceSettings } from '../../spec/settings.js';
import { placeOf, regionOf } from './faults.js';
import { mark, placesOf, slice } from './measure.js';
import type { Mark } from './measure.js';
import { changeSettings, relocate, setTarget } from './membership.js';
import { observe } from './observing.js';
import type { Place } from './place.js';
import type { World } from './world.js';

interface InstanceMark {
  busyMs: number;
  readyMs: number;
  offered: number;
  refused: number;
  succeeded: number;
  failed: number;
  latencySum: number;
}

interface ViewMark {
  offered: number;
  refused: number;
  succeeded: number;
  failed: number;
  latencySum: number;
}

/** Shows a control what the interval was, and does what it says. */
export class Controlling {
  private readonly world: World;
  private readonly control: TwinControl;
  private ticks = 0;
  private last: Mark;
  private instances: InstanceMark[];
  private views: ViewMark[];

  constructor(world: World, control: TwinControl) {
    this.world = world;
    this.control = control;
    this.last = mark(world);
    this.instances = this.markInstances();
    this.views = this.markViews();
  }

  tick(): void {
    const actions = this.control.onTick(this.look());
    for (const action of actions) apply(this.world, action);
  }

  private look(): TwinView {
    const { world } = this;
    const now = mark(world);
    const between = slice(world, this.last, now, 'interval');
    const view: TwinView = {
      nowMs: world.now,
      tick: this.ticks++,
      observation: observe(world, between, this.control.intervalMs),
      instances: this.viewInstances(),
      proxies: this.viewProxies(),
      entries: between.entries.map((one): EntryView => {
        const { p50Ms, p95Ms, p99Ms } = one.latency;
        const { entry, offered, succeeded, withinDeadline } = one;
        return { entry, offered, succeeded, withinDeadline, p50Ms, p95Ms, p99Ms };
      }),
    };
    for (const one of [...world.entries, ...placesOf(world)]) one.interval.clear();
    for (const instance of world.instances) instance.queuedMost = 0;
    this.last = now;
    this.instances = this.markInstances();
    this.views = this.markViews();
    return view;
  }

  private markInstances(): InstanceMark[] {
    const { now, instances } = this.world;
    return instances.map((one) => {
      const { offered, refused, succeeded, failed, latencySum } = one;
      return { busyMs: one.busyMs(now), readyMs: one.readyMs(now), offered, refused, succeeded, failed, latencySum };
    });
  }

  private markViews(): ViewMark[] {
    return this.world.views.map(({ offered, refused, succeeded, failed, latencySum }) => {
      return { offered, refused, succeeded, failed, latencySum };
    });
  }

  private viewInstances(): InstanceView[] {
    const { world } = this;
    const marks = this.markInstances();
    return world.instances.map((instance, i) => {
      const [from, to] = [this.instances[i]!, marks[i]!];
      const place = world.places[instance.place]!;
      const workerMs = (to.readyMs - from.readyMs) * instance.workers;
      return {
        service: place.service,
        region: place.region,
        instance: instance.index,
        state: instance.state,
        utilisation: workerMs > 0 ? (to.busyMs - from.busyMs) / workerMs : 0,
        queued: instance.queued,
        inFlight: instance.busy + instance.queued,
        ...difference(from, to),
        queuedMostMs: instance.queuedMost,
      };
    });
  }

  private viewProxies(): ProxyView[] {
    const marks = this.markViews();
    return this.world.views.flatMap((view, i) => {
      if (view.place.regionNumber !== 0) return [];
      const { service } = view.place;
      return [{ service, proxy: view.proxy, ...difference(this.views[i]!, marks[i]!), inFlight: view.inFlight }];
    });
  }
}

function difference(from: ViewMark, to: ViewMark): Omit<ViewMark, 'latencySum'> & { latencySumMs: number } {
  return {
    offered: to.offered - from.offered,
    refused: to.refused - from.refused,
    succeeded: to.succeeded - from.succeeded,
    failed: to.failed - from.failed,
    latencySumMs: to.latencySum - from.latencySum,
  };
}

/** Puts an action in force. Throws a RangeError where it names what the model has not. */
export function apply(world: World, action: TwinAction): void {
  const place = placeOf(world, action);
  if (action.settings !== undefined) applySettings(world, place, action, action.settings);
  if (action.weights !== undefined || action.failover !== undefined) applyRouting(world, place, action);
  if (action.targetInstances !== undefined) setTarget(world, place, action.targetInstances);
}

function applySettings(
  world: World,
  place: Place,
  action: TwinAction,
  settings: Readonly<Partial<ServiceSettings>>,
): void {
  for (const view of place.views) {
    if (action.proxies?.includes(view.proxy) ?? true) changeSettings(world, view, settings);
  }
  const maxRequests = settings['inbound.maxRequests'];
  const retryRps = settings['inbound.retryRps'];
  for (const instance of place.instances) {
    if (!(action.instances?.includes(instance.index) ?? true)) continue;
    if (maxRequests !== undefined) instance.maxInbound = maxRequests;
    if (retryRps !== undefined) instance.repeats.set(retryRps, Math.max(1, Math.ceil(retryRps)), world.now);
  }
}

function applyRouting(world: World, place: Place, { weights, failover }: TwinAction): void {
  if (weights !== undefined) {
    place.weights.fill(0);
    for (const [name, percent] of Object.entries(weights)) place.weights[regionOf(world, name)] = percent;
  }
  if (failover !== undefined) {
    place.failover = failover.map((name) => regionOf(world, name)).filter((r) => place.gateways.includes(r));
  }
  relocate(world, place);
}
