import {
  CancellationScope,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Adjustment } from '../../core/spec/live.js';
import type { AdjustDecision, TickOutcome } from '../../activities/contract.js';
import type { AuditFact } from '../shared/audit.js';
import { AuditTrail } from '../shared/audit.js';
import { failureOf, timedActivities } from '../shared/activities.js';
import { nowMs } from '../shared/clock.js';
import { upgradeIsDue } from '../shared/upgrade.js';
import { dueWindow, nextWindow } from '../shared/windows.js';
import { appliedSignal, heldSignal, reportSignal, stoppedSignal } from '../regionLifecycle/messages.js';
import { capacityFact, changeFact, droppedFacts, verdictFact, windowFact } from './audit.js';
import type { AdjustmentInput, CopyOrder } from './messages.js';
import { adjustmentStatusQuery } from './messages.js';
import { fitAdjustment, readAdjustmentState } from './handOn.js';
import { Orders } from './orders.js';
import type { Failure } from './outside.js';
import { askForInstances, tellRegion, writeSettings } from './outside.js';
import { ageProposals, approverOf, endProposals, propose, takeAnswers } from './proposals.js';
import type { AdjustmentState } from './state.js';
import {
  detailsMarkdown,
  initialState,
  isNewer,
  levelOf,
  makeAdjustment,
  mayChange,
  reportOf,
  revertInFlight,
  sameOverrides,
  sameReady,
  statusOf,
  steadyReady,
  suggest,
  takeCopy,
  takeOrder,
  tickInputOf,
} from './state.js';

/**
 * Adjusts the live settings of an operating region, one bounded change at a time. It upholds:
 * 1. it writes only under the epoch of its `run` order, and not at all between `hold` and the next `run`;
 * 2. one change in flight: a tick ends in at most one write;
 * 3. a freeze, and a person who has the region, stop every change but the reversal of one made before;
 * 4. cancelled by hand it leaves the settings as they are and says so to the region.
 */
export async function meshAdjustment(input: AdjustmentInput, resumed?: unknown): Promise<void> {
  const adjuster = new Adjuster(resumed === undefined ? initialState(input) : readAdjustmentState(resumed));
  try {
    await adjuster.run();
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(() => adjuster.tellStopped('cancelled'));
    await adjuster.audit.drain();
    return;
  }
  await nextRun(input, fitAdjustment(adjuster.state));
}

/** A run stays with the build that began it; the next one begins on the newest. */
const nextRun = makeContinueAsNewFunc<typeof meshAdjustment>({ initialVersioningBehavior: 'AUTO_UPGRADE' });

class Adjuster {
  readonly state: AdjustmentState;
  readonly audit: AuditTrail;
  private readonly orders: Orders;
  private nextTickMs: number;

  constructor(state: AdjustmentState) {
    this.state = state;
    this.audit = new AuditTrail({ region: state.region, state, planHash: () => state.run.plan.hash });
    this.nextTickMs = nowMs() + state.tunables.tickMs;
    this.orders = new Orders(state);
    setHandler(adjustmentStatusQuery, () => statusOf(this.state));
  }

  /** Returns when the server suggests a new run and nothing is left to do. */
  async run(): Promise<void> {
    this.showDetails();
    for (;;) {
      await condition(() => this.orders.areWaiting(), Math.max(1, this.nextWakeMs() - nowMs()));
      await this.obey();
      await this.followWindow();
      if (nowMs() >= this.nextTickMs) {
        if (!this.state.held) await this.tick();
        this.nextTickMs = nowMs() + this.state.tunables.tickMs;
      }
      if ((workflowInfo().continueAsNewSuggested || upgradeIsDue()) && !this.orders.areWaiting()) {
        await this.audit.settle();
        if (!this.orders.areWaiting()) return;
      }
    }
  }

  async tellStopped(reason: string): Promise<void> {
    const { region, run, hash } = this.state;
    await tellRegion(region, stoppedSignal, { epoch: run.epoch, hash, reason });
    setCurrentDetails(`**stopped (${reason})** · settings of ${region} stay as they are`);
  }

