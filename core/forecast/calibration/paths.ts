import type { HeldOut } from '../ensemble/choice.js';
import type { Curves } from '../curves.js';
import type { ErrorShape, ForecastPaths } from '../../spec/forecastPaths.js';
import { errorShapes, levelDependence, normalScores } from './pathErrors.js';
import { marginsAt } from './pathMargins.js';
import { createRandom, normal } from '../random.js';

export interface PathsInput {
  /** What each origin of a service's back-test held out; from lead 1. */
  services: readonly { service: string; heldOut: readonly HeldOut[] }[];
  shortestSeason: number;
  seed: number;
  /** At least 200 for a plan, which is the default. */
  paths?: number;
}

/** Demand of one service, rps: `values[path × steps + step]`. */
export interface DemandPaths {
  paths: number;
  steps: number;
  values: Float32Array;
}

const DEFAULT_PATHS = 200;
/** Errors, around 1 in size, are told apart to a ten millionth. */
const KEY_SCALE = 1e7;
/** Mean length of a block in shortest seasons: errors that return at the same hour of the next day do so in a path. */
const BLOCK_SEASONS = 2;

/**
 * How errors were seen to move. A path takes from each origin of the back-test a random part of its level, which stays
 * over the horizon, and for what varies around it blocks of consecutive leads of one origin: the same draws for all
 * services, so that what moved together does again.
 */
export function samplePaths({ services, shortestSeason, seed, paths = DEFAULT_PATHS }: PathsInput): ForecastPaths {
  const originsMs = commonOrigins(services.map(({ heldOut }) => heldOut));
  const shapes = errorShapes(
    services.map(({ heldOut }) => aligned(heldOut, normalScores(heldOut, shortestSeason), originsMs)),
  );
  const testedSteps = shapes.reduce(
    (most, { around }) => around.reduce((steps, scores) => Math.max(steps, scores.length), most),
    1,
  );
  return {
    seed,
    paths,
    origins: originsMs.length,
    testedSteps,
    blockSteps: Math.max(1, Math.min(testedSteps, BLOCK_SEASONS * shortestSeason)),
    dependence: levelDependence(shapes.map(({ levels }) => levels)),
    services: services.map(({ service }, index) => ({ service, ...(shapes[index] ?? NO_ERRORS) })),
  };
}

const NO_ERRORS: ErrorShape = { share: 0, levels: [], around: [] };

/**
 * Paths of one service: at each step its own calibrated quantiles, in the order that the errors put them in (Schaake
 * shuffle, Clark et al. 2004). A service that no errors are known of goes its own way.
 */
export function expandPaths(plan: ForecastPaths, service: string, quantiles: Curves): DemandPaths {
  const { paths } = plan;
  const steps = quantiles.p50.length;
  const shape = plan.services.find((one) => one.service === service) ?? NO_ERRORS;
  const errors = pathErrors(plan, service, shape, steps);
  const margins = marginsAt(Array.from({ length: paths }, (_, rank) => (rank + 0.5) / paths));
  const values = new Float32Array(paths * steps);
  const keys = new Float64Array(paths);
  for (let step = 0; step < steps; step++) {
    // The path in the last digits of its error: numbers alone are sorted many times as fast as pairs.
    for (let path = 0; path < paths; path++) {
      keys[path] = Math.round(KEY_SCALE * (errors[path * steps + step] ?? 0)) * paths + path;
    }
    const byRank = margins(quantiles, step);
    keys.sort();
    for (let rank = 0; rank < paths; rank++) {
      const path = (((keys[rank] ?? 0) % paths) + paths) % paths;
      values[path * steps + step] = byRank[rank] ?? 0;
    }
  }
  return { paths, steps, values };
}

/** Quantile over the paths of the highest demand within `steps` steps from `fromStep`, rps. */
export function peakQuantile(
  { paths, steps, values }: DemandPaths,
  fromStep: number,
  windowSteps: number,
  level: number,
): number {
  const peaks = new Float64Array(paths);
  for (let path = 0; path < paths; path++) {
    let peak = 0;
    for (let step = fromStep; step < Math.min(steps, fromStep + windowSteps); step++) {
      peak = Math.max(peak, values[path * steps + step] ?? 0);
    }
    peaks[path] = peak;
  }
  peaks.sort();
  const place = Math.min(paths - 1, Math.max(0, (paths + 1) * level - 1));
  const below = Math.floor(place);
  const low = peaks[below] ?? 0;
  return low + (place - below) * ((peaks[below + 1] ?? low) - low);
}

