import type { AdjustDecision, TickInput, TickOutcome, Tunables } from '../../activities/contract.js';
import type { InFlightAdjustment } from '../../core/tuning/types.js';
import type { Adjustment, LiveIntent, Override } from '../../core/spec/live.js';
import type { AuditFact, AuditState } from '../shared/audit.js';
import { auditStatusOf } from '../shared/audit.js';
import type { AutonomyOrder, PendingChange } from '../shared/autonomy.js';
import { wholeRegionLevel } from '../shared/autonomy.js';
import { nowIso } from '../shared/clock.js';
import type { Autonomy } from '../../core/spec/region.js';
import type { AdjustmentReport } from '../regionLifecycle/messages.js';
import { changeFact } from './audit.js';
import type { AdjustmentInput, AdjustmentStatus, CopyOrder, RunOrder } from './messages.js';
import { answersOf, takeAnswers } from './proposals.js';

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
  /** Changes that wait for a person's word, or got it, the newest last; absent: none. */
  proposals?: PendingChange[];
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
    delete state.proposals;
  }
  takeAnswers(state, run.answers);
}

/** Puts what people said in place of what they said before; what a copy leaves out holds no more. */
export function takeCopy(state: AdjustmentState, copy: CopyOrder): void {
  const { autonomyRules: _rules, takenOver: _takenOver, answers: _answers, ...run } = state.run;
  state.run = { ...run, ...copy };
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
  const { autonomyRules, takenOver }: AutonomyOrder = run;
  const answers = answersOf(state);
  return {
    specRef: run.specRef,
    plan: run.plan,
    forecastRef: run.forecastRef,
    intent: intentOf(state),
    autonomy,
    frozen: run.frozen || problem !== null,
    inFlight,
    ...(autonomyRules === undefined ? {} : { autonomyRules }),
    ...(takenOver === undefined ? {} : { takenOver }),
    ...(answers.length === 0 ? {} : { answers }),
  };
}

/** Whether what concerns the region as a whole may change: the window of the plan, limits with the ready instances. */
export function mayChange({ held, run, problem, autonomy }: AdjustmentState): boolean {
  const level = run.takenOver === true ? 'suggest' : wholeRegionLevel(autonomy, run.autonomyRules);
  return !held && !run.frozen && problem === null && level === 'act';
}

/** How far a change that the policy wants may go; what an older build decided knows no rules. */
export function levelOf({ run, autonomy }: AdjustmentState, { level }: AdjustDecision): 'suggest' | 'approve' | 'act' {
  if (run.takenOver === true) return 'suggest';
  if (level !== undefined) return level;
  return autonomy === 'act' && (run.autonomyRules ?? []).length === 0 ? 'act' : 'suggest';
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

/** Takes it in, and notes it where it is new: one that stands is suggested again at each tick. */
export function suggest(state: AdjustmentState, adjustment: Adjustment, at: string): AuditFact[] {
  const stands = state.suggestions.some((s) => sameChange(s.adjustment, adjustment));
  const others = state.suggestions.filter((s) => s.adjustment.address !== adjustment.address);
  state.suggestions = [...others, { adjustment, at }].slice(-KEPT_SUGGESTIONS);
  return stands ? [] : [changeFact('suggested', adjustment, whyNotMade(state))];
}

function whyNotMade({ autonomy, run }: AdjustmentState): string {
  if (run.takenOver === true) return 'a person has the region';
  return `autonomy is ${run.autonomyRules === undefined ? autonomy : 'suggest'}`;
}

function sameChange(a: Adjustment, b: Adjustment): boolean {
  return a.address === b.address && a.from === b.from && a.to === b.to;
}

/** What this tick saw, where two agree and it saw everything; `null` otherwise. */
export function steadyReady(state: AdjustmentState, outcome: TickOutcome): Readonly<Record<string, number>> | null {
  const { readyInstances: seen, completeness } = outcome;
  const steady = state.seenReady !== null && sameReady(state.seenReady, seen);
  state.seenReady = seen;
  return steady && completeness === 1 ? seen : null;
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
    ...(state.proposals === undefined ? {} : { proposals: state.proposals }),
    lastTick: state.last?.at ?? '',
    lastDecision: state.lastDecision,
    ...(state.run.window === undefined ? {} : { window: state.run.window }),
    readyInstances: state.run.readyInstances,
    ...(state.inFlight === null ? {} : { inFlight: state.inFlight.adjustment.address }),
    ...(state.problem === null ? {} : { problem: state.problem }),
  };
}

export function detailsMarkdown(state: AdjustmentState): string {
  const { held, run, counts, last, lastDecision, adjustments, proposals = [] } = state;
  const free = run.takenOver === true ? 'only observing: a person has the region' : 'running';
  const mode = held ? 'held' : run.frozen ? 'frozen' : free;
  return [
    `**${mode}** · epoch ${run.epoch} · ${counts.ticks} ticks · ${counts.made} adjustments, ${counts.reverted} reverted`,
    '',
    `- last: ${lastDecision} (${last?.at ?? nowIso()})`,
    ...adjustments.map((a) => `- ${a.address}: ${a.from} → ${a.to} (${a.reason})`),
    ...proposals.map((p) => `- ${p.state} \`${p.id}\` ${p.address}: ${p.from} → ${p.to} (${p.reason})`),
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
    ...(state.proposals === undefined ? {} : { proposals: state.proposals }),
    autonomy: state.autonomy,
    ...(state.run.autonomyRules === undefined ? {} : { autonomyRules: state.run.autonomyRules }),
    ...(state.run.takenOver === undefined ? {} : { takenOver: state.run.takenOver }),
    readyInstances: state.run.readyInstances,
    ...(state.run.window === undefined ? {} : { window: state.run.window }),
    lastTick: state.last,
    problem: state.problem,
    ...(state.audit === undefined ? {} : { audit: auditStatusOf(state.audit) }),
  };
}