  private nextWakeMs(): number {
    const next = mayChange(this.state) ? nextWindow(this.state.run.windows, nowMs()) : undefined;
    return Math.min(this.nextTickMs, next?.wallFromMs ?? Infinity);
  }

  /**
   * Puts the plan's window in force that is due; instances are asked for first, since they take the longest. Changes
   * were made to the numbers of the window before: they say nothing of this one, and may lie outside its bounds.
   */
  private async followWindow(): Promise<void> {
    const { state } = this;
    const due = dueWindow(state.run.windows, nowMs());
    if (due === undefined || due === (state.run.window ?? state.run.windows?.[0]?.from) || !mayChange(state)) return;
    const { run, adjustments, inFlight } = state;
    Object.assign(state, { adjustments: [], inFlight: null });
    state.run = { ...run, window: due };
    state.lastDecision = `window from ${due} in force`;
    if ((await askForInstances(state)) && (await this.writeOrNote())) {
      this.audit.note(windowFact(run.window ?? null, due, state.hash));
      this.noteDropped(adjustments, 'made in the window before');
    } else {
      Object.assign(state, { run, adjustments, inFlight });
    }
    await this.report();
  }

  private async obey(): Promise<void> {
    const { orders, state } = this;
    if (orders.hold !== null) {
      const { epoch } = orders.hold;
      orders.hold = null;
      state.held = true;
      await tellRegion(state.region, heldSignal, { epoch, hash: state.hash });
    }
    if (orders.run !== null) {
      const { adjustments } = state;
      takeOrder(state, orders.run);
      this.noteDropped(adjustments, `order of epoch ${orders.run.epoch}`);
      orders.run = null;
      this.nextTickMs = nowMs() + state.tunables.tickMs;
    }
    if (orders.copy !== null) {
      const { copy } = orders;
      orders.copy = null;
      if (isNewer(state, copy)) await this.putCopyInForce(copy);
    }
    this.showDetails();
  }

  /**
   * A held adjustment keeps the copy for later: the lifecycle is the writer and applies it itself. What a target
   * refuses is taken back, so that the intent stays what runs; a freeze holds either way.
   */
  private async putCopyInForce(copy: CopyOrder): Promise<void> {
    const { state } = this;
    const before = state.run.overrides;
    takeCopy(state, copy);
    if (takeAnswers(state, copy.answers)) await this.report();
    if (state.held) return;
    const flight = state.inFlight;
    if (flight !== null && copy.overrides.some((o) => o.address === flight.adjustment.address)) {
      const { adjustments } = state;
      revertInFlight(state);
      this.noteDropped(adjustments, 'a person has set it');
    }
    const failure = sameOverrides(before, copy.overrides) ? null : await writeSettings(state);
    if (failure !== null) {
      state.run = { ...state.run, overrides: before };
      // An override that no plan can carry is the sender's to mend, and says nothing of the targets.
      if (failure.type !== 'plan-invalid') await this.takeNote(failure);
    }
    await tellRegion(state.region, appliedSignal, {
      epoch: state.run.epoch,
      copy: copy.copy,
      hash: state.hash,
      ok: failure === null,
      detail: failure?.detail ?? 'in force on every proxy',
    });
  }

  private async tick(): Promise<void> {
    const { state } = this;
    let outcome: TickOutcome;
    try {
      outcome = await timedActivities(state.tunables).tick(tickInputOf(state));
    } catch (error) {
      if (isCancellation(error)) throw error;
      state.lastDecision = `tick failed: ${failureOf(error).detail}`;
      await this.report();
      return;
    }
    state.last = outcome;
    state.counts.ticks += 1;
    // An order that came during the tick goes first: what the tick saw is out of date.
    const changed = this.orders.areWaiting() ? false : await this.decide(outcome);
    this.showDetails();
    if (changed || state.counts.ticks % state.tunables.ticksPerReport === 1) await this.report();
  }

  /** Whether the region has to be told. */
  private async decide(outcome: TickOutcome): Promise<boolean> {
    const changed = await this.carryOut(outcome);
    return this.noteAll(ageProposals(this.state)) || changed;
  }

