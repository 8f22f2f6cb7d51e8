import type { AdjustDecision } from '../../activities/contract.js';
import type { Adjustment } from '../../core/spec/live.js';
import type { AnsweredChange } from '../../core/tuning/types.js';
import type { AuditFact } from '../shared/audit.js';
import type { ChangeAnswer, PendingChange } from '../shared/autonomy.js';
import { nowIso } from '../shared/clock.js';
import { proposalFact } from './audit.js';
import type { AdjustmentState } from './state.js';

/** Ticks for which a change stands though the policy wants it no more. */
export const STANDING_TICKS = 10;
/** Kept in state and told in reports; the oldest go. */
const KEPT = 20;
const MAX_REASON = 300;

/** Takes in what the policy wants to make with a person's word, and notes it where people are asked for the first time. */
export function propose(state: AdjustmentState, { adjustment, id }: AdjustDecision): AuditFact[] {
  const { address, from, to, reason, planHash } = adjustment;
  if (id === undefined) return [];
  const known = state.proposals?.find((one) => one.id === id);
  if (known !== undefined) {
    known.ticksLeft = STANDING_TICKS + 1;
    return [];
  }
  const asked: PendingChange = {
    ...{ id, address, from, to, planHash, askedAt: nowIso(), reason: reason.slice(0, MAX_REASON) },
    ...{ state: 'waits', who: null, ticksLeft: STANDING_TICKS + 1 },
  };
  state.proposals = [...(state.proposals ?? []), asked].slice(-KEPT);
  return [proposalFact('approval-asked', asked)];
}

/** Takes in what people said. Whether it said anything new. */
export function takeAnswers(state: AdjustmentState, answers: readonly ChangeAnswer[] = []): boolean {
  let changed = false;
  for (const { id, answer, who, at } of answers) {
    const one = state.proposals?.find((candidate) => candidate.id === id);
    // An answer from before the change was asked for belongs to an earlier one that was the same.
    if (one === undefined || at < one.askedAt || (one.state === answer && one.who === who)) continue;
    Object.assign(one, { state: answer, who, ticksLeft: STANDING_TICKS + 1 });
    changed = true;
  }
  return changed;
}

/** After a tick: notes those that end, since the policy wants them no more. What was rejected stays rejected. */
export function ageProposals(state: AdjustmentState): AuditFact[] {
  if (state.proposals === undefined) return [];
  const ended: PendingChange[] = [];
  for (const one of state.proposals) {
    if (one.state === 'rejected') continue;
    one.ticksLeft -= 1;
    if (one.ticksLeft <= 0) ended.push(one);
  }
  keepProposals(state, (one) => !ended.includes(one));
  return ended.map((one) => proposalFact('approval-expired', one));
}

/** Who approved a change that is about to be made; `null`: nobody had to. */
export function approverOf(state: AdjustmentState, { address, from, to }: Adjustment): string | null {
  const approved = state.proposals?.findLast(
    (one) =>
      one.address === address && one.from === from && one.to > one.from === to > from && one.state === 'approved',
  );
  return approved?.who ?? null;
}

/** Once a setting has another value: what waited was about the one before. */
export function endProposals(state: AdjustmentState, address: string): void {
  keepProposals(state, (one) => one.address !== address);
}

export function answersOf(state: AdjustmentState): readonly AnsweredChange[] {
  return (state.proposals ?? []).flatMap(({ address, from, to, planHash, state: answer, who }) =>
    answer === 'waits' || who === null ? [] : [{ address, from, to, planHash, answer, who }],
  );
}

function keepProposals(state: AdjustmentState, keep: (one: PendingChange) => boolean): void {
  const kept = state.proposals?.filter(keep) ?? [];
  if (kept.length > 0) state.proposals = kept;
  else delete state.proposals;
}
