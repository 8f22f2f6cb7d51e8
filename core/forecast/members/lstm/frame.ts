import type { Scale } from '../scale.js';
import { logScale } from '../scale.js';
import type { NetworkTask } from './inputs.js';
import { cellInputs, leadInputs, windowOf } from './inputs.js';
import type { NetworkInput } from './network.js';

// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { abs, ceil, cos, sin } = Math;

/** A service as networks are shown it: demand, and what is known beside it. */
export interface ServiceView {
  startMs: number;
  values: Float64Array;
  /** By regressor of the task, standardised: over the history and as far ahead as is known. */
  known: readonly Float64Array[];
}

/** The service as it looks from one origin: nothing at or behind it is in here but what is known ahead. */
export interface Frame {
  view: ServiceView;
  task: NetworkTask;
  /** Index of the first step that is not known. */
  origin: number;
  /** Scaled values of the last steps before the origin. */
  recent: Float64Array;
  scale: Scale;
  /** In scaled values: level and spread of the last long season. */
  level: number;
  deviation: number;
  /** In scaled values: how far a seasonal naive is off here; the unit of what the network puts out. */
  unit: number;
  short: number;
  /** The longest season that the history allows; the shortest one at least. */
  long: number;
  /** Weight of the short naive in the base, 0–1; the rest is the long one's. */
  shortShare: number;
}

/** Long seasons that are looked back on. */
const LOOK_BACK_SEASONS = 3;
/** Seasons that a mean naive is the mean of. */
const MEAN_SEASONS = 7;
/** Farthest that an input goes from zero, in its unit. */
const MOST_INPUT = 6;
const LEAST_UNIT_SHARE = 0.02;
const LEAST_UNIT = 1e-4;

/** Least history that a forecast can be made from. */
export function leastHistory(seasons: readonly number[]): number {
  return 2 * (seasons[0] ?? 1) + 1;
}

export function frameAt(view: ServiceView, origin: number, task: NetworkTask): Frame {
  const short = task.seasons[0] ?? 1;
  const long = task.seasons.findLast((season) => season + short <= origin) ?? short;
  const raw = view.values.subarray(Math.max(0, origin - LOOK_BACK_SEASONS * long), origin);
  const scale = logScale(Array.from(raw.subarray(-long)));
  const recent = raw.map((value) => scale.to(value));
  const last = recent.subarray(-long);
  const level = meanOf(last);
  const deviation = Math.sqrt(last.reduce((sum, value) => sum + (value - level) ** 2, 0) / last.length);
  const errors = [short, long].map((season) => naiveError(recent, season, long));
  const [shortError = 0, longError = 0] = errors;
  const unit = Math.max(Math.min(shortError, longError), LEAST_UNIT_SHARE * deviation, LEAST_UNIT);
  const together = shortError ** 2 + longError ** 2;
  const shortShare = together > 0 ? longError ** 2 / together : 0.5;
  return {
    view,
    task,
    origin,
    recent,
    scale,
    level,
    deviation: Math.max(deviation, LEAST_UNIT),
    unit,
    short,
    long,
    shortShare,
  };
}

/** What the network is asked for some leads (counted from 1), and the naive forecasts that its answers correct. */
export function inputsAt(frame: Frame, leads: readonly number[]): { input: NetworkInput; bases: Float64Array } {
  const width = leadInputs(frame.task).length;
  const known = new Float64Array(leads.length * width);
  const bases = new Float64Array(leads.length);
  for (const [index, lead] of leads.entries()) {
    const row = known.subarray(index * width, (index + 1) * width);
    bases[index] = fillLead(frame, lead, row);
  }
  return { input: { window: windowAt(frame), known, leads: leads.length }, bases };
}

/** Corrected by so many units, the naive forecast as demand. Never far outside of what the service has seen lately. */
export function demandAt({ recent, unit, scale }: Frame, base: number, correction: number): number {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of recent) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const margin = unit + (highest - lowest) / 4;
  const value = base + unit * correction;
  return Math.max(0, scale.from(Math.min(highest + margin, Math.max(lowest - margin, value))));
}