/** Weighted sum, path by path: what several services ask of one that they call. Services without paths add nothing. */
export function combinePaths(
  pathsByService: ReadonlyMap<string, DemandPaths>,
  weights: ReadonlyMap<string, number>,
): DemandPaths {
  const used = [...weights].flatMap(([service, weight]) => {
    const own = pathsByService.get(service);
    return own === undefined ? [] : [{ own, weight }];
  });
  const [first] = used;
  if (first === undefined) return { paths: 0, steps: 0, values: new Float32Array() };
  const { paths, steps } = first.own;
  const values = new Float32Array(paths * steps);
  for (const { own, weight } of used) {
    if (own.paths !== paths || own.steps !== steps) throw new Error('paths of different shapes do not add up');
    for (let index = 0; index < values.length; index++) {
      values[index] = (values[index] ?? 0) + weight * (own.values[index] ?? 0);
    }
  }
  return { paths, steps, values };
}

/** Errors on a normal scale: those of a path are the same for all services but for the part of the level that is own. */
function pathErrors(
  plan: ForecastPaths,
  service: string,
  { share, levels, around }: ErrorShape,
  steps: number,
): Float64Array {
  const errors = new Float64Array(plan.paths * steps);
  const own = createRandom(plan.seed ^ textHash(service));
  const common = Math.sqrt(plan.dependence);
  for (let path = 0; path < plan.paths; path++) {
    const random = createRandom(plan.seed + Math.imul(path + 1, 0x9e3779b1));
    let level = 0;
    for (let origin = 0; origin < plan.origins; origin++) level += normal(random) * (levels[origin] ?? 0);
    const known = levels.some((value) => value !== 0);
    const stays = known ? common * level + Math.sqrt(1 - plan.dependence) * normal(own) : normal(own);
    let step = 0;
    while (step < steps) {
      const length = Math.min(plan.testedSteps, 1 + Math.floor(2 * plan.blockSteps * random()));
      const origin = Math.floor(plan.origins * random());
      const start = Math.floor((plan.testedSteps - length + 1) * random());
      const scores = around[origin] ?? [];
      for (let offset = 0; offset < length && step < steps; offset++, step++) {
        const score = scores.length > 0 ? (scores[(start + offset) % scores.length] ?? 0) / 100 : 0;
        errors[path * steps + step] = Math.sqrt(share) * stays + Math.sqrt(1 - share) * score;
      }
    }
  }
  return errors;
}

/** The origins that most services were tested from, milliseconds, rising. */
function commonOrigins(all: readonly (readonly HeldOut[])[]): number[] {
  const counted = new Map<string, { originsMs: number[]; services: number }>();
  for (const heldOut of all) {
    const originsMs = heldOut.map(({ originMs }) => originMs);
    const key = originsMs.join();
    const known = counted.get(key);
    if (known === undefined) counted.set(key, { originsMs, services: 1 });
    else known.services++;
  }
  let most = { originsMs: [] as number[], services: 0 };
  for (const one of counted.values()) if (one.originsMs.length > 0 && one.services > most.services) most = one;
  return most.originsMs;
}

/** Scores by common origin: of the same time where there is one, else of the same place counted from the end. */
function aligned(
  heldOut: readonly HeldOut[],
  scores: readonly (readonly number[])[],
  originsMs: readonly number[],
): (readonly number[])[] {
  if (scores.length === 0) return [];
  return originsMs.map((originMs, index) => {
    const same = heldOut.findIndex((one) => one.originMs === originMs);
    const place = (scores.length * originsMs.length - (originsMs.length - index)) % scores.length;
    return scores[same >= 0 ? same : place] ?? [];
  });
}

/** FNV-1a, so that a service's own part depends on its name and not on its place. */
function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash | 0;
}
