import { failureOf } from '../shared/activities.js';
import type { BlockedReason } from '../../core/spec/lifecycle.js';

const BLOCKED_REASONS: Readonly<Record<BlockedReason, true>> = {
  'forecast-failed': true,
  'trust-none': true,
  'plan-refused': true,
  'plan-invalid': true,
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

/** Reason and words for a failed activity: its own type when it is one of ours, else what the step falls back to. */
export function blockedBy(error: unknown, fallback: BlockedReason): { reason: BlockedReason; detail: string } {
  const { type, detail } = failureOf(error);
  const known = Object.hasOwn(BLOCKED_REASONS, type);
  return { reason: known ? (type as BlockedReason) : fallback, detail };
}
