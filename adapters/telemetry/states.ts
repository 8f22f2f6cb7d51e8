import type { BlockedReason, Phase } from '../../core/spec/lifecycle.js';
import type { Trust } from '../../core/spec/forecast.js';
import type { Verdict } from '../../core/spec/observation.js';
import type { StoreState } from '../metrics/port.js';

/** The values of state sets that other rooms define. As records, so that the compiler names a word that is missing. */

const PHASE: Readonly<Record<Phase, true>> = {
  accepting: true,
  forecasting: true,
  planning: true,
  previewing: true,
  'awaiting-approval': true,
  'awaiting-permit': true,
  'pre-deploying': true,
  'awaiting-stack': true,
  activating: true,
  operating: true,
  draining: true,
  drained: true,
  releasing: true,
  retiring: true,
  blocked: true,
  aborted: true,
  released: true,
  retired: true,
};

const BLOCKED_REASON: Readonly<Record<BlockedReason, true>> = {
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

const TRUST: Readonly<Record<Trust, true>> = { high: true, fair: true, low: true, none: true };

const VERDICT: Readonly<Record<Verdict, true>> = { successful: true, failed: true, inconclusive: true };

const STORE_STATE: Readonly<Record<StoreState, true>> = {
  ok: true,
  unreachable: true,
  overloaded: true,
  unauthorized: true,
  'no-bucket': true,
  rejected: true,
  'queue-full': true,
  closed: true,
};

export const PHASES: readonly string[] = Object.keys(PHASE);
export const BLOCKED_REASONS: readonly string[] = Object.keys(BLOCKED_REASON);
export const TRUSTS: readonly string[] = Object.keys(TRUST);
export const VERDICTS: readonly string[] = Object.keys(VERDICT);
export const STORE_STATES: readonly string[] = Object.keys(STORE_STATE);
