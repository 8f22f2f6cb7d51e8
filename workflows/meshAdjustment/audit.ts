import type { Adjustment } from '../../core/spec/live.js';
import type { AuditFact } from '../shared/audit.js';
import type { PendingChange } from '../shared/autonomy.js';

/** A change that was made, or that the region's autonomy leaves to a person. */
export function changeFact(
  kind: 'adjusted' | 'suggested',
  { address, from, to, reason }: Adjustment,
  result: string,
): AuditFact {
  return { kind, why: reason, subject: address, from, to, result };
}

/** A change that waits for a person's word, or waited too long. */
export function proposalFact(
  kind: 'approval-asked' | 'approval-expired',
  { id, address, from, to, reason, state, who }: PendingChange,
): AuditFact {
  const result =
    kind === 'approval-asked'
      ? `adjustment ${id} waits`
      : `adjustment ${id}: ${state}${who === null ? '' : ` by ${who}`}`;
  return { kind, why: reason, subject: address, from, to, result };
}

/** What became of a change once it was judged; `previous` is what its reversal brought back. */
export function verdictFact(
  kind: 'kept' | 'reverted',
  { address, from, to }: Adjustment,
  reason: string,
  result: string,
): AuditFact {
  const [before, after] = kind === 'kept' ? [to, to] : [to, from];
  return { kind, why: reason, subject: address, from: before, to: after, result };
}

/** Changes that went with what they were made to: a plan, a window, a setting that a person has taken. */
export function droppedFacts(before: readonly Adjustment[], after: readonly Adjustment[], why: string): AuditFact[] {
  const gone = before.filter((one) => !after.some(({ address, to }) => address === one.address && to === one.to));
  return gone.map(({ address, from, to }) => ({ kind: 'dropped', why, subject: address, from: to, to: from }));
}

/** Limits that follow the instances that are ready. */
export function capacityFact(
  from: Readonly<Record<string, number>>,
  to: Readonly<Record<string, number>>,
  result: string,
): AuditFact {
  return { kind: 'capacity', why: 'two ticks agree', subject: 'ready instances', from, to, result };
}

/** Another window of the plan in force, named by its begin. */
export function windowFact(from: string | null, to: string | null, result: string): AuditFact {
  return { kind: 'window', why: 'it is due', subject: 'window', from, to, result };
}
