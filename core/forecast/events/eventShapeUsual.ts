import type { Occurrence } from './eventShape.js';
import { ZONE_AFTER, ZONE_BEFORE } from './eventShape.js';

/** Seasons on either side whose same steps say what is usual. */
const MOST_SEASONS = 4;
/** Quiet steps on either side of a zone, as a share of the shortest season, that say how its days differ from others. */
const BESIDE = 1;
/** They are looked for no farther away than this many times their number. */
const FARTHEST = 3;
/** How far the level beside a zone is believed to differ from that of the seasons around. */
const MOST_LEVEL = 3;
/** Events that lie closer than this share of the shortest season are one zone. */
const TOGETHER = 1 / 2;
/** Zones that are learned from, the latest: more say no more, and cost. */
const MOST_ZONES = 24;

/** Steps on which events may have acted, by zone: what came, and what would have come without them. */
export interface EventRows {
  /** Index into the history; rising. */
  step: Int32Array;
  zone: Int32Array;
  came: Float64Array;
  /** Above zero; in units of its own mean, as `came` is. */
  usual: Float64Array;
}

type Stretch = readonly [from: number, to: number];

const QUIET = 0;
const IN_ZONE = 1;
const COVERED = 2;
type StepState = typeof QUIET | typeof IN_ZONE | typeof COVERED;

/**
 * Usual demand around events: the same step of the seasons before and after that no event touches, times how the quiet
 * steps beside the zone differ from theirs. Where `quiet` gives the history with earlier found effects taken out, all
 * of its steps serve. A step whose counterparts lie all in events has no row: that is the season's, not the event's.
 */
export function usualRows(
  values: readonly number[],
  seasons: readonly number[],
  occurrences: readonly Occurrence[],
  quiet?: readonly number[],
): EventRows {
  const shortest = seasons[0] ?? 1;
  const season = seasons.findLast((candidate) => candidate * 2 <= values.length) ?? shortest;
  const zones = zonesOf(occurrences, shortest, values.length);
  const state = statesOf(occurrences, zones, values.length);
  const around = (of: readonly number[], step: number, serves: (at: number) => boolean): number | undefined =>
    meanAround(of, step, season, serves);
  const usualAt = (step: number): number | undefined => {
    const seen =
      around(values, step, (at) => state[at] === QUIET) ?? around(values, step, (at) => state[at] === IN_ZONE);
    return seen === undefined || quiet === undefined ? seen : around(quiet, step, () => true);
  };
  const rows: { step: number; zone: number; came: number; usual: number }[] = [];
  for (const [zone, [from, to]] of zones.slice(-MOST_ZONES).entries()) {
    const level = levelBeside(values, state, usualAt, [from, to], Math.round(BESIDE * shortest));
    for (let step = from; step < to; step++) {
      const usual = usualAt(step) ?? 0;
      if (usual > 0) rows.push({ step, zone, came: values[step] ?? 0, usual: usual * level });
    }
  }
  const unit = rows.reduce((sum, { usual }) => sum + usual, 0) / rows.length;
  return {
    step: Int32Array.from(rows, ({ step }) => step),
    zone: Int32Array.from(rows, ({ zone }) => zone),
    came: Float64Array.from(rows, ({ came }) => came / unit),
    usual: Float64Array.from(rows, ({ usual }) => usual / unit),
  };
}

/** Where events may act. Those close together share a zone; where two zones would overlap, they meet in the middle. */
function zonesOf(occurrences: readonly Occurrence[], shortestSeason: number, length: number): Stretch[] {
  const cores: [number, number][] = [];
  for (const { start, end } of [...occurrences].sort((a, b) => a.start - b.start)) {
    const last = cores.at(-1);
    if (last !== undefined && start < last[1] + TOGETHER * shortestSeason) last[1] = Math.max(last[1], end);
    else cores.push([start, end]);
  }
  const zones = cores.map(([start, end], index): Stretch => {
    const [before = Number.NEGATIVE_INFINITY, after = Number.POSITIVE_INFINITY] = [
      cores[index - 1]?.[1],
      cores[index + 1]?.[0],
    ];
    const from = Math.max(start - ZONE_BEFORE * shortestSeason, (before + start) / 2);
    const to = Math.min(end + ZONE_AFTER * shortestSeason, (end + after) / 2);
    return [Math.max(0, Math.floor(from)), Math.min(length, Math.floor(to))];
  });
  return zones.filter(([from, to]) => from < to);
}

function statesOf(occurrences: readonly Occurrence[], zones: readonly Stretch[], length: number): Uint8Array {
  const state = new Uint8Array(length);
  const mark = (from: number, to: number, as: StepState): void => {
    if (to > 0) state.fill(as, Math.max(0, from), to);
  };
  for (const [from, to] of zones) mark(from, to, IN_ZONE);
  for (const { start, end } of occurrences) mark(Math.floor(start), Math.ceil(end), COVERED);
  return state;
}

function meanAround(
  values: readonly number[],
  step: number,
  season: number,
  serves: (at: number) => boolean,
): number | undefined {
  let sum = 0;
  let count = 0;
  for (let away = season; away <= MOST_SEASONS * season; away += season) {
    for (const at of [step - away, step + away]) {
      const value = values[at];
      if (value === undefined || !serves(at)) continue;
      sum += value;
      count++;
    }
  }
  return count === 0 ? undefined : sum / count;
}

function levelBeside(
  values: readonly number[],
  state: Uint8Array,
  usualAt: (step: number) => number | undefined,
  [from, to]: Stretch,
  reach: number,
): number {
  let came = 0;
  let expected = 0;
  const add = (step: number): boolean => {
    const usual = state[step] === QUIET ? usualAt(step) : undefined;
    if (usual === undefined) return false;
    came += values[step] ?? 0;
    expected += usual;
    return true;
  };
  // Another event may lie right beside: the nearest quiet steps are taken.
  for (let step = from - 1, left = reach; left > 0 && step >= from - FARTHEST * reach; step--) if (add(step)) left--;
  for (let step = to, left = reach; left > 0 && step < to + FARTHEST * reach; step++) if (add(step)) left--;
  if (came <= 0 || expected <= 0) return 1;
  return Math.min(MOST_LEVEL, Math.max(1 / MOST_LEVEL, came / expected));
}
