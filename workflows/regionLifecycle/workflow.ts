import {
  allHandlersFinished,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
  workflowInfo,
} from '@temporalio/workflow';
import { isAudited } from '../shared/audit.js';
import { nowMs } from '../shared/clock.js';
import { upgradeIsDue } from '../shared/upgrade.js';
import { accept } from './accepting.js';
import { resumesLaunch } from './approvals.js';
import { standingOf } from './audit.js';
import { blockedBy } from './blocked.js';
import { followCalendar, untilCalendarMs } from './calendar.js';
import type { BlockDecision } from './commands.js';
import { expireOverrides } from './commands.js';
import { compensate, registerCompensation } from './compensations.js';
import { leaveRegion } from './drain.js';
import { during, duringUnlessGivenUp } from './during.js';
import { endsActivation, holdsReplans, isGone, isLeavingDue, phaseNow } from './leave.js';
import { handOn, readRegionState } from './handOn.js';
import { Mailbox } from './mailbox.js';
import { NewRunDue, settlePermit } from './permits.js';
import { Region } from './region.js';
import { replan, untilReplanMs } from './replan.js';
import type { LifecycleState } from './state.js';
import { SKIPPABLE } from './skippable.js';
import { PHASE_OF, STEPS, initialState } from './state.js';
import type { Phase, Step } from '../../core/spec/lifecycle.js';
import type { During, StepOutcome } from './steps.js';
import { attempt } from './steps.js';

export interface RegionResult {
  region: string;
  phase: Phase;
  completed: readonly Step[];
}

/**
 * The life of one region, `region/<name>`. Its input is the text of the region file, as bytes or a JSON string.
 * It upholds:
 * 1. nothing changes before the file is accepted whole; a bad file fails the start with every problem named;
 * 2. a step that is done never runs again: not after a block, a lost worker or continue-as-new;
 * 3. a failed step parks the region with a reason from a closed list and waits for `retry`, `skip` or `abort`;
 * 4. wherever it waits, it goes on in a new run when the server or a person wants that, with every handler finished.
 */
export async function regionLifecycle(text: unknown, resumed?: unknown): Promise<RegionResult> {
  isAudited();
  const mailbox = new Mailbox();
  // A second argument from outside is not a state of ours: only continue-as-new hands one on.
  const handedOn = workflowInfo().continuedFromExecutionRunId === undefined ? undefined : resumed;
  const state = handedOn === undefined ? initialState(await accept(text, mailbox.strict)) : readRegionState(handedOn);
  const lifecycle = new Lifecycle(new Region(state, mailbox));
  const ended = await lifecycle.run();
  if (ended) return { region: state.accepted.name, phase: state.phase, completed: state.completed };
  // The text has been accepted and is in the artifact store: the next run needs the state alone.
  return nextRun(null, handOn(state));
}

/** A run stays with the build that began it; the next one begins on the newest. */
const nextRun = makeContinueAsNewFunc<typeof regionLifecycle>({ initialVersioningBehavior: 'AUTO_UPGRADE' });

/** Why the steps, or the operation after them, came to their end. */
type Left = 'operate' | 'steps' | 'ended' | 'new-run';

class Lifecycle {
  private readonly region: Region;
  private readonly state: LifecycleState;
  private readonly during: During;
  private readonly duringUnlessGivenUp: During;

  constructor(region: Region) {
    this.region = region;
    this.state = region.state;
    this.during = (work) => during(region, work);
    this.duringUnlessGivenUp = (work) => duringUnlessGivenUp(region, work);
  }

  /** `true` when the life of the region has ended, `false` when the server suggests a new run. */
  async run(): Promise<boolean> {
    try {
      return await this.live();
    } catch (error) {
      // A cancelled region leaves everything as it runs; only its phase has to say that nobody looks after it now.
      if (isCancellation(error)) this.region.show('aborted');
      await this.region.audit.drain();
      await this.region.notifier.drain();
      await settlePermit(this.region);
      throw error;
    }
  }

  private async live(): Promise<boolean> {
    // A run that goes on from another has to say anew why it waits. Runs of older builds did not, while operating.
    if (this.state.blocked !== null && (this.state.step !== 'operate' || this.region.mailbox.strict)) {
      this.region.show('blocked');
    }
    for (;;) {
      const left = await this.leaveWaits(this.state.step === 'operate' ? this.operate() : this.goThroughSteps());
      if (left === 'new-run') return false;
      if (left === 'ended') return this.ended();
    }
  }

