import { createRandom } from '../../core/forecast/random.js';
import { endedOf } from '../../core/simulate/compare.js';
import type { TwinModel } from '../../core/simulate/model.js';
import type { TwinResult, TwinSlice } from '../../core/simulate/result.js';
import { reward } from '../../core/tuning/reward.js';
import { median } from '../statistics.js';
import { SURGE } from './demand.js';

export const WINDOW_MS = 10_000;
/** A window violates the SLO when a smaller share than this of what ended in it was answered within the deadline. */
export const SLO_SHARE = 0.99;
/** In the currency of the entries' values. */
const INSTANCE_HOUR = 1;
const GIGABYTE = 0.02;
const GIGABYTES_PER_REQUEST = 0.0001;
const SURGE_HEAD_SECONDS = 60;

/** What one run is judged by; shares are 0–1. */
export interface RunMeasures {
  /** Of windows after the warm-up in which anything ended, 0–100. */
  violatingPercent: number;
  goodputShare: number;
  /** Answered within the deadline, rps. */
  goodputRps: number;
  /** Value of those a second. */
  valuePerSecond: number;
  /** Of what came in the first 60 s of the surge, what was not answered in time. */
  surgeLostShare: number;
  /** Of our own region. */
  instanceSeconds: number;
  /** Value of goodput less instances and egress, over the value of what was offered. */
  reward: number;
}

export type MeasureName = keyof RunMeasures;

export function measuresOf(result: TwinResult, model: TwinModel): RunMeasures {
  const seconds = (result.durationMs - result.warmUpMs) / 1000;
  const windows = result.windows.filter(({ fromMs }) => fromMs >= result.warmUpMs);
  const judged = windows.map(goodShare).filter((share) => share !== null);
  const head = windows.filter(({ fromMs }) => {
    const from = fromMs / 1000 - SURGE.fromSeconds;
    return from >= 0 && from < SURGE_HEAD_SECONDS;
  });
  const good = goodIn(result.totals);
  const came = head.reduce((sum, window) => sum + offeredIn(window), 0);
  const lost = head.reduce((sum, window) => sum + Math.max(0, offeredIn(window) - goodIn(window)), 0);
  return {
    violatingPercent: (100 * judged.filter((share) => share < SLO_SHARE).length) / Math.max(1, judged.length),
    goodputShare: good / Math.max(1, offeredIn(result.totals)),
    goodputRps: good / seconds,
    valuePerSecond: valueOf(result.totals, model, ({ withinDeadline }) => withinDeadline) / seconds,
    surgeLostShare: lost / Math.max(1, came),
    instanceSeconds: instanceSecondsOf(result.totals, model),
    reward: rewardOf(result.totals, model),
  };
}

/** `core/tuning/reward.ts` of a slice, as a share of the worth of what was offered. 1 is all of the value for nothing. */
export function rewardOf(slice: TwinSlice, model: TwinModel): number {
  const own = model.regions[0]?.name ?? '';
  const egress = slice.services.reduce((sum, one) => sum + one.egress, 0);
  const { share } = reward({
    seconds: 1,
    routes: slice.entries.map(({ entry, offered, withinDeadline }, i) => ({
      ...{ region: own, route: entry, offered, withinDeadline, valuePerRequest: model.entries[i]?.value ?? 0 },
    })),
    capacity: [
      { region: own, instanceHours: instanceSecondsOf(slice, model) / 3600, costPerInstanceHour: INSTANCE_HOUR },
    ],
    egress: [{ gigabytes: egress * GIGABYTES_PER_REQUEST, costPerGigabyte: GIGABYTE }],
    changes: { count: 0, costPerChange: 0 },
  });
  return share ?? 0;
}

function instanceSecondsOf({ services }: TwinSlice, model: TwinModel): number {
  const own = model.regions[0]?.name;
  return services.reduce((sum, one) => sum + (one.region === own ? one.instanceSeconds : 0), 0);
}

type Entry = TwinSlice['entries'][number];

function valueOf({ entries }: TwinSlice, model: TwinModel, count: (entry: Entry) => number): number {
  return entries.reduce((sum, entry, i) => sum + count(entry) * (model.entries[i]?.value ?? 0), 0);
}

function sumOf({ entries }: TwinSlice, count: (entry: Entry) => number): number {
  return entries.reduce((all, entry) => all + count(entry), 0);
}

const goodIn = (slice: TwinSlice): number => sumOf(slice, ({ withinDeadline }) => withinDeadline);
const offeredIn = (slice: TwinSlice): number => sumOf(slice, ({ offered }) => offered);

/** Of all that ended; 0 where much came and nothing ended, `null` where nothing came. */
function goodShare(slice: TwinSlice): number | null {
  const ended = sumOf(slice, endedOf);
  if (ended > 0) return goodIn(slice) / ended;
  return offeredIn(slice) > 0 ? 0 : null;
}

export interface MedianInterval {
  low: number;
  median: number;
  high: number;
}

const DRAWS = 1000;

/** The median with the 95 % interval of its bootstrap (percentiles of 1,000 draws); few values give wide ones. */
export function medianInterval(values: readonly number[], seed: number): MedianInterval {
  const random = createRandom(seed);
  const drawn = Array.from({ length: DRAWS }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? NaN)),
  ).sort((a, b) => a - b);
  const at = (share: number): number => drawn[Math.round(share * (DRAWS - 1))] ?? NaN;
  return { low: at(0.025), median: median(values), high: at(0.975) };
}
