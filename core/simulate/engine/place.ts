import type { TwinPlace, TwinService } from '../model.js';
import type { ServiceSettings } from '../../spec/settings.js';
import { COUNTERS, RETRY_CONNECT, RETRY_FAILURE, RETRY_OVERLOAD, RETRY_PER_TRY } from './codes.js';
import { Histogram } from './histogram.js';
import type { Instance } from './instance.js';
import type { View } from './view.js';
import type { WorkTime } from './workTime.js';

/** Calls of a stage, resolved: one row a call. `chance` by entry. */
export interface StageCall {
  service: number;
  callsByEntry: Float64Array;
  optional: boolean;
}

/** Hosts of one zone, or one other region's gateway, that share a weight. */
export interface Locality {
  priority: number;
  weight: number;
  hosts: readonly number[];
}

/** One service in one region: its instances, and what all of the region's proxies know of it. */
export class Place {
  readonly number: number;
  readonly service: string;
  readonly region: string;
  readonly serviceNumber: number;
  readonly regionNumber: number;
  readonly instances: Instance[];
  /** Region numbers behind the hosts that come after the instances. */
  readonly gateways: readonly number[];
  readonly views: View[] = [];
  readonly firstView: number;
  readonly work: WorkTime;
  readonly stages: readonly (readonly StageCall[])[];
  readonly holdsWorker: boolean;
  readonly dropsAbandoned: boolean;
  readonly errorShare: number;
  readonly behindInbound: boolean;
  readonly retryOn: number;
  readonly backOffBaseMs: number;
  readonly backOffMostMs: number;
  readonly perTryTimeoutMs: number;
  readonly panicPercent: number;
  readonly healthEndsEjection: boolean;
  readonly followsUser: boolean;
  readonly multiplexed: boolean;
  readonly counters = new Float64Array(COUNTERS);
  readonly window = new Histogram();
  readonly total = new Histogram();
  readonly interval = new Histogram();
  latencySum = 0;
  /** Of all its instances, by a fault. */
  slowFactor = 1;
  faultErrorShare = 0;
  targetInstances: number;
  settings: ServiceSettings;
  /** Percent by region number; and who stands by. */
  weights: Float64Array;
  failover: readonly number[];
  localities: readonly Locality[] = [];

  constructor(options: PlaceOptions) {
    const { service, place } = options;
    this.number = options.number;
    this.service = service.name;
    this.region = options.region;
    this.serviceNumber = options.serviceNumber;
    this.regionNumber = options.regionNumber;
    this.instances = options.instances;
    this.gateways = options.gateways;
    this.firstView = options.firstView;
    this.work = options.work;
    this.stages = options.stages;
    this.holdsWorker = service.holdsWorker ?? true;
    this.dropsAbandoned = service.dropsAbandoned ?? false;
    this.errorShare = service.errorShare ?? 0;
    this.behindInbound = place.behindInbound;
    this.retryOn = retryBits(place);
    this.backOffBaseMs = place.backOff?.baseMs ?? 5;
    this.backOffMostMs = place.backOff?.maxMs ?? 50;
    this.perTryTimeoutMs = place.perTryTimeoutMs ?? 0;
    this.panicPercent = place.panicThresholdPercent ?? 0;
    this.healthEndsEjection = place.healthCheckEndsEjection ?? true;
    this.followsUser = place.affinity ?? false;
    this.multiplexed = place.multiplexed ?? false;
    this.targetInstances = place.instances.length;
    this.settings = place.settings;
    this.weights = options.weights;
    this.failover = options.failover;
    this.localities = localitiesOf(this);
  }

  /** Somebody answers there. */
  isUp(): boolean {
    return this.instances.some((instance) => instance.state === 'ready');
  }
}

export interface PlaceOptions {
  number: number;
  region: string;
  serviceNumber: number;
  regionNumber: number;
  service: TwinService;
  place: TwinPlace;
  instances: Instance[];
  gateways: readonly number[];
  firstView: number;
  work: WorkTime;
  stages: readonly (readonly StageCall[])[];
  weights: Float64Array;
  failover: readonly number[];
}

/**
 * Priorities and localities as `mesh/envoy/endpoints.ts` renders them: regions with weight share priority 0, our zones
 * by their instances; regions without weight stand by in priorities of their own, our own region first.
 */
export function localitiesOf(place: Place): Locality[] {
  const { weights, regionNumber, gateways, instances, failover } = place;
  const members = instances.filter((instance) => instance.index < place.targetInstances);
  const zones = [...new Set(members.map((instance) => instance.zone))].map((zone) =>
    members.filter((instance) => instance.zone === zone).map((instance) => instance.index),
  );
  const hostsOf = (region: number): (readonly number[])[] =>
    region === regionNumber ? zones : [[instances.length + gateways.indexOf(region)]];
  const localities: Locality[] = [];
  const add = (region: number, priority: number, percent: number): void => {
    const groups = hostsOf(region);
    const all = groups.reduce((sum, hosts) => sum + hosts.length, 0);
    for (const hosts of groups) localities.push({ priority, weight: (percent * hosts.length) / all, hosts });
  };
  const weighted = [regionNumber, ...gateways].filter((region) => weights[region]! > 0);
  for (const region of weighted) add(region, 0, weights[region]!);
  const waiting = [regionNumber, ...failover].filter((region) => !(weights[region]! > 0));
  waiting.forEach((region, i) => add(region, i + (weighted.length > 0 ? 1 : 0), 1));
  return localities;
}

function retryBits({ retryOn }: TwinPlace): number {
  const bits = { connect: RETRY_CONNECT, failure: RETRY_FAILURE, overload: RETRY_OVERLOAD, perTry: RETRY_PER_TRY };
  return (retryOn ?? ['connect']).reduce((all, one) => all | bits[one], 0);
}
