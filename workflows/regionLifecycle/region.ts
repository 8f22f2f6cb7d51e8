import {
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { AuditTrail } from '../shared/audit.js';
import { applyIntent, exportTargets, readTargets } from '../shared/activities.js';
import { nowIso, nowMs } from '../shared/clock.js';
import { adjustmentWorkflowId } from '../shared/names.js';
import { SEARCH_ATTRIBUTES } from '../shared/searchAttributes.js';
import { copySignal, holdSignal, runSignal } from '../meshAdjustment/messages.js';
import { standingOf } from './audit.js';
import { autonomyOrder } from './autonomy.js';
import { asBlockedReason } from './blocked.js';
import { carryOut } from './commands.js';
import { explainRegion } from './explain.js';
import { keepsWriter } from './leave.js';
import type { Mailbox } from './mailbox.js';
import type { AppliedReport } from './messages.js';
import { Notifier } from './notifications.js';
import { registerPermit, tellBlocked, tellRefused } from './permits.js';
import { appliedSignal, explainQuery, heldSignal, reportSignal, statusQuery, stoppedSignal } from './messages.js';
import { startAdjustment } from './startAdjustment.js';
import type { LifecycleState } from './state.js';
import { detailsMarkdown, intentOf, keepDeployment, runOrderOf, statusLine, statusOf, takeDueWindow } from './state.js';
import type { BlockedReason, Phase } from '../../core/spec/lifecycle.js';
import type { DeploymentRecord } from './status.js';
import { carryOutTogether, countTogether } from './together.js';

/**
 * What steps and commands share: the state, the mailbox and the one right to write. It upholds:
 * 1. one writer: the lifecycle writes only while the adjustment is held, stopped or not started;
 * 2. every take-over is under a new epoch, so that a write still under way for the old one is refused at the target.
 */
export class Region {
  readonly state: LifecycleState;
  readonly mailbox: Mailbox;
  readonly audit: AuditTrail;
  readonly notifier: Notifier;
  /** A person wants the next run to begin, as soon as nothing is under way. */
  newRunWanted = false;
  /** Signals to the fleet that the server has not taken yet. */
  fleetSignals = 0;
  /** Whose message is being carried out, and why; `null`: what is written is the program's own. */
  private cause: { who: string; why: string } | null = null;
  private heldHash: string | null = null;
  private lastApplied: AppliedReport | null = null;
  private shown: string | null = null;

  constructor(state: LifecycleState, mailbox: Mailbox) {
    this.state = state;
    this.mailbox = mailbox;
    this.audit = new AuditTrail({
      region: state.accepted.name,
      state,
      planHash: () => state.plan?.plan.hash ?? null,
    });
    this.notifier = new Notifier(state, this.audit);
    this.registerReports();
    registerPermit(this);
    mailbox.open(state, this.audit);
  }

  get plan(): NonNullable<LifecycleState['plan']>['plan'] {
    const { plan } = this.state;
    if (plan === null) throw new Error('the region has no plan yet');
    return plan.plan;
  }

  /** Shows phase and block where people look: search attributes, memo, and the details in the UI. */
  show(phase: Phase = this.state.phase): void {
    const { state } = this;
    // A block says more of itself than its phase does.
    if (phase !== state.phase && phase !== 'blocked') {
      this.audit.note({ kind: 'phase', why: `at step ${state.step}`, subject: 'phase', from: state.phase, to: phase });
      this.notifier.entered(phase);
    }
    state.phase = phase;
    setCurrentDetails(detailsMarkdown(state));
    const line = statusLine(state);
    if (line === this.shown) return;
    this.shown = line;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.region, value: state.accepted.name },
      { key: SEARCH_ATTRIBUTES.phase, value: phase },
      { key: SEARCH_ATTRIBUTES.blockedReason, value: state.blocked?.reason ?? 'none' },
    ]);
    upsertMemo({ status: line });
  }

  block(reason: BlockedReason, detail: string): void {
    this.state.blocked = { reason, step: this.state.step, detail: detail.slice(0, 8000), since: nowIso() };
    this.audit.note({ kind: 'blocked', why: detail, subject: this.state.step, result: reason });
    this.notifier.note('blocked', `${this.state.accepted.name} is blocked at ${this.state.step}: ${reason}`, detail);
    tellBlocked(this, `${reason}: ${detail}`);
    this.show('blocked');
  }

  record(kind: DeploymentRecord['kind'], hash: string): DeploymentRecord {
    const { state } = this;
    const record: DeploymentRecord = {
      id: kind === 'baseline' ? '0' : `${state.epoch}-${kind}-${hash.slice(0, 8)}`,
      kind,
      epoch: state.epoch,
      hash,
      ...state.stage,
      entryMoved: state.entryMoved,
      at: nowIso(),
    };
    const { who, why } = this.cause ?? { why: kind };
    this.audit.note({
      ...{ kind: 'deployed', why, subject: `deployment ${record.id}` },
      ...(who === undefined ? {} : { who }),
      ...{ from: state.currentHash, to: hash, result: { ...state.stage, entryMoved: state.entryMoved } },
    });
    state.currentHash = hash;
    state.rolledBack = null;
    keepDeployment(state.deployments, record);
    this.show();
    return record;
  }

  /** Until nothing is queued, or `enough`. */
  async carryOutQueued(enough: () => boolean = () => false): Promise<void> {
    while (this.mailbox.queue.length > 0 && !enough()) {
      const count = countTogether(this);
      // Decided without a turn of its own: a run that began before this was asked would do things in another order.
      if (count === 0) await this.carryOutOne();
      else await carryOutTogether(this, count);
    }
  }

  async carryOutOne(): Promise<void> {
    const command = this.mailbox.queue.shift();
    if (command === undefined) return;
    const before = standingOf(this.state, command);
    this.cause = command.message;
    const outcome = await carryOut(this, command);
    this.cause = null;
    this.mailbox.finish(command, before, outcome);
    if (command.name === 'replan' && !outcome.accepted) tellRefused(this, outcome.detail);
    this.show();
  }

  /**
   * Goes over to the window that is due, before a write of ours, once its instances have been asked for: the adjustment
   * will find the window in force and not ask. Where asking fails the window before stays, for the adjustment to leave.
   */
  async followWindow(): Promise<void> {
    const { state } = this;
    const before = state.window;
    takeDueWindow(state, nowMs());
    if (state.window === undefined || state.window === before) return;
    try {
      await exportTargets({ specRef: state.accepted.specRef, plan: this.plan, window: state.window });
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (before === undefined) delete state.window;
      else state.window = before;
    }
  }

  /** Writes what should run as the lifecycle decides it, and records it; for whoever has the right to write. */
  async write(kind: DeploymentRecord['kind']): Promise<void> {
    const { state } = this;
    const applied = await applyIntent({
      specRef: state.accepted.specRef,
      plan: this.plan,
      intent: intentOf(state),
      epoch: state.epoch,
      expectedHash: state.currentHash,
    });
    this.record(kind, applied.releaseHash);
  }

  /** Takes the right to write back from the adjustment, within the time that the tunables allow. */
  async takeWriter(): Promise<void> {
    const { state } = this;
    if (state.tuner.state === 'not-started' || state.tuner.state === 'held') return;
    if (state.tuner.state === 'running' && (await this.askToHold())) {
      state.currentHash = this.heldHash;
    } else {
      await this.cancelAdjustment();
      this.noteStopped('it did not answer');
      await this.adoptTargetHash();
    }
    state.epoch += 1;
    if (state.tuner.state === 'running') state.tuner.state = 'held';
  }

  /** Hands the right to write to the adjustment under the next epoch, starting it when it does not run. */
  async handOver(): Promise<void> {
    const { state } = this;
    // While users leave, and when they have, nobody tunes: whoever ends a freeze then hands nothing over.
    if (keepsWriter(state)) return;
    state.epoch += 1;
    const order = runOrderOf(state);
    if (state.tuner.state === 'held') {
      await getExternalWorkflowHandle(this.adjustmentId).signal(runSignal, order);
    } else {
      await startAdjustment(state.accepted, order);
    }
    state.tuner = { state: 'running', report: null };
    this.show();
  }

  /** Sends the adjustment a new copy of overrides and freeze and waits until it says it is in force. */
  async forwardCopy(): Promise<AppliedReport | null> {
    const { state } = this;
    state.copy += 1;
    const { copy } = state;
    try {
      await getExternalWorkflowHandle(this.adjustmentId).signal(copySignal, {
        copy,
        overrides: state.overrides,
        frozen: state.freeze !== null,
        ...autonomyOrder(state),
      });
    } catch {
      this.noteStopped('it does not run');
      return null;
    }
    const answered = await condition(
      () => (this.lastApplied?.copy ?? -1) >= copy || state.tuner.state !== 'running',
      state.accepted.tunables.holdTimeoutMs,
    );
    return answered && (this.lastApplied?.copy ?? -1) >= copy ? this.lastApplied : null;
  }

  /** What really runs becomes what we expect, provided that all targets agree; the epoch moves past any they have seen. */
  async adoptTargetHash(): Promise<void> {
    const targets = await readTargets({ specRef: this.state.accepted.specRef });
    const hashes = new Set(targets.map((target) => target.hash));
    const [hash] = hashes;
    if (hashes.size === 1 && hash !== undefined) this.state.currentHash = hash;
    this.state.epoch = Math.max(this.state.epoch, ...targets.map((target) => target.epoch + 1));
  }

  /** Cancelling is safe: it leaves the settings as they are. */
  async cancelAdjustment(): Promise<void> {
    try {
      await getExternalWorkflowHandle(this.adjustmentId).cancel();
    } catch {
      // Not running is what was wanted.
    }
  }

  private noteStopped(why: string): void {
    const { tuner } = this.state;
    if (tuner.state !== 'tuner-stopped') {
      this.audit.note({ kind: 'stopped', why, subject: 'adjustment', from: tuner.state, to: 'tuner-stopped' });
    }
    tuner.state = 'tuner-stopped';
  }

  private get adjustmentId(): string {
    return adjustmentWorkflowId(this.state.accepted.name);
  }

  private async askToHold(): Promise<boolean> {
    const { state } = this;
    this.heldHash = null;
    try {
      await getExternalWorkflowHandle(this.adjustmentId).signal(holdSignal, { epoch: state.epoch });
    } catch {
      return false;
    }
    await condition(
      () => this.heldHash !== null || state.tuner.state !== 'running',
      state.accepted.tunables.holdTimeoutMs,
    );
    return this.heldHash !== null;
  }

  private registerReports(): void {
    const { state, mailbox } = this;
    setHandler(statusQuery, () => statusOf(state));
    setHandler(explainQuery, () => explainRegion(state, nowMs()));
    mailbox.listen(heldSignal, (report) => {
      if (isReport(report) && report.epoch === state.epoch) this.heldHash = report.hash;
    });
    mailbox.listen(appliedSignal, (report) => {
      if (!isReport(report) || report.epoch !== state.epoch) return;
      this.lastApplied = report;
      state.currentHash = report.hash;
    });
    mailbox.listen(reportSignal, (report) => {
      if (!isReport(report) || report.epoch !== state.epoch) return;
      state.tuner.report = report;
      this.notifier.report(report);
      if (report.window !== undefined) state.window = report.window;
      // What the lifecycle writes next must not go back to the instances that were ready at the start.
      if (report.readyInstances !== undefined && state.stack !== null) {
        state.stack = { ...state.stack, readyInstances: report.readyInstances };
      }
      state.currentHash = report.hash;
      if (report.problem === undefined || state.blocked !== null) return;
      this.block(asBlockedReason(report.problem.reason, 'drift'), report.problem.detail);
    });
    mailbox.listen(stoppedSignal, (report) => {
      if (!isReport(report) || report.epoch !== state.epoch || state.tuner.state !== 'running') return;
      this.noteStopped(String(report.reason));
      state.currentHash = report.hash;
      this.show();
    });
  }
}

/** These signals come from our own workflow, but anyone can send one by hand: what has no epoch and hash is ignored. */
function isReport(report: unknown): report is { epoch: number; hash: string } {
  if (typeof report !== 'object' || report === null) return false;
  const { epoch, hash } = report as { epoch?: unknown; hash?: unknown };
  return typeof epoch === 'number' && typeof hash === 'string';
}
