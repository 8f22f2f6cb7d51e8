import { failureOf } from '../shared/activities.js';
import type { BlockedReason } from '../../core/spec/lifecycle.js';

const BLOCKED_REASONS: Readonly<Record<BlockedReason, true>> = {
  'forecast-failed': true,
  'trust-none': true,
  'plan-refused': true,
  'plan-invalid': true,
  'approval-rejected': true,
  'approval-expired': true,
  'receivers-short': true,
  'drain-failed': true,
  'release-failed': true,
  'retire-failed': true,
  'deploy-failed': true,
  drift: true,
  'target-held': true,
  'readback-mismatch': true,
  'hook-failed': true,
  'stack-not-ready': true,
  'activation-failed': true,
  'activation-inconclusive': true,
  'rollback-failed': true,
  'target-unreachable': true,
};

/** `type` when it is a reason of ours, else what the caller falls back to. */
export function asBlockedReason(type: string, fallback: BlockedReason): BlockedReason {
  return Object.hasOwn(BLOCKED_REASONS, type) ? (type as BlockedReason) : fallback;
}

/** Reason and words for a failed activity. */
export function blockedBy(error: unknown, fallback: BlockedReason): { reason: BlockedReason; detail: string } {
  const { type, detail } = failureOf(error);
  return { reason: asBlockedReason(type, fallback), detail };
}
