import { sojournOf, workOf } from '../plan/capacity/sojourn.js';
import type { ServiceWork } from '../plan/capacity/sojourn.js';
import type { LbPolicy } from '../spec/settings.js';
import type { ServiceTime } from './model.js';
import { timeOf } from './serviceTime.js';

/** What was seen of a service at one load. */
export interface SeenLoad {
  /** Ready. */
  instances: number;
  /** Over all of them. */
  rps: number;
  p50Ms: number;
  p99Ms: number;
  /** Busy workers over workers, 0–1, where it is known. */
  utilisation?: number;
  /** Requests at work or waiting, over all instances, where it is known. */
  inFlight?: number;
}

export interface CalibrationContext {
  policy: LbPolicy;
  proxies: number;
  /** Workers of an instance, where they are known. */
  workers?: number;
  /** Of every latency, what is neither waiting nor work: network, proxies. Absent: 0. */
  overheadMs?: number;
}

export interface CalibratedService {
  time: ServiceTime;
  workers: number;
  meanMs: number;
  cv: number;
  /** Root mean square of ln(seen ÷ expected) of latencies and utilisations, these weighted. */
  misfit: number;
}

/** Tried first; then finer around the best. */
const WORKERS = [1, 2, 4, 8, 16, 32, 64, 128];
const CVS = [0, 0.4, 0.8, 1.2, 2, 3];
const FEWEST_LOADS = 3;
const GOLDEN = 0.618;

/**
 * Service time and workers whose queues show what was seen: the p50 and p99 at each load, and how busy instances were
 * where that is known. Searched over workers and CVs, and the mean at each. Absent with fewer than three loads: a service
 * time and a wait cannot be told apart. The queues are those of the plan (ADR 0018); the calibration test recovers the
 * parameters of the twin's own output from loads between 0.4 and 0.85 within 10 % of the mean (3 % where it is known how
 * busy instances were), 0.2 of the CV and the number of workers.
 */
export function calibrateService(
  loads: readonly SeenLoad[],
  context: CalibrationContext,
): CalibratedService | undefined {
  if (loads.length < FEWEST_LOADS) return undefined;
  const overhead = context.overheadMs ?? 0;
  const seen = loads.map((load) => ({
    ...load,
    p50Ms: Math.max(1e-3, load.p50Ms - overhead),
    p99Ms: Math.max(1e-3, load.p99Ms - overhead),
  }));
  let best: Fit | undefined;
  const tryOut = (workers: number, cv: number): void => {
    const fit = fitMean(seen, context, workers, cv);
    if (best === undefined || fit.error < best.error) best = fit;
  };
  for (const workers of context.workers === undefined ? WORKERS : [context.workers]) {
    for (const cv of CVS) tryOut(workers, cv);
  }
  for (let finer = 1; finer <= 4; finer++) {
    const { workers, cv } = best!;
    const [more, by] = [Math.max(1, Math.round(workers / 2 ** finer)), 0.4 / 2 ** finer];
    const near = context.workers === undefined ? [workers - more, workers, workers + more] : [workers];
    for (const other of near)
      for (const spread of [cv - by, cv, cv + by]) if (other >= 1 && spread >= 0) tryOut(other, spread);
  }
  const { meanMs, cv, workers, error } = best!;
  return { time: timeOf(meanMs, cv), workers, meanMs, cv, misfit: Math.sqrt(error) };
}

interface Fit {
  workers: number;
  cv: number;
  meanMs: number;
  error: number;
}

/** Golden section in the logarithm of the mean: the error has one valley. */
function fitMean(seen: readonly SeenLoad[], context: CalibrationContext, workers: number, cv: number): Fit {
  const work = workOf(cv, workers);
  const errorAt = (logMean: number): number => errorOf(seen, context, workers, cv, work, Math.exp(logMean));
  const least = Math.min(...seen.map(({ p50Ms }) => p50Ms));
  // No mean is so long that all workers together could not do what was done.
  const longest = Math.min(...seen.map(({ instances, rps }) => (1000 * instances * workers) / Math.max(rps, 1e-9)));
  let low = Math.log(least / 4);
  let high = Math.log(Math.max(least / 3, Math.min(4 * least, 0.999 * longest)));
  let [a, b] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [errorA, errorB] = [errorAt(a), errorAt(b)];
  for (let i = 0; i < 14; i++) {
    if (errorA < errorB) {
      [high, b, errorB] = [b, a, errorA];
      a = high - GOLDEN * (high - low);
      errorA = errorAt(a);
    } else {
      [low, a, errorA] = [a, b, errorB];
      b = low + GOLDEN * (high - low);
      errorB = errorAt(b);
    }
  }
  const logMean = (low + high) / 2;
  return { workers, cv, meanMs: Math.exp(logMean), error: errorAt(logMean) };
}

/**
 * How busy instances are says the mean to 1–2 % in some ten thousand requests, while quantiles under queues say it to
 * 5–10 %: errors count by their precision.
 */
const UTILISATION_WEIGHT = 16;
/** What a factor e of a time does to the logarithm of the part that takes longer, at the p50 and at the p99. */
const SLOPES = { p50: 0.7, p99: 3 };

function errorOf(
  seen: readonly SeenLoad[],
  { policy, proxies }: CalibrationContext,
  workers: number,
  serviceTimeCv: number,
  work: ServiceWork,
  meanMs: number,
): number {
  let sum = 0;
  let count = 0;
  const add = (error: number, weight = 1): void => {
    sum += weight * Math.min(4, error * error);
    count += weight;
  };
  for (const { instances, rps, p50Ms, p99Ms, utilisation, inFlight } of seen) {
    const busy = (rps * meanMs) / (1000 * instances * workers);
    const setting = { policy, instances, concurrency: workers, proxies, serviceTimeCv, arrivalCv2: 1 };
    const tail = sojournOf(setting, work).tailAt(busy);
    add(Math.log(Math.max(1e-9, tail(p50Ms / meanMs)) / 0.5) / SLOPES.p50);
    add(Math.log(Math.max(1e-9, tail(p99Ms / meanMs)) / 0.01) / SLOPES.p99);
    if (utilisation !== undefined && utilisation > 0) add(Math.log(busy / utilisation), UTILISATION_WEIGHT);
    // Never fewer are there than are worked on.
    if (inFlight !== undefined && inFlight > 0) add(Math.max(0, Math.log((busy * instances * workers) / inFlight)));
  }
  return sum / count;
}
