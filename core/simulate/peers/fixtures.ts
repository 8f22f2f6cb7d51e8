import { oneRegion, place, service } from '../fixtures.js';
import type { PlaceSketch } from '../fixtures.js';
import type { TwinCall, TwinDemand, TwinFault, TwinModel } from '../model.js';
import type { PolicyParams, TwinPolicy } from '../policy.js';
import type { TwinResult, TwinSlice } from '../result.js';
import { simulate } from '../simulate.js';

/** Two instances of eight workers, 20 ms of work each: 800 requests per second, to be answered in 200 ms. */
export const CAPACITY_RPS = 800;

export function bottleneck(): TwinModel {
  const model = oneRegion([service('a', { kind: 'exponential', meanMs: 20 }, { instances: 2, workers: 8 })], 2);
  return { ...model, entries: [{ name: 'users', service: 'a', deadlineMs: 200, value: 1 }] };
}

/**
 * Two ways in share `front` (400 requests per second). `deep` goes on through `mid` to `store`, which takes 40; `flat`
 * goes on to `side`, which takes all.
 */
export function deepBottleneck(): TwinModel {
  const work = { kind: 'exponential', meanMs: 10 } as const;
  const free = { holdsWorker: false };
  const calls: TwinCall[] = [
    { service: 'mid', callsPerRequest: 0, byEntry: { deep: 1 } },
    { service: 'side', callsPerRequest: 0, byEntry: { flat: 1 } },
  ];
  const store = [[{ service: 'store', callsPerRequest: 1 }]];
  const model = oneRegion(
    [
      service('front', work, { instances: 2, workers: 2 }, { ...free, stages: [calls] }),
      service('mid', work, { instances: 2, workers: 2 }, { ...free, stages: store }),
      service('side', work, { instances: 4, workers: 2 }, free),
      service('store', { kind: 'exponential', meanMs: 50 }, { workers: 2 }, free),
    ],
    2,
  );
  const entry = (name: string): TwinModel['entries'][number] => ({ name, service: 'front', deadlineMs: 500, value: 1 });
  return { ...model, entries: [entry('deep'), entry('flat')] };
}

/** `bottleneck` with two neighbours that run the same: `near` 5 ms away, `far` 40 ms. */
export function threeRegions(): TwinModel {
  const model = bottleneck();
  const [a] = model.services;
  const like = (region: string): ReturnType<typeof place> => place(region, { instances: 2, workers: 8 });
  return {
    ...model,
    regions: [...model.regions, { name: 'far', proxies: 1 }, { name: 'near', proxies: 1 }],
    network: [
      { between: ['here', 'far'], oneWayMs: 40 },
      { between: ['near', 'here'], oneWayMs: 5 },
    ],
    services: [{ ...a!, places: { ...a!.places, far: like('far'), near: like('near') } }],
  };
}

/** An instance takes 100 requests per second. */
export function growing(instances: number): TwinModel {
  const here = { instances, workers: 4, startupMs: 10_000, change: { maxInstances: 20 } };
  const model = oneRegion([service('a', { kind: 'exponential', meanMs: 40 }, here)], 2);
  return { ...model, entries: [{ name: 'users', service: 'a', deadlineMs: 400, value: 1 }] };
}

/** `a` calls `b`, and `c` for every other request. */
export function threeTiers(): TwinModel {
  const here = (instances: number): PlaceSketch => {
    return { instances, workers: 2, startupMs: 10_000, change: { maxInstances: 5 * instances } };
  };
  const calls = [
    { service: 'b', callsPerRequest: 1 },
    { service: 'c', callsPerRequest: 0.5 },
  ];
  const model = oneRegion(
    [
      service('a', { kind: 'exponential', meanMs: 10 }, here(4), { holdsWorker: false, stages: [calls] }),
      service('b', { kind: 'lognormal', meanMs: 30, cv: 1 }, here(8)),
      service('c', { kind: 'exponential', meanMs: 20 }, here(4)),
    ],
    2,
  );
  return { ...model, entries: [{ name: 'users', service: 'a', deadlineMs: 400, value: 1 }] };
}

export interface PeerRun {
  model: TwinModel;
  demand: TwinDemand;
  durationMs: number;
  faults?: readonly TwinFault[];
  warmUpMs?: number;
  windowMs?: number;
  params?: PolicyParams;
  seed?: number;
}

/** A policy by the first of its sets, unless `params` says otherwise. */
export function run(policy: TwinPolicy, { params, seed = 1, model, ...rest }: PeerRun): TwinResult {
  const made = policy.create({ model, seed, params: params ?? policy.grid[0]! });
  return simulate({ ...rest, ...made, seed });
}

/** Rates by entry: one number stays, pairs are points straight between. */
export function demandOf(rates: Readonly<Record<string, number | readonly (readonly [number, number])[]>>): TwinDemand {
  return {
    entries: Object.entries(rates).map(([entry, rate]) => {
      const points = typeof rate === 'number' ? [[0, rate] as const] : rate;
      return { entry, shape: 'linear' as const, points: points.map(([atMs, rps]) => ({ atMs, rps })) };
    }),
  };
}

/** Users' requests answered in time, of all entries. */
export function good({ entries }: TwinSlice): number {
  return entries.reduce((sum, { withinDeadline }) => sum + withinDeadline, 0);
}

export function offered({ entries }: TwinSlice): number {
  return entries.reduce((sum, one) => sum + one.offered, 0);
}
