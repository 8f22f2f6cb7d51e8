import { parseInstant } from '../../spec/instant.js';
import type { EventSpec, QuantileName } from '../../spec/region.js';
import type { Occurrence, ShapePart } from './eventShape.js';
import { shapeColumn } from './eventShape.js';
import type { LearnedKind, SeenKind } from './eventShapeLearn.js';
import { kindEffects, learnKinds, quietValues } from './eventShapeLearn.js';
import type { StatedEvent } from './eventShapeStated.js';
import { statedFactors } from './eventShapeStated.js';
import type { Regressor } from '../members/members.js';

/** Steps that an event kind must have covered in the history before its effect is learned rather than stated. */
const MIN_LEARNED_STEPS = 3;

/** Stated effects differ so many times at most from the mean size of their kind's. */
const MOST_HEIGHT = 4;
/** A mean stated effect below this factor on demand is too small to measure others by. */
const LEAST_STATED = Math.log(1.01);

export interface TimedEvent {
  id: string;
  kind: string;
  startMs: number;
  endMs: number;
  /** Stated effect on demand as a factor − 1. */
  uplift: number | undefined;
  /** In any one currency; says how occurrences of a kind compare where not all state an uplift. */
  budget?: number;
}

export interface StepGrid {
  startMs: number;
  stepMs: number;
  trainSteps: number;
  futureSteps: number;
}

/** What the events mean for one service over one stretch of history and the horizon behind it. */
export interface EventPlan {
  /** Kinds that the history shows, for models that learn effects by themselves: the share (0–1) of a step they cover. */
  regressors: readonly Regressor[];
  /** The history as it would have been without the events that it shows. */
  quiet: readonly number[];
  /** Factor on demand of each step ahead by the kinds that the history shows. */
  learnedFactor(step: number): number;
  /** Standard deviation of the logarithm of that factor: past events of a kind did not all do the same. */
  spread(step: number): number;
  /** Factor on demand of each step ahead by kinds never seen, at one quantile of the forecast. */
  statedFactor(step: number, quantile: QuantileName): number;
  /** Kinds ahead that were never seen and state no uplift: nobody can know their effect. */
  unknownKinds: readonly string[];
  notes: readonly string[];
}

/** The events that concern a service of a region; one whose times cannot be read is left out. */
export function eventsFor(events: readonly EventSpec[], region: string, service: string): readonly TimedEvent[] {
  return events.flatMap(({ id, kind, start, end, regions, services, uplift, budget }) => {
    const startMs = parseInstant(start);
    const endMs = parseInstant(end);
    const concerns = (regions?.includes(region) ?? true) && (services?.includes(service) ?? true);
    if (!concerns || startMs === null || endMs === null || endMs <= startMs) return [];
    return [{ id, kind, startMs, endMs, uplift, ...(budget === undefined ? {} : { budget }) }];
  });
}

/**
 * What events do, learned from `values` (rps, the history on the grid) for the kinds that it shows, as stated for the
 * others. Of the time behind the history only the calendar is known. Without values no effect is learned. Seasons in
 * steps, rising.
 */
export function planEvents(
  events: readonly TimedEvent[],
  grid: StepGrid,
  values: readonly number[] = [],
  seasons: readonly number[] = [],
): EventPlan {
  const regressors: Regressor[] = [];
  const seen: SeenKind[] = [];
  const stated: StatedEvent[] = [];
  const unknownKinds: string[] = [];
  const notes: string[] = [];
  for (const kind of [...new Set(events.map((event) => event.kind))].sort()) {
    const ofKind = events.filter((event) => event.kind === kind).sort(byTime);
    const cover = coverOf(ofKind, grid);
    const seenSteps = cover.train.filter((share) => share >= 0.5).length;
    if (seenSteps >= MIN_LEARNED_STEPS) {
      seen.push(seenKind(kind, ofKind, grid));
      regressors.push({ name: `event-${kind}`, ...cover });
      continue;
    }
    const ahead = ofKind.filter((event) => coverOf([event], grid).future.some((share) => share > 0));
    stated.push(...ahead.flatMap((event) => statedEvent(event, grid)));
    notes.push(...ahead.flatMap((event) => (event.uplift === undefined ? [] : [statedNote(event, event.uplift)])));
    const mute = ahead.find((event) => event.uplift === undefined);
    if (mute === undefined) continue;
    unknownKinds.push(kind);
    notes.push(
      `event "${mute.id}": kind "${kind}" was never seen and states no uplift; its effect is unknown and not applied`,
    );
  }
  const learned = values.length === 0 || seen.length === 0 ? [] : learnKinds(seen, values, seasons);
  const effects = kindEffects(seen, learned, grid.trainSteps + grid.futureSteps);
  const spreads = spreadsOf(seen, learned, grid);
  return {
    regressors,
    quiet: learned.length === 0 ? values : quietValues(values, effects),
    learnedFactor: (step) => Math.exp(effects[grid.trainSteps + step] ?? 0),
    spread: (step) => spreads[step] ?? 0,
    statedFactor: statedFactors(stated, seasons[0] ?? 1, grid.futureSteps),
    unknownKinds,
    notes: [...regressors.flatMap((regressor, index) => learnedNote(regressor, learned[index])), ...notes],
  };
}

/** An order that does not depend on the one that events came in. */
function byTime(a: TimedEvent, b: TimedEvent): number {
  return (
    a.startMs - b.startMs || a.endMs - b.endMs || (a.uplift ?? 0) - (b.uplift ?? 0) || (a.budget ?? 0) - (b.budget ?? 0)
  );
}