/** Mean absolute change to one short season before, as demand, over what the frame looks back on. */
export function naiveErrorOf({ view, origin, recent, short }: Frame): number {
  return naiveError(view.values.subarray(origin - recent.length, origin), short, recent.length);
}

function windowAt(frame: Frame): Float64Array {
  const { task, view, origin, recent, short, long, level, deviation, unit } = frame;
  const { cells, stride } = windowOf(task.seasons);
  const width = cellInputs(task).length;
  const window = new Float64Array(cells * width);
  for (let cell = 0; cell < cells; cell++) {
    const row = window.subarray(cell * width, (cell + 1) * width);
    const to = recent.length - (cells - 1 - cell) * stride;
    // A cell from before the history is empty: all of its inputs are zero.
    if (to - stride < 0) continue;
    const value = meanOf(recent.subarray(to - stride, to));
    const change = (season: number): number =>
      to - stride < season ? 0 : bounded((value - meanOf(recent.subarray(to - stride - season, to - season))) / unit);
    const step = origin - (recent.length - to) - 1;
    let at = 0;
    row[at++] = bounded((value - level) / deviation);
    row[at++] = change(short);
    row[at++] = change(long);
    at = fillClock(frame, step - (stride - 1) / 2, row, at);
    for (const values of view.known) {
      const now = values[step] ?? 0;
      row[at++] = now;
      row[at++] = now - (values[step - long] ?? now);
    }
  }
  return window;
}

/** Fills one row of the decoder's inputs; gives the base in scaled values. */
function fillLead(frame: Frame, lead: number, row: Float64Array): number {
  const { task, view, origin, recent, short, long, shortShare, level, deviation, unit } = frame;
  const back = (season: number, times = 0): number | undefined =>
    recent[recent.length + lead - 1 - season * (ceil(lead / season) + times)];
  const meanBack = (season: number, fallback: number): number => {
    let sum = fallback;
    let count = 1;
    for (let times = 1; times < MEAN_SEASONS; times++) {
      const value = back(season, times);
      if (value === undefined) break;
      sum += value;
      count++;
    }
    return sum / count;
  };
  const shortNaive = back(short) ?? level;
  const longNaive = back(long) ?? shortNaive;
  const base = shortShare * shortNaive + (1 - shortShare) * longNaive;
  const inUnits = (value: number): number => bounded((value - base) / unit);
  let at = 0;
  row[at++] = bounded((base - level) / deviation);
  row[at++] = inUnits(shortNaive);
  row[at++] = inUnits(longNaive);
  row[at++] = inUnits(meanBack(long, longNaive));
  row[at++] = inUnits(meanBack(short, shortNaive));
  row[at++] = Math.min(1, lead / task.horizonSteps);
  row[at++] = Math.log1p(Math.min(lead, task.horizonSteps) / short);
  row[at++] = bounded(Math.log(unit / deviation));
  row[at++] = 2 * shortShare - 1;
  const step = origin + lead - 1;
  at = fillClock(frame, step, row, at);
  for (const values of view.known) {
    const now = values[step] ?? 0;
    row[at++] = now;
    for (const season of [short, long]) row[at++] = now - (values[step - season * ceil(lead / season)] ?? now);
  }
  return base;
}

function fillClock({ view, task }: Frame, step: number, row: Float64Array, from: number): number {
  let at = from;
  const count = view.startMs / (1000 * task.stepSeconds) + step;
  for (const season of task.seasons) {
    const angle = (2 * Math.PI * (count % season)) / season;
    row[at++] = sin(angle);
    row[at++] = cos(angle);
  }
  return at;
}

/** Mean absolute change of the last `steps` steps to one season before. */
function naiveError(values: Float64Array, season: number, steps: number): number {
  const count = Math.min(steps, values.length - season);
  let sum = 0;
  for (let at = values.length - count; at < values.length; at++) {
    sum += abs((values[at] ?? 0) - (values[at - season] ?? 0));
  }
  return sum / count;
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function bounded(value: number): number {
  if (value > MOST_INPUT) return MOST_INPUT;
  return value < -MOST_INPUT ? -MOST_INPUT : value;
}
