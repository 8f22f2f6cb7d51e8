import type { TickDecision, TickInput, TickOutcome, Tunables } from '../../activities/contract.js';
import type { InFlightAdjustment } from '../../core/tuning/types.js';
import type { Adjustment, LiveIntent, Override } from '../../core/spec/live.js';
import type { AuditState } from '../shared/audit.js';
import { auditStatusOf } from '../shared/audit.js';
import { nowIso } from '../shared/clock.js';
import type { Autonomy } from '../../core/spec/region.js';
import type { AdjustmentReport } from '../regionLifecycle/messages.js';
import type { AdjustmentInput, AdjustmentStatus, CopyOrder, RunOrder } from './messages.js';

export const STATE_SCHEMA = 1;

export interface AdjustmentState {
  schema: typeof STATE_SCHEMA;
  region: string;
  autonomy: Autonomy;
  tunables: Tunables;
  /** The order under which this workflow writes; its overrides and freeze are the newest copy. */
  run: RunOrder;
  hash: string;
  held: boolean;
  adjustments: Adjustment[];
  inFlight: (InFlightAdjustment & { previous: Adjustment | null }) | null;
  suggestions: { adjustment: Adjustment; at: string }[];
  /** Ready instances seen by the last tick; two ticks must agree before limits follow. */
  seenReady: Readonly<Record<string, number>> | null;
  counts: { ticks: number; made: number; reverted: number };
  last: TickOutcome | null;
  lastDecision: string;
  /** What a target refused, for a person to mend; until then this only watches. */
  problem: { reason: string; detail: string } | null;
  /** Absent: nothing was noted yet. */
  audit?: AuditState;
}

export type AdjustDecision = Extract<TickDecision, { kind: 'adjust' }>;

const KEPT_SUGGESTIONS = 20;

export function initialState(input: AdjustmentInput): AdjustmentState {
  return {
    schema: STATE_SCHEMA,
    region: input.region,
    autonomy: input.autonomy,
    tunables: input.tunables,
    run: input.run,
    hash: input.run.hash,
    held: false,
    adjustments: [],
    inFlight: null,
    suggestions: [],
    seenReady: null,
    counts: { ticks: 0, made: 0, reverted: 0 },
    last: null,
    lastDecision: 'no tick yet',
    problem: null,
  };
}

/** Takes over under a new epoch. Adjustments made against another plan, or undone by what runs now, are gone. */
export function takeOrder(state: AdjustmentState, run: RunOrder): void {
  const continues = run.plan.hash === state.run.plan.hash && run.hash === state.hash;
  state.run = run;
  state.hash = run.hash;
  state.held = false;
  state.problem = null;
  if (!continues) {
    state.adjustments = [];
    state.inFlight = null;
  }
}

/** Whether a copy is newer than the one in force. */
export function isNewer(state: AdjustmentState, copy: CopyOrder): boolean {
  return copy.copy > state.run.copy;
}

export function sameOverrides(a: readonly Override[], b: readonly Override[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function intentOf(state: AdjustmentState): LiveIntent {
  const { stage, readyInstances, overrides, window } = state.run;
  return {
    stage,
    readyInstances,
    adjustments: state.adjustments,
    overrides,
    ...(window === undefined ? {} : { window }),
  };
}

export function tickInputOf(state: AdjustmentState): TickInput {
  const { run, autonomy, problem, inFlight } = state;
  return {
    specRef: run.specRef,
    plan: run.plan,
    forecastRef: run.forecastRef,
    intent: intentOf(state),
    autonomy,
    frozen: run.frozen || problem !== null,
    inFlight,
  };
}

/** Whether anything may change that is not the reversal of a change. */
export function mayChange({ held, run, problem, autonomy }: AdjustmentState): boolean {
  return !held && !run.frozen && problem === null && autonomy === 'act';
}

/** Puts an adjustment in force and in flight; a later revert brings back what it replaced. */
export function makeAdjustment(state: AdjustmentState, decision: AdjustDecision): void {
  const { adjustment, service, baseline } = decision;
  const previous = state.adjustments.find((a) => a.address === adjustment.address) ?? null;
  state.adjustments = [...state.adjustments.filter((a) => a.address !== adjustment.address), adjustment];
  state.inFlight = { adjustment, service, baseline, previous, inconclusiveTicks: 0 };
}

export function revertInFlight(state: AdjustmentState): void {
  const flight = state.inFlight;
  if (flight === null) return;
  state.adjustments = state.adjustments.filter((a) => a.address !== flight.adjustment.address);
  if (flight.previous !== null) state.adjustments.push(flight.previous);
  state.inFlight = null;
}

export function suggest(state: AdjustmentState, adjustment: Adjustment, at: string): void {
  const others = state.suggestions.filter((s) => s.adjustment.address !== adjustment.address);
  state.suggestions = [...others, { adjustment, at }].slice(-KEPT_SUGGESTIONS);
}

export function sameChange(a: Adjustment, b: Adjustment): boolean {
  return a.address === b.address && a.from === b.from && a.to === b.to;
}

export function sameReady(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

export function reportOf(state: AdjustmentState): AdjustmentReport {
  return {
    epoch: state.run.epoch,
    hash: state.hash,
    ticks: state.counts.ticks,
    adjustmentsMade: state.counts.made,
    adjustmentsReverted: state.counts.reverted,
    suggestions: state.suggestions.length,
    lastTick: state.last?.at ?? '',
    lastDecision: state.lastDecision,
    ...(state.run.window === undefined ? {} : { window: state.run.window }),
    readyInstances: state.run.readyInstances,
    ...(state.problem === null ? {} : { problem: state.problem }),
  };
}

export function detailsMarkdown(state: AdjustmentState): string {
  const { held, run, counts, last, lastDecision, adjustments } = state;
  const mode = held ? 'held' : run.frozen ? 'frozen' : 'running';
  return [
    `**${mode}** · epoch ${run.epoch} · ${counts.ticks} ticks · ${counts.made} adjustments, ${counts.reverted} reverted`,
    '',
    `- last: ${lastDecision} (${last?.at ?? nowIso()})`,
    ...adjustments.map((a) => `- ${a.address}: ${a.from} → ${a.to} (${a.reason})`),
  ].join('\n');
}

export function statusOf(state: AdjustmentState): AdjustmentStatus {
  return {
    region: state.region,
    epoch: state.run.epoch,
    hash: state.hash,
    held: state.held,
    frozen: state.run.frozen,
    planHash: state.run.plan.hash,
    ticks: state.counts.ticks,
    adjustmentsMade: state.counts.made,
    adjustmentsReverted: state.counts.reverted,
    adjustments: state.adjustments,
    inFlight: state.inFlight && {
      adjustment: state.inFlight.adjustment,
      inconclusiveTicks: state.inFlight.inconclusiveTicks,
    },
    suggestions: state.suggestions,
    readyInstances: state.run.readyInstances,
    ...(state.run.window === undefined ? {} : { window: state.run.window }),
    lastTick: state.last,
    problem: state.problem,
    ...(state.audit === undefined ? {} : { audit: auditStatusOf(state.audit) }),
  };
}