  /** A wait that a new run goes on with ends by an error, wherever in a step it is. */
  private async leaveWaits(work: Promise<Left>): Promise<Left> {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof NewRunDue)) throw error;
      await this.region.carryOutQueued();
      return (await this.mayGoOnAsNew()) ? 'new-run' : 'steps';
    }
  }

  private async goThroughSteps(): Promise<Left> {
    while (this.state.step !== 'operate') {
      const { step } = this.state;
      if (this.state.blocked === null) {
        // A plan that waits is shown as such in a new run too.
        this.region.show(resumesLaunch(this.state) ? this.state.phase : PHASE_OF[step]);
        registerCompensation(this.state, step);
        const outcome = await attempt(this.region, step, this.during);
        // The operation carries it out, whatever the stage would have come to.
        if (endsActivation(this.state)) {
          this.state.step = 'operate';
          continue;
        }
        if (outcome === null) {
          this.advance(step);
          continue;
        }
        if (await this.hasEndedInstead(outcome)) return 'ended';
        this.region.block(outcome.reason, outcome.detail);
      }
      const parked = await this.parked();
      if (parked === 'new-run') return parked;
      if (parked === 'abort') return 'ended';
      if (endsActivation(this.state)) this.state.step = 'operate';
    }
    return 'operate';
  }

  /** Whether a step came to its end by a person's word on the region, and not by a failure. */
  private async hasEndedInstead({ instead }: NonNullable<StepOutcome>): Promise<boolean> {
    return instead === 'ended' || (instead === 'abort' && (await this.takeDecision()) === 'abort');
  }

  private async ended(): Promise<true> {
    const { queue } = this.region.mailbox;
    do {
      this.refuseQueued();
      await condition(() => allHandlersFinished() || queue.length > 0);
    } while (queue.length > 0);
    await this.region.audit.drain();
    await this.region.notifier.drain();
    return true;
  }

  /** Whoever sent a message waits for its outcome, and the workflow for whoever waits. */
  private refuseQueued(): void {
    const { state, region } = this;
    for (const command of region.mailbox.queue.splice(0)) {
      const outcome = { accepted: false, detail: `the region is ${state.phase}` };
      region.mailbox.finish(command, standingOf(state, command), outcome);
    }
  }

  private advance(step: Step): void {
    this.state.completed.push(step);
    this.state.step = STEPS[STEPS.indexOf(step) + 1] ?? 'operate';
    this.region.notifier.unblocked();
  }

  /** Waits for a person's decision; every other message is carried out meanwhile, and may end the block itself. */
  private async parked(): Promise<BlockDecision | 'unblocked' | 'new-run'> {
    const { region, state } = this;
    for (;;) {
      await condition(() => region.mailbox.queue.length > 0 || this.wantsNewRun());
      const decision = await this.takeDecision();
      if (decision !== null) return decision;
      if (state.blocked === null) return 'unblocked';
      if (await this.mayGoOnAsNew()) return 'new-run';
    }
  }

  private async takeDecision(): Promise<BlockDecision | null> {
    const { queue } = this.region.mailbox;
    const next = queue[0];
    if (next === undefined) return null;
    if (next.name !== 'retry' && next.name !== 'skip' && next.name !== 'abort') {
      await this.region.carryOutOne();
      return null;
    }
    queue.shift();
    const before = standingOf(this.state, next);
    const { state } = this;
    const { step } = state;
    const skippable = step === 'operate' ? state.leaving?.skippable === true : SKIPPABLE.includes(step);
    if (next.name === 'skip' && !skippable) {
      const detail = `${step} cannot be skipped (only ${SKIPPABLE.join(', ')})`;
      this.region.mailbox.finish(next, before, { accepted: false, detail });
      return null;
    }
    const { problem, report } = await this.decide(next.name, step);
    const detail = problem ?? `${next.name} of ${state.leaving?.what ?? step}${report === '' ? '' : `; ${report}`}`;
    this.region.mailbox.finish(next, before, { accepted: problem === null, detail });
    return problem === null ? next.name : null;
  }

  /** `problem`: why the decision could not be carried out; the region stays blocked then. `report`: what it undid. */
  private async decide(decision: BlockDecision, step: Step): Promise<{ problem: string | null; report: string }> {
    const { state, region } = this;
    let report = '';
    try {
      // Users go back to where they came from; the mesh stays as it is, serving whatever still reaches it.
      if (decision === 'abort') {
        const undone = await compensate(region);
        report = undone.report;
        if (undone.stoppedBy !== null) throw undone.stoppedBy;
      } else if (state.currentHash !== null) await region.adoptTargetHash();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { reason, detail } = blockedBy(error, 'target-unreachable');
      region.block(reason, report === '' ? detail : `${detail}\n${report}. abort again goes on with it`);
      return { problem: report === '' ? detail : `not aborted: ${report}`, report };
    }
    state.blocked = null;
    state.deployRetries += 1;
    if (decision === 'skip') this.skip(step);
    region.show(decision === 'abort' ? 'aborted' : phaseNow(state));
    return { problem: null, report };
  }

  private skip(step: Step): void {
    if (step !== 'operate') this.advance(step);
    else if (this.state.leaving !== undefined) this.state.leaving.next += 1;
  }

  private async operate(): Promise<Left> {
    const { state, region } = this;
    if (state.leaving?.state === 'returning') await this.handBackAfterReturn();
    else if (state.tuner.state === 'not-started' && state.leaving === undefined) await region.handOver();
    if (state.blocked === null) region.show(phaseNow(state));
    state.replan ??= { wantedBy: null, startedMs: nowMs(), last: null };
    for (;;) {
      await condition(
        () => region.mailbox.queue.length > 0 || this.wantsNewRun() || isLeavingDue(state),
        Math.max(
          1,
          Math.min(this.nextExpiryMs(), this.untilReplanMs() ?? Infinity, untilCalendarMs(state) ?? Infinity),
        ),
      );
      if (state.blocked !== null) {
        const decision = await this.takeDecision();
        if (decision === 'abort') return 'ended';
        if (decision !== null && state.leaving === undefined) await this.recover();
      } else {
        await region.carryOutQueued(() => this.wantsNewRun() && region.mailbox.mayHandOn());
      }
      if (isGone(state)) return 'ended';
      if (state.step !== 'operate') return 'steps';
      await followCalendar(region);
      await expireOverrides(region);
      if (isLeavingDue(state)) {
        await leaveRegion(region, this.during, () => this.wantsNewRun());
        if (isGone(state)) return 'ended';
        if (state.step !== 'operate') return 'steps';
      }
      if (this.untilReplanMs() === 0) await replan(region, this.duringUnlessGivenUp);
      if (await this.mayGoOnAsNew()) return 'new-run';
    }
  }

  private untilReplanMs(): number | null {
    return holdsReplans(this.state) ? null : untilReplanMs(this.state);
  }

  /** The users are back: the adjustment again, or another in its place when somebody has ended it. */
  private async handBackAfterReturn(): Promise<void> {
    const { state, region } = this;
    delete state.leaving;
    try {
      await region.handOver();
    } catch (error) {
      if (isCancellation(error)) throw error;
      state.tuner.state = 'tuner-stopped';
      await region.handOver();
    }
  }

  /** Whether a new run is wanted and nothing is under way in this one. */
  private async mayGoOnAsNew(): Promise<boolean> {
    const { mailbox } = this.region;
    if (!this.wantsNewRun() || !mailbox.mayHandOn()) return false;
    await condition(() => allHandlersFinished() || !mailbox.mayHandOn());
    await this.region.audit.settle();
    await this.region.notifier.settle();
    await settlePermit(this.region);
    if (!mailbox.mayHandOn()) return false;
    mailbox.handOn(this.state);
    return true;
  }

  private wantsNewRun(): boolean {
    return this.region.newRunWanted || workflowInfo().continueAsNewSuggested || upgradeIsDue();
  }

  /** After a block in operation: take the right to write, go on from what the targets run, hand over anew. */
  private async recover(): Promise<void> {
    try {
      await this.region.takeWriter();
      await this.region.adoptTargetHash();
      await this.region.handOver();
      this.region.notifier.unblocked();
      this.region.show(phaseNow(this.state));
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { reason, detail } = blockedBy(error, 'target-unreachable');
      this.region.block(reason, detail);
    }
  }

  /** At least a minute apart, so that an expiry held by a freeze does not spin; absent overrides: a day. */
  private nextExpiryMs(): number {
    const { overrides, freeze } = this.state;
    const times = freeze === null ? overrides.flatMap((o) => (o.until === undefined ? [] : [Date.parse(o.until)])) : [];
    return Math.max(1, Math.min(24 * 3_600_000, ...times.map((time) => time - nowMs())));
  }
}
