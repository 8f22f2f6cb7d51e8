import { CancellationScope, condition, log, workflowInfo } from '@temporalio/workflow';
import type { ForecastOutcome } from '../../activities/contract.js';
import type { Trust } from '../../core/spec/forecast.js';
import type { Phase } from '../../core/spec/lifecycle.js';
import type { NotificationKind } from '../../core/spec/region.js';
import { failureOf, notify } from '../shared/activities.js';
import type { AuditTrail } from '../shared/audit.js';
import { nowIso, nowMs } from '../shared/clock.js';
import type { AdjustmentReport } from './messages.js';
import type { OutboxState, PendingNotification } from './outbox.js';
import { MAX_DETAIL, MAX_TITLE, add, emptyOutbox, isNews } from './outbox.js';
import type { LifecycleState } from './state.js';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10 * 60_000;
const GIVE_UP_MS = 24 * 3_600_000;
const DRAIN_MS = 30_000;

const ENDED: readonly Phase[] = ['aborted', 'released', 'retired'];
const TRUST: readonly Trust[] = ['none', 'low', 'fair', 'high'];

/**
 * Tells people by webhook when they are needed, beside everything else. It upholds:
 * 1. nobody waits for it: a note is state, and telling goes on for a day while a webhook is away;
 * 2. a webhook that took a note is not told again, and each note has one id on every try;
 * 3. a region whose file names no webhook has none of it, not even a timer.
 */
export class Notifier {
  readonly state: LifecycleState;
  private readonly audit: AuditTrail;
  private telling = false;
  private hurried = false;

  constructor(state: LifecycleState, audit: AuditTrail) {
    this.state = state;
    this.audit = audit;
    if (state.accepted.notifies !== undefined) void CancellationScope.nonCancellable(() => this.tellForEver());
  }

  note(kind: NotificationKind, title: string, detail: string): void {
    const outbox = this.outbox();
    if (outbox === null) return;
    if (kind === 'blocked' && !isNews(outbox, title, detail, nowMs())) return;
    if (this.state.accepted.notifies?.includes(kind) === true) this.append(outbox, kind, title, detail);
  }

  /** The region has got past what blocked it: a retry that fails the same way is the same block still. */
  unblocked(): void {
    const outbox = this.outbox();
    if (outbox === null || outbox.block === null) return;
    const { title } = outbox.block;
    outbox.block = null;
    this.note('unblocked', `${this.state.accepted.name} goes on with ${this.state.step}`, `over: ${title}`);
  }

  /** A phase that the region was not in before. */
  entered(phase: Phase): void {
    if (!ENDED.includes(phase)) return;
    const { accepted, currentHash, entryMoved } = this.state;
    const users = entryMoved ? 'users still enter here' : 'users do not enter here';
    const detail = `${users}; release ${currentHash?.slice(0, 12) ?? 'none'} runs on, and nobody looks after it now`;
    this.note('ended', `${accepted.name} has ended: ${phase}`, detail);
  }

  /** A new forecast, before it replaces the one that runs. */
  forecast({ trust, services }: ForecastOutcome): void {
    const outbox = this.outbox();
    if (outbox === null) return;
    const before = outbox.seen.trust ?? this.state.forecast?.trust ?? trust;
    outbox.seen = { ...outbox.seen, trust };
    if ((trust !== 'low' && trust !== 'none') || TRUST.indexOf(trust) >= TRUST.indexOf(before)) return;
    const reasons = services.filter((one) => one.trust === trust).map((one) => `${one.service}: ${one.trustReason}`);
    const title = `trust in the forecast of ${this.state.accepted.name} fell from ${before} to ${trust}`;
    this.note('trust-lost', title, reasons.join('\n'));
  }

  /** What the adjustment says of itself. */
  report({ adjustmentsReverted, lastDecision, proposals = [] }: AdjustmentReport): void {
    const outbox = this.outbox();
    if (outbox === null) return;
    const { seen } = outbox;
    const name = this.state.accepted.name;
    if (adjustmentsReverted > seen.reverted)
      this.note('reverted', `an adjustment of ${name} was reverted`, lastDecision);
    const waiting = proposals.filter((one) => one.state === 'waits');
    for (const { id, address, from, to, reason } of waiting) {
      if (seen.proposals.includes(id)) continue;
      this.note('approval-wanted', `${name} wants to adjust ${address} from ${from} to ${to}: approve ${id}`, reason);
    }
    outbox.seen = { ...seen, reverted: adjustmentsReverted, proposals: waiting.map((one) => one.id) };
  }