/**
 * Occurrences of a kind, those that touch taken as one, and how high each is beside the ones of the history: by the
 * uplift that all of them state, else by what they cost, of which twice as much does less than twice as much.
 */
function seenKind(kind: string, events: readonly TimedEvent[], grid: StepGrid): SeenKind {
  const joined: { start: number; end: number; stated: number | undefined; budget: number | undefined }[] = [];
  for (const event of events) {
    const { start, end } = inSteps(event, grid);
    const stated = event.uplift === undefined || event.uplift <= -1 ? undefined : Math.log1p(event.uplift);
    const last = joined.at(-1);
    const isSame = last !== undefined && last.stated === stated && last.budget === event.budget;
    if (isSame && start <= last.end) last.end = Math.max(last.end, end);
    else joined.push({ start, end, stated, budget: event.budget });
  }
  const past = joined.filter(({ start, end }) => start < grid.trainSteps && end > 0);
  const known = past.flatMap(({ stated }) => (stated === undefined ? [] : [stated]));
  const size = known.reduce((sum, stated) => sum + Math.abs(stated), 0) / known.length;
  if (known.length === past.length && size >= LEAST_STATED) {
    return { kind, occurrences: joined.map((at) => occurrence(at, (at.stated ?? size) / size)), stated: size };
  }
  const stated = known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0) / known.length;
  const worth = (budget: number | undefined): number => Math.sqrt(budget ?? 0);
  const spent = past.reduce((sum, { budget }) => sum + worth(budget), 0) / past.length;
  const isSpent = past.every(({ budget }) => budget !== undefined && budget > 0);
  const heightOf = (budget: number | undefined): number =>
    isSpent && budget !== undefined ? worth(budget) / spent : 1;
  return { kind, occurrences: joined.map((at) => occurrence(at, heightOf(at.budget))), stated };
}

function occurrence({ start, end }: { start: number; end: number }, height: number): Occurrence {
  return { start, end, height: Math.max(-MOST_HEIGHT, Math.min(MOST_HEIGHT, height)) };
}

/** By step ahead: the spread of each kind as far as any of its parts acts there, independent of the others'. */
function spreadsOf(seen: readonly SeenKind[], learned: readonly LearnedKind[], grid: StepGrid): number[] {
  const steps = grid.trainSteps + grid.futureSteps;
  const strengths = learned.map(({ parts, spread }, index) => {
    const columns = parts.map(({ part }) => shapeColumn(part, seen[index]?.occurrences ?? [], steps));
    return (step: number): number => spread * Math.max(...columns.map((column) => Math.abs(column[step] ?? 0)));
  });
  return Array.from({ length: grid.futureSteps }, (_, step) =>
    Math.hypot(...strengths.map((strength) => strength(grid.trainSteps + step))),
  );
}

function statedEvent(event: TimedEvent, grid: StepGrid): StatedEvent[] {
  if (event.uplift === undefined) return [];
  const { start, end } = inSteps(event, grid);
  return [{ start: start - grid.trainSteps, end: end - grid.trainSteps, uplift: event.uplift }];
}

function inSteps({ startMs, endMs }: TimedEvent, grid: StepGrid): { start: number; end: number } {
  return { start: (startMs - grid.startMs) / grid.stepMs, end: (endMs - grid.startMs) / grid.stepMs };
}

/** The share of each step of history and horizon that these events cover together. */
function coverOf(events: readonly TimedEvent[], grid: StepGrid): { train: number[]; future: number[] } {
  const shares = Array.from({ length: grid.trainSteps + grid.futureSteps }, () => 0);
  for (const event of events) {
    const { start, end } = inSteps(event, grid);
    const last = Math.min(shares.length, Math.ceil(end));
    for (let step = Math.max(0, Math.floor(start)); step < last; step++) {
      const share = Math.min(end, step + 1) - Math.max(start, step);
      shares[step] = Math.min(1, (shares[step] ?? 0) + share);
    }
  }
  return { train: shares.slice(0, grid.trainSteps), future: shares.slice(grid.trainSteps) };
}

function statedNote({ id, kind }: TimedEvent, uplift: number): string {
  return `event "${id}": kind "${kind}" was never seen; its stated ${percent(uplift)} was applied with a wider interval`;
}

const PART_WORDS: Readonly<Record<ShapePart['name'], string>> = {
  during: 'while it lasts',
  onset: 'on top at its start, over',
  before: 'before it, over',
  ramp: 'at the end of a rise before it, over',
  after: 'right after it, fading over',
};

function learnedNote({ name, train, future }: Regressor, learned: LearnedKind | undefined): string[] {
  if (future.every((share) => share === 0)) return [];
  const steps = train.filter((share) => share >= 0.5).length;
  const parts = (learned?.parts ?? []).map(({ part, weight }) => {
    const over = part.steps > 0 ? ` ${Math.round(part.steps)} steps` : '';
    return `${percent(Math.expm1(weight))} ${PART_WORDS[part.name]}${over}`;
  });
  const learnedFrom = `effect learned from ${steps} steps of the history`;
  return [`events of kind "${name.replace('event-', '')}" ahead: ${[learnedFrom, ...parts].join('; ')}`];
}

function percent(uplift: number): string {
  const rounded = Math.round(100 * uplift);
  return `${rounded >= 0 ? '+' : ''}${rounded} %`;
}
