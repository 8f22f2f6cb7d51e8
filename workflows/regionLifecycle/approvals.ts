import type { PlanOutcome } from '../../activities/contract.js';
import type { ApprovalMessage, MessageOutcome } from './messages.js';
import type { Region } from './region.js';
import type { During } from './steps.js';

/** A plan that waits for a person's word, or what became of it. */
export interface ApprovalState {
  planHash: string;
  /** What the plan is for: the first one of the region, or one in operation. */
  for: 'launch' | 'replan';
  /** Who wanted the plan; `null`: the schedule. */
  requestedBy: string | null;
  blastPercent: number;
  askedAt: string;
  /** `null`: waits for ever. */
  expiresMs: number | null;
  state: 'wanted' | 'approved' | 'rejected' | 'expired' | 'replaced';
  by: { who: string; why: string; at: string } | null;
}

export interface ApprovalRequest {
  for: ApprovalState['for'];
  plan: PlanOutcome;
  requestedBy: string | null;
}

/** Returns at once where the region's rules let the plan through; otherwise waits for a person, or the time-out. */
export async function awaitApproval(
  _region: Region,
  _request: ApprovalRequest,
  _during: During,
): Promise<'approved' | 'rejected' | 'expired'> {
  return Promise.resolve('approved');
}

export function approve(_region: Region, _message: ApprovalMessage): MessageOutcome {
  return { accepted: false, detail: 'no plan waits for approval' };
}

export function reject(_region: Region, _message: ApprovalMessage): MessageOutcome {
  return { accepted: false, detail: 'no plan waits for approval' };
}
