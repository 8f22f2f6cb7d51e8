import { CancellationScope, condition, log, patched, workflowInfo } from '@temporalio/workflow';
import type { AuditNote, AuditOutcome } from '../../activities/contract.js';
import type { AuditHead, AuditKind, AuditValue } from '../../core/audit/record.js';
import { failureOf, recordAudit } from './activities.js';
import { nowIso } from './clock.js';

/** What a workflow says of one thing that happened; the rest is the same for all of them. */
export interface AuditFact {
  kind: AuditKind;
  /** Absent: the program. */
  who?: string;
  why: string;
  subject: string;
  from?: AuditValue;
  to?: AuditValue;
  result?: AuditValue;
}

/** Part of a workflow's state, so that continue-as-new hands on what is not recorded yet. */
export interface AuditState {
  /** Entries noted by all runs of the workflow. */
  noted: number;
  /** Not recorded yet, oldest first. */
  pending: AuditNote[];
  /** End of the region's chain when this workflow last recorded something. */
  head: AuditHead | null;
  /** Entries that found no room while the store was away; Temporal's history still has what they would have said. */
  lost: { count: number; since: string; until: string } | null;
  /** Why the store took nothing the last time; `null`: it did. */
  problem: string | null;
}

/** What `status` says of it; `seq` and `hash` are what `psmg audit verify --head` takes. */
export interface AuditStatus {
  seq: number | null;
  hash: string | null;
  pending: number;
  lost: number;
  problem: string | null;
}

/** Of all that waits together: the state that continue-as-new hands on has to stay small. */
const MAX_PENDING_CHARACTERS = 24_000;
const MAX_TEXT = 1000;
const BATCH = 50;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 600_000;
const DRAIN_MS = 30_000;

export interface AuditTrailOptions {
  region: string;
  /** The workflow's state; its `audit` is this trail's. */
  state: { audit?: AuditState };
  planHash(): string | null;
}

/**
 * Whether this run has an audit: one that began before there was any, and replays, has none up to where it had come.
 * Workflows ask in their first activation already. A replay learns of a patch one workflow task ahead, and takes two
 * of them for one where a local activity was waited for: asked for the first time after one, it could answer wrongly.
 */
export function isAudited(): boolean {
  return patched('audit');
}

/**
 * Notes what a workflow decides, and has it recorded beside everything else. It upholds:
 * 1. nobody waits for the audit: a note is state, and recording it goes on for as long as the store is away;
 * 2. notes are recorded in their order, once: a key names the run and the number of the note;
 * 3. what found no room is counted, and the count is recorded where the notes would have been.
 */
export class AuditTrail {
  private readonly options: AuditTrailOptions;
  private recording = false;
  private hurried = false;

  constructor(options: AuditTrailOptions) {
    this.options = options;
    isAudited();
    void CancellationScope.nonCancellable(() => this.recordForEver());
  }

  note(fact: AuditFact): void {
    if (!isAudited()) return;
    this.options.state.audit ??= { noted: 0, pending: [], head: null, lost: null, problem: null };
    const state = this.options.state.audit;
    this.tellGap(state);
    const entry = this.entryOf(fact, state);
    if (hasRoom(state, entry)) state.pending.push(entry);
    else state.lost = { count: (state.lost?.count ?? 0) + 1, since: state.lost?.since ?? entry.at, until: entry.at };
  }

  /** Before a new run: what is being recorded now is recorded, or stays pending. */
  async settle(): Promise<void> {
    await condition(() => !this.recording);
  }

  /** Before the end of the workflow, after which nobody could record what is pending. */
  async drain(): Promise<void> {
    if (this.pending === 0) return;
    this.hurried = true;
    await CancellationScope.nonCancellable(() => condition(() => this.pending === 0, DRAIN_MS));
    if (this.pending > 0) log.warn('the audit took no entries before the end', { pending: this.pending });
  }

  private get pending(): number {
    return this.options.state.audit?.pending.length ?? 0;
  }

  private async recordForEver(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      await condition(() => this.pending > 0);
      if (await this.recordBatch()) {
        pauseMs = FIRST_PAUSE_MS;
        continue;
      }
      await condition(() => this.hurried, pauseMs);
      pauseMs = this.hurried ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      this.hurried = false;
    }
  }

  private async recordBatch(): Promise<boolean> {
    const state = this.options.state.audit;
    if (state === undefined) return false;
    const entries = state.pending.slice(0, BATCH);
    this.recording = true;
    try {
      const { region } = this.options;
      const outcome: AuditOutcome = await recordAudit({ region, workflowId: workflowInfo().workflowId, entries });
      state.head = { seq: outcome.seq, hash: outcome.hash };
      state.problem = null;
      state.pending.splice(0, entries.length);
      if (outcome.conflicts > 0) log.warn('the audit holds other entries under these keys', { ...outcome });
      this.tellGap(state);
      return true;
    } catch (error) {
      state.problem = failureOf(error).detail.slice(0, MAX_TEXT);
      return false;
    } finally {
      this.recording = false;
    }
  }

  private tellGap(state: AuditState): void {
    if (state.lost === null) return;
    const { count, since, until } = state.lost;
    const detail = `${count} entries found no room from ${since} to ${until}; Temporal's history of this run has them`;
    const entry = this.entryOf({ kind: 'gap', why: 'the audit was away', subject: 'audit', result: detail }, state);
    if (!hasRoom(state, entry)) return;
    state.pending.push(entry);
    state.lost = null;
  }

  private entryOf(fact: AuditFact, state: AuditState): AuditNote {
    const { runId } = workflowInfo();
    const { kind, who = 'psmg', why, subject, from = null, to = null, result = null } = fact;
    state.noted += 1;
    return {
      key: `${runId}/${state.noted}`,
      at: nowIso(),
      kind,
      who: who.slice(0, MAX_TEXT),
      why: why.slice(0, MAX_TEXT),
      subject: subject.slice(0, MAX_TEXT),
      from,
      to,
      planHash: this.options.planHash(),
      result: typeof result === 'string' ? result.slice(0, MAX_TEXT) : result,
      runId,
    };
  }
}

export function auditStatusOf({ head, pending, lost, problem }: AuditState): AuditStatus {
  const { seq, hash } = head ?? { seq: null, hash: null };
  return { seq, hash, pending: pending.length, lost: lost?.count ?? 0, problem };
}

function hasRoom({ pending }: AuditState, entry: AuditNote): boolean {
  return pending.length === 0 || JSON.stringify([...pending, entry]).length <= MAX_PENDING_CHARACTERS;
}
