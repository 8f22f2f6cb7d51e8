import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { AcceptedRegion } from '../../activities/contract.js';
import { acceptRegion, moveEntry } from '../shared/activities.js';
import { isAudited } from '../shared/audit.js';
import { nowMs } from '../shared/clock.js';
import { standingOf } from './audit.js';
import { blockedBy } from './blocked.js';
import { followCalendar, untilCalendarMs } from './calendar.js';
import type { BlockDecision } from './commands.js';
import { expireOverrides } from './commands.js';
import { Mailbox } from './mailbox.js';
import { Region } from './region.js';
import { replan, untilReplanMs } from './replan.js';
import type { LifecycleState } from './state.js';
import { PHASE_OF, STEPS, initialState } from './state.js';
import type { Phase, Step } from '../../core/spec/lifecycle.js';
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
 * 3. a failed step parks the region with a reason from a closed list and waits for `retry`, `skip` or `abort`.
 */
export async function regionLifecycle(text: unknown, resumed?: LifecycleState): Promise<RegionResult> {
  isAudited();
  const mailbox = new Mailbox();
  // A second argument from outside is not a state of ours: only continue-as-new hands one on.
  const handedOn = workflowInfo().continuedFromExecutionRunId === undefined ? undefined : resumed;
  const state = handedOn ?? initialState(await accept(text));
  const lifecycle = new Lifecycle(new Region(state, mailbox));
  const ended = await lifecycle.run();
  if (ended) return { region: state.accepted.name, phase: state.phase, completed: state.completed };
  // The text has been accepted and is in the artifact store: the next run needs the state alone.
  return continueAsNew<typeof regionLifecycle>(null, state);
}

async function accept(text: unknown): Promise<AcceptedRegion> {
  setCurrentDetails('reading the region file');
  try {
    return await acceptRegion(text);
  } catch (error) {
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) throw error.cause;
    throw error;
  }
}

/** What may be passed over with a person's word; the rest would leave the region half made. */
const SKIPPABLE: readonly Step[] = ['await-stack', 'activate'];

class Lifecycle {
  private readonly region: Region;
  private readonly state: LifecycleState;

  constructor(region: Region) {
    this.region = region;
    this.state = region.state;
  }

  /** `true` when the life of the region has ended, `false` when the server suggests a new run. */
  async run(): Promise<boolean> {
    try {
      return await this.live();
    } catch (error) {
      // A cancelled region leaves everything as it runs; only its phase has to say that nobody looks after it now.
      if (isCancellation(error)) this.region.show('aborted');
      await this.region.audit.drain();
      throw error;
    }
  }

  private async live(): Promise<boolean> {
    while (this.state.step !== 'operate') {
      const { step } = this.state;
      if (this.state.blocked === null) {
        this.region.show(PHASE_OF[step]);
        const outcome = await attempt(this.region, step, (work) => this.during(work));
        if (outcome === null) {
          this.advance(step);
          continue;
        }
        this.region.block(outcome.reason, outcome.detail);
      }
      if ((await this.parked()) === 'abort') return this.ended();
    }
    return this.operate();
  }

  private async ended(): Promise<true> {
    await condition(allHandlersFinished);
    await this.region.audit.drain();
    await this.region.notifier.drain();
    return true;
  }

  private advance(step: Step): void {
    this.state.completed.push(step);
    this.state.step = STEPS[STEPS.indexOf(step) + 1] ?? 'operate';
  }

  /** Waits for a person's decision; every other message is carried out meanwhile. */
  private async parked(): Promise<BlockDecision> {
    for (;;) {
      await condition(() => this.region.mailbox.queue.length > 0);
      const decision = await this.takeDecision();
      if (decision !== null) return decision;
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
    const { step } = this.state;
    if (next.name === 'skip' && !SKIPPABLE.includes(step)) {
      const detail = `${step} cannot be skipped (only ${SKIPPABLE.join(', ')})`;
      this.region.mailbox.finish(next, before, { accepted: false, detail });
      return null;
    }
    const problem = await this.decide(next.name, step);
    const detail = problem ?? `${next.name} of ${step}`;
    this.region.mailbox.finish(next, before, { accepted: problem === null, detail });
    return problem === null ? next.name : null;
  }

  /** Returns why the decision could not be carried out; the region stays blocked then. */
  private async decide(decision: BlockDecision, step: Step): Promise<string | null> {
    try {
      if (decision === 'abort') await this.abort();
      else if (this.state.currentHash !== null) await this.region.adoptTargetHash();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { reason, detail } = blockedBy(error, 'target-unreachable');
      this.region.block(reason, detail);
      return detail;
    }
    this.state.blocked = null;
    this.state.deployRetries += 1;
    if (decision === 'skip') this.advance(step);
    this.region.show(decision === 'abort' ? 'aborted' : PHASE_OF[this.state.step]);
    return null;
  }

  /** Users go back to where they came from; the mesh stays as it is, serving whatever still reaches it. */
  private async abort(): Promise<void> {
    if (this.state.entryMoved) {
      await moveEntry({ specRef: this.state.accepted.specRef, phase: 'drain' });
      this.state.entryMoved = false;
    }
    await this.region.cancelAdjustment();
  }

  private async during<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const watched = work.then(
      () => {
        settled = true;
      },
      () => {
        settled = true;
      },
    );
    while (!settled) {
      await Promise.race([watched, condition(() => this.region.mailbox.queue.length > 0)]);
      if (!settled) await this.region.carryOutQueued();
    }
    return work;
  }

  /** A region that is blocked waits for a decision, not for work that can be done again later. */
  private async duringUnlessBlocked<T>(work: Promise<T>): Promise<T> {
    const { state } = this;
    const blocked = condition(() => state.blocked !== null).then((): never => {
      throw ApplicationFailure.create({ message: `given up: the region is blocked (${state.blocked?.reason ?? ''})` });
    });
    return this.during(Promise.race([work, blocked]));
  }

  private async operate(): Promise<boolean> {
    const { state, region } = this;
    if (state.tuner.state === 'not-started') {
      await region.handOver();
    }
    if (state.blocked === null) region.show('operating');
    state.replan ??= { wantedBy: null, startedMs: nowMs(), last: null };
    for (;;) {
      await condition(
        () => region.mailbox.queue.length > 0 || this.wantsNewRun(),
        Math.max(
          1,
          Math.min(this.nextExpiryMs(), untilReplanMs(state) ?? Infinity, untilCalendarMs(state) ?? Infinity),
        ),
      );
      if (state.blocked !== null) {
        const decision = await this.takeDecision();
        if (decision === 'abort') return this.ended();
        if (decision !== null) await this.recover();
      } else {
        await region.carryOutQueued();
      }
      await followCalendar(region);
      await expireOverrides(region);
      if (untilReplanMs(state) === 0) await replan(region, (work) => this.duringUnlessBlocked(work));
      if (this.wantsNewRun() && region.mailbox.queue.length === 0) {
        await condition(allHandlersFinished);
        await region.audit.settle();
        await region.notifier.settle();
        if (region.mailbox.queue.length === 0) return false;
      }
    }
  }

  private wantsNewRun(): boolean {
    return this.region.newRunWanted || workflowInfo().continueAsNewSuggested;
  }

  /** After a block in operation: take the right to write, go on from what the targets run, hand over anew. */
  private async recover(): Promise<void> {
    try {
      await this.region.takeWriter();
      await this.region.adoptTargetHash();
      await this.region.handOver();
      this.region.show('operating');
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
