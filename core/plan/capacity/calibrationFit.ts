import type { CalibrationContext, StatedCapacity } from './calibrate.js';
import { assumedServiceTimeCv } from './capacityCurve.js';
import { sojournOf, sojournQuantile, workOf } from './sojourn.js';
import type { ServiceWork, Sojourn } from './sojourn.js';

/** One record with a latency. */
export interface Seen {
  instances: number;
  instanceRps: number;
  p99Ms: number;
}

export interface FittedQueue {
  serviceTimeMs: number;
  concurrency: number;
  /** 0–1 */
  confidence: number;
}

/** Records are merged into so many levels of load: more say the same. */
const LEVELS = 12;
/** Factors on what is stated that are tried, by halves of an octave, then finer around the best. */
const OCTAVES = 2;
/** A queue that does not fit better than this (mean error of the logarithm) is not believed. */
const WORST_ERROR = 0.35;
/** Weight of the stated values against the mean squared error: they decide where records cannot tell. */
const PRIOR = 0.002;

/**
 * Service time and workers whose queues show the p99 that was seen at each load, by a search on a grid around what is
 * stated. Absent with fewer than three levels of load.
 */
export function fitQueue(
  stated: StatedCapacity,
  context: CalibrationContext,
  records: readonly Seen[],
): FittedQueue | undefined {
  const levels = mergeLevels(records);
  if (levels.length < 3) return undefined;
  const cv = stated.serviceTimeCv ?? assumedServiceTimeCv(stated.serviceTimeMs, context.sloP99Ms);
  const works = new Map<number, ServiceWork>();
  const errorAt = (time: number, workers: number): number => {
    const concurrency = Math.max(1, Math.round(stated.concurrency * 2 ** workers));
    const candidate = { serviceTimeMs: stated.serviceTimeMs * 2 ** time, concurrency };
    const work = works.get(concurrency) ?? workOf(cv, concurrency);
    works.set(concurrency, work);
    return errorOf(candidate, cv, work, context, levels) + PRIOR * (time * time + workers * workers);
  };
  let best = { time: 0, workers: 0, error: Infinity };
  for (let step = 0.5, reach = OCTAVES; step >= 0.06; reach = step, step /= 2) {
    const centre = best;
    for (let time = -reach; time <= reach; time += step) {
      for (let workers = -reach; workers <= reach; workers += step) {
        const at = { time: centre.time + time, workers: centre.workers + workers };
        const error = errorAt(at.time, at.workers);
        if (error < best.error) best = { ...at, error };
      }
    }
  }
  const misfit = Math.sqrt(Math.max(0, best.error - PRIOR * (best.time ** 2 + best.workers ** 2)));
  if (!(misfit < WORST_ERROR)) return undefined;
  const serviceTimeMs = stated.serviceTimeMs * 2 ** best.time;
  const concurrency = Math.max(1, Math.round(stated.concurrency * 2 ** best.workers));
  const busiest = Math.max(...levels.map(({ instanceRps }) => instanceRps)) * (serviceTimeMs / (1000 * concurrency));
  // Workers show only where requests wait: records of idle instances say little about them.
  const reach = Math.min(1, busiest / 0.7);
  const confidence = (records.length / (records.length + 6)) * reach * (1 - misfit / WORST_ERROR);
  return { serviceTimeMs, concurrency, confidence };
}

/** Medians of groups of like load. */
function mergeLevels(records: readonly Seen[]): Seen[] {
  const sorted = [...records].sort((a, b) => a.instanceRps - b.instanceRps || a.p99Ms - b.p99Ms);
  const size = Math.ceil(sorted.length / LEVELS);
  const groups: Seen[] = [];
  for (let from = 0; from < sorted.length; from += size) {
    const group = sorted.slice(from, from + size);
    groups.push({
      instances: Math.round(median(group.map(({ instances }) => instances))),
      instanceRps: median(group.map(({ instanceRps }) => instanceRps)),
      p99Ms: median(group.map(({ p99Ms }) => p99Ms)),
    });
  }
  return groups;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

interface Candidate {
  serviceTimeMs: number;
  concurrency: number;
}

function errorOf(
  { serviceTimeMs, concurrency }: Candidate,
  serviceTimeCv: number,
  work: ServiceWork,
  { policy, clientProxies }: CalibrationContext,
  levels: readonly Seen[],
): number {
  const sojourns = new Map<number, Sojourn>();
  let sum = 0;
  for (const { instances, instanceRps, p99Ms } of levels) {
    const setting = {
      policy,
      instances,
      concurrency,
      proxies: Math.max(1, clientProxies),
      serviceTimeCv,
      arrivalCv2: 1,
    };
    const sojourn = sojourns.get(instances) ?? sojournOf(setting, work);
    sojourns.set(instances, sojourn);
    const utilisation = (instanceRps * serviceTimeMs) / (1000 * concurrency);
    // What was answered cannot be more than what the workers can do.
    if (utilisation * sojourn.fullest >= 0.995) return Infinity;
    const error = Math.log((sojournQuantile(sojourn, utilisation) * serviceTimeMs) / p99Ms);
    sum += Math.min(error * error, 1);
  }
  return sum / levels.length;
}