  /** Before a new run: what is being told now is told, or stays pending. */
  async settle(): Promise<void> {
    if (this.telling) await condition(() => !this.telling);
  }

  /** Before the end of the workflow, after which nobody could tell what is pending. */
  async drain(): Promise<void> {
    if (this.pending.length === 0) return;
    for (const note of this.pending) note.dueMs = nowMs();
    this.hurried = true;
    await CancellationScope.nonCancellable(() => condition(() => this.pending.length === 0, DRAIN_MS));
    if (this.pending.length > 0) log.warn('nobody took notifications before the end', { pending: this.pending.length });
  }

  private get pending(): readonly PendingNotification[] {
    return this.state.outbox?.pending ?? [];
  }

  /** `null`: the region file names nobody to tell. */
  private outbox(): OutboxState | null {
    const { state } = this;
    if (state.accepted.notifies === undefined) return null;
    state.outbox ??= emptyOutbox();
    return state.outbox;
  }

  private append(outbox: OutboxState, kind: NotificationKind, title: string, detail: string): void {
    outbox.noted += 1;
    const note: PendingNotification = {
      ...{ id: `${workflowInfo().runId}/${outbox.noted}`, kind, at: nowIso() },
      ...{ title: title.slice(0, MAX_TITLE), detail: detail.slice(0, MAX_DETAIL) },
      ...{ planHash: this.state.plan?.plan.hash ?? null, delivered: [], tries: 0, dueMs: nowMs() },
    };
    add(outbox, note);
  }

  private async tellForEver(): Promise<void> {
    for (;;) {
      await condition(() => this.pending.length > 0);
      const next = this.pending.reduce((first, one) => (one.dueMs < first.dueMs ? one : first));
      if (next.dueMs <= nowMs()) {
        await this.tell(next);
        continue;
      }
      const { noted } = this.state.outbox ?? { noted: 0 };
      await condition(() => this.hurried || this.state.outbox?.noted !== noted, next.dueMs - nowMs());
      this.hurried = false;
    }
  }

  private async tell(note: PendingNotification): Promise<void> {
    const { specRef } = this.state.accepted;
    const { id, kind, at, title, detail, planHash, delivered } = note;
    this.telling = true;
    try {
      const { workflowId } = workflowInfo();
      const outcome = await notify({ specRef, id, kind, at, title, detail, workflowId, planHash, delivered });
      const { problems, givenUp = [] } = outcome;
      note.delivered.push(...outcome.delivered, ...givenUp.map(({ index }) => index));
      this.tellProblem([...problems, ...givenUp.map(({ reason }) => reason)]);
      if (givenUp.length > 0) this.giveUp(note, givenUp.map(({ reason }) => reason).join('; '));
      if (problems.length === 0) this.remove(note);
      else this.tryLater(note);
    } catch (error) {
      this.tellProblem([failureOf(error).detail]);
      this.tryLater(note);
    } finally {
      this.telling = false;
    }
  }

  private tellProblem(problems: readonly string[]): void {
    const { outbox } = this.state;
    if (outbox !== undefined) outbox.problem = problems.length === 0 ? null : problems.join('; ').slice(0, MAX_DETAIL);
  }

  private tryLater(note: PendingNotification): void {
    if (nowMs() - Date.parse(note.at) < GIVE_UP_MS) {
      note.dueMs = nowMs() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(note.tries, 20));
      note.tries += 1;
      return;
    }
    this.giveUp(note, `tried for a day: ${this.state.outbox?.problem ?? ''}`);
    this.remove(note);
  }

  private giveUp(note: PendingNotification, why: string): void {
    if (this.state.outbox !== undefined) this.state.outbox.lost += 1;
    this.audit.note({ kind: 'failed', why, subject: `notification ${note.kind}`, result: note.title });
  }

  /** By its id: it may have been dropped meanwhile. */
  private remove({ id }: PendingNotification): void {
    const { outbox } = this.state;
    if (outbox !== undefined) outbox.pending = outbox.pending.filter((one) => one.id !== id);
  }
}
