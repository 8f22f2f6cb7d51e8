import { parseInstant } from '../spec/instant.js';
import type { EventSpec, QuantileName } from '../spec/region.js';
import type { Regressor } from './members.js';

/** Steps that an event kind must have covered in the history before its effect is learned rather than stated. */
export const MIN_LEARNED_STEPS = 3;

/** How far a stated uplift may be off, by quantile: a campaign can outdo its plan, and a quiet day can disappoint. */
const STATED_ERROR: Readonly<Record<QuantileName, number>> = { p50: 0, p80: 0.15, p90: 0.3, p95: 0.45, p99: 0.8 };

export interface TimedEvent {
  id: string;
  kind: string;
  startMs: number;
  endMs: number;
  uplift: number | undefined;
}

export interface StepGrid {
  startMs: number;
  stepMs: number;
  trainSteps: number;
  futureSteps: number;
}

/** What the events mean for one service over one stretch of history and the horizon behind it. */
export interface EventPlan {
  /** Kinds that the history shows: a member learns their effect. */
  regressors: readonly Regressor[];
  /** Factor on demand of each step ahead by kinds never seen, at one quantile of the forecast. */
  statedFactor(step: number, quantile: QuantileName): number;
  /** Kinds ahead that were never seen and state no uplift: nobody can know their effect. */
  unknownKinds: readonly string[];
  notes: readonly string[];
}

/** The events that concern a service of a region; one whose times cannot be read is left out. */
export function eventsFor(events: readonly EventSpec[], region: string, service: string): readonly TimedEvent[] {
  return events.flatMap(({ id, kind, start, end, regions, services, uplift }) => {
    const startMs = parseInstant(start);
    const endMs = parseInstant(end);
    const concerns = (regions?.includes(region) ?? true) && (services?.includes(service) ?? true);
    if (!concerns || startMs === null || endMs === null || endMs <= startMs) return [];
    return [{ id, kind, startMs, endMs, uplift }];
  });
}

export function planEvents(events: readonly TimedEvent[], grid: StepGrid): EventPlan {
  const futureMs = grid.startMs + grid.trainSteps * grid.stepMs;
  const regressors: Regressor[] = [];
  const stated: { shares: readonly number[]; uplift: number }[] = [];
  const unknownKinds: string[] = [];
  const notes: string[] = [];
  for (const kind of [...new Set(events.map((event) => event.kind))].sort()) {
    const ofKind = events.filter((event) => event.kind === kind);
    const train = coverage(ofKind, grid.startMs, grid.stepMs, grid.trainSteps);
    const future = coverage(ofKind, futureMs, grid.stepMs, grid.futureSteps);
    const seen = train.filter((share) => share >= 0.5).length;
    const ahead = future.some((share) => share > 0);
    if (seen >= MIN_LEARNED_STEPS) {
      regressors.push({ name: `event-${kind}`, kind: 'event', train, future });
      if (ahead) notes.push(`events of kind "${kind}" ahead: effect learned from ${seen} steps of the history`);
      continue;
    }
    if (!ahead) continue;
    const known = ofKind.filter((event) => event.uplift !== undefined && event.endMs > futureMs);
    for (const event of known) {
      const shares = coverage([event], futureMs, grid.stepMs, grid.futureSteps);
      if (shares.every((share) => share === 0)) continue;
      stated.push({ shares, uplift: event.uplift ?? 0 });
      const percent = Math.round(100 * (event.uplift ?? 0));
      notes.push(
        `event "${event.id}": kind "${kind}" was never seen; its stated ${percent >= 0 ? '+' : ''}${percent} % was applied with a wider interval`,
      );
    }
    const mute = ofKind.filter(
      (event) =>
        event.uplift === undefined &&
        coverage([event], futureMs, grid.stepMs, grid.futureSteps).some((share) => share > 0),
    );
    if (mute.length > 0) {
      unknownKinds.push(kind);
      notes.push(
        `event "${mute[0]?.id ?? kind}": kind "${kind}" was never seen and states no uplift; its effect is unknown and not applied`,
      );
    }
  }
  return { regressors, statedFactor: (step, quantile) => statedFactor(stated, step, quantile), unknownKinds, notes };
}

function statedFactor(
  stated: readonly { shares: readonly number[]; uplift: number }[],
  step: number,
  quantile: QuantileName,
): number {
  return stated.reduce((factor, { shares, uplift }) => {
    // Of a rise the upper quantiles expect more, of a fall they believe less: both widen upwards only.
    const believed = uplift >= 0 ? uplift * (1 + STATED_ERROR[quantile]) : uplift * (1 - STATED_ERROR[quantile]);
    return factor * (1 + believed * (shares[step] ?? 0));
  }, 1);
}

function coverage(events: readonly TimedEvent[], startMs: number, stepMs: number, steps: number): number[] {
  const shares = Array.from({ length: steps }, () => 0);
  for (const event of events) {
    const first = Math.max(0, Math.floor((event.startMs - startMs) / stepMs));
    const last = Math.min(steps - 1, Math.ceil((event.endMs - startMs) / stepMs) - 1);
    for (let step = first; step <= last; step++) {
      const from = Math.max(event.startMs, startMs + step * stepMs);
      const to = Math.min(event.endMs, startMs + (step + 1) * stepMs);
      shares[step] = Math.min(1, (shares[step] ?? 0) + Math.max(0, to - from) / stepMs);
    }
  }
  return shares;
}
