import type { AdmissionRequest, AdmissionResponse } from '../control.js';
import { LANE, event } from './codes.js';
import type { Entry } from './entry.js';
import { Conveyor, EventQueue, Ring } from './eventQueue.js';
import { PURPOSE, mix, uniform } from './hash.js';
import type { Instance } from './instance.js';
import { Lane } from './lane.js';
import type { LaneKind } from './lane.js';
import type { Place } from './place.js';
import { AttemptPool, CallPool } from './pools.js';
import type { View } from './view.js';

/** Everything that changes while a run goes on. */
export class World {
  now = 0;
  readonly queue = new EventQueue();
  /** What happens at this very moment, in the order in which it was said. */
  readonly soon = new Ring();
  /** What is on its way within our own region, where all ways are of one length: two of three events. */
  readonly near = new Conveyor();
  private nearMs = 0;
  readonly calls = new CallPool();
  readonly attempts = new AttemptPool();
  readonly lanes: Lane[] = [];
  readonly regions: readonly RegionState[];
  readonly services: number;
  /** By region × services + service. */
  readonly places: (Place | undefined)[];
  readonly views: View[] = [];
  readonly instances: Instance[] = [];
  readonly entries: Entry[] = [];
  readonly users: number;
  /** One way, by region × regions + region; what is added at random at most. */
  readonly wayMs: Float64Array;
  readonly jitterMs: Float64Array;
  /** View × stride + host is an event's number. */
  hostStride = 1;
  events = 0;
  serviceCalls = 0;
  /** Controls look at histograms of their own. */
  isControlled = false;
  readonly request: AdmissionRequest = { nowMs: 0, inFlight: 0, entry: 0, attempt: 1, key: 0 };
  readonly response: AdmissionResponse = { nowMs: 0, latencyMs: 0, outcome: 'ok', inFlight: 0, entry: 0, key: 0 };

  constructor(regions: readonly RegionState[], services: number, users: number) {
    this.regions = regions;
    this.services = services;
    this.users = users;
    this.places = Array.from({ length: regions.length * services }, () => undefined);
    this.wayMs = new Float64Array(regions.length * regions.length);
    this.jitterMs = new Float64Array(regions.length * regions.length);
    this.nearMs = regions[0]?.networkMs ?? 0;
    regions.forEach((region, i) => (this.wayMs[i * regions.length + i] = region.networkMs));
  }

  lane(kind: LaneKind, delayMs: number): Lane {
    const found = this.lanes.find((lane) => lane.kind === kind && lane.delayMs === delayMs);
    if (found !== undefined) return found;
    const lane = new Lane(this.lanes.length, kind, delayMs);
    this.lanes.push(lane);
    return lane;
  }

  /** Sets a deadline `lane.delayMs` from now. */
  setDeadline(lane: Lane, item: number, stamp: number): void {
    const due = this.now + lane.delayMs;
    if (!lane.isScheduled) this.queue.push(due, event(LANE, lane.number));
    lane.isScheduled = true;
    lane.push(due, item, stamp);
  }

  /** Ms from a proxy of a view's region to one of its hosts, one way. */
  wayTo(view: View, host: number, key: number): number {
    const { place } = view;
    const from = place.regionNumber;
    const local = host < place.instances.length;
    const way = from * this.regions.length + (local ? from : place.gateways[host - place.instances.length]!);
    const jitter = this.jitterMs[way]!;
    return jitter === 0 ? this.wayMs[way]! : this.wayMs[way]! + jitter * uniform(mix(key, PURPOSE.jitter), host);
  }

  /** At once, or as an event. */
  after(delayMs: number, what: number): void {
    if (delayMs === 0) this.soon.push(what);
    else if (delayMs !== this.nearMs || !this.near.push(this.now + delayMs, what)) {
      this.queue.push(this.now + delayMs, what);
    }
  }
}

export interface RegionState {
  name: string;
  proxies: number;
  networkMs: number;
}