  private async carryOut(outcome: TickOutcome): Promise<boolean> {
    const { state } = this;
    if (state.inFlight !== null) state.inFlight.inconclusiveTicks += 1;
    const { decision } = outcome;
    switch (decision.kind) {
      case 'keep':
        if (state.inFlight !== null) {
          this.audit.note(verdictFact('kept', state.inFlight.adjustment, decision.reason, state.hash));
        }
        state.inFlight = null;
        state.lastDecision = `kept: ${decision.reason}`;
        return true;
      case 'revert':
        await this.revert(decision.reason);
        return true;
      case 'adjust':
        return this.adjust(decision, outcome.at);
      case 'none':
        state.lastDecision = decision.reason;
        return this.followReady(outcome);
    }
  }

  private async revert(reason: string): Promise<void> {
    const { state } = this;
    const reverted = state.inFlight?.adjustment;
    revertInFlight(state);
    state.counts.reverted += 1;
    state.lastDecision = `reverted${reverted === undefined ? '' : ` ${reverted.address}`}: ${reason}`;
    const written = await this.writeOrNote();
    if (reverted === undefined) return;
    this.audit.note(verdictFact('reverted', reverted, reason, written ? state.hash : state.lastDecision));
  }

  private async adjust(decision: AdjustDecision, at: string): Promise<boolean> {
    const { state } = this;
    const { adjustment } = decision;
    const move = `${adjustment.address} ${adjustment.from} → ${adjustment.to}: ${adjustment.reason}`;
    const level = levelOf(state, decision);
    if (level === 'approve') {
      state.lastDecision = `waits for a person's word (${decision.id ?? ''}): ${move}`;
      return this.noteAll(propose(state, decision));
    }
    if (level === 'suggest') {
      state.lastDecision = `suggested ${move}`;
      this.noteAll(suggest(state, adjustment, at));
      return true;
    }
    const approver = approverOf(state, adjustment);
    const approved = approver === null ? '' : ` (approved by ${approver})`;
    makeAdjustment(state, decision);
    state.lastDecision = `adjusted ${move}${approved}`;
    if (await this.writeOrNote()) {
      state.counts.made += 1;
      endProposals(state, adjustment.address);
      this.audit.note(changeFact('adjusted', adjustment, `${state.hash}${approved}`));
    } else {
      revertInFlight(state);
    }
    return true;
  }

  /** Limits come from the instances that are ready; two ticks must agree, so that one missed probe moves nothing. */
  private async followReady(outcome: TickOutcome): Promise<boolean> {
    const { state } = this;
    const { run } = state;
    const seen = steadyReady(state, outcome);
    if (seen === null || !mayChange(state) || sameReady(run.readyInstances, seen)) return false;
    state.run = { ...run, readyInstances: seen };
    state.lastDecision = `ready instances changed to ${JSON.stringify(seen)}: limits follow`;
    if (await this.writeOrNote()) {
      this.audit.note(capacityFact(run.readyInstances, seen, state.hash));
    } else {
      state.run = run;
    }
    return true;
  }

  private async writeOrNote(): Promise<boolean> {
    const failure = await writeSettings(this.state);
    if (failure !== null) await this.takeNote(failure);
    return failure === null;
  }

  private noteDropped(before: readonly Adjustment[], why: string): void {
    this.noteAll(droppedFacts(before, this.state.adjustments, why));
  }

  /** Whether there was anything to note. */
  private noteAll(facts: readonly AuditFact[]): boolean {
    for (const fact of facts) this.audit.note(fact);
    return facts.length > 0;
  }

  /** A target out of reach may come back, and the next tick tries again; what a target refuses is for a person. */
  private async takeNote({ type, detail }: Failure): Promise<void> {
    this.state.lastDecision = `could not write: ${type}: ${detail}`;
    if (type !== 'target-unreachable') this.state.problem = { reason: type, detail };
    await this.report();
  }

  private async report(): Promise<void> {
    await tellRegion(this.state.region, reportSignal, reportOf(this.state));
  }

  private showDetails(): void {
    setCurrentDetails(detailsMarkdown(this.state));
  }
}
