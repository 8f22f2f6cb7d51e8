import type { BlockedReason, Phase, Step } from '../../core/spec/lifecycle.js';
import type { Override } from '../../core/spec/live.js';
import type { Autonomy } from '../../core/spec/region.js';
import type { Trust } from '../../core/spec/forecast.js';
import type { Verdict } from '../../core/spec/observation.js';
import type { HostRecap } from '../../core/spec/deployment.js';
import type { ForecastOutcome, PlanOutcome } from '../../activities/contract.js';
import type { AuditStatus } from '../shared/audit.js';
import type { ApprovalStatus } from './approvals.js';
import type { CalendarStatus } from './calendar.js';
import type { MissingInstances } from './fewerInstances.js';
import type { Compensation } from './compensations.js';
import type { Leaving } from './leave.js';
import type { AutonomyStatus } from './autonomy.js';
import type { AdjustmentReport } from './messages.js';
import type { PermitState } from './permits.js';
import type { NotificationStatus } from './outbox.js';

export interface Blocked {
  reason: BlockedReason;
  step: Step;
  /** The failing part's own words. */
  detail: string;
  since: string;
}

export interface Freeze {
  who: string;
  why: string;
  since: string;
}

/** One write of the lifecycle. What the adjustment writes between them is in its reports. */
export interface DeploymentRecord {
  id: string;
  kind: 'baseline' | 'pre-deploy' | 'stage' | 'override' | 'rollback' | 'resume' | 'replan' | 'drain' | 'retire';
  epoch: number;
  hash: string;
  localPercent: number;
  enforceLimits: boolean;
  /** Whether users entered through this region when it was written. */
  entryMoved: boolean;
  at: string;
}

/** What came of planning anew, the last time. */
export interface ReplanRecord {
  state: 'running' | 'done' | 'failed';
  /** When it began, or ended. */
  at: string;
  /** Who asked for it, or the schedule. */
  by: string;
  detail: string;
}

export interface ActivationRecord {
  localPercent: number;
  enforceLimits: boolean;
  attempt: number;
  verdict: Verdict;
  reason: string;
  at: string;
}

export interface RefusedMessage {
  name: string;
  reason: string;
  at: string;
}

export type TunerState = 'not-started' | 'running' | 'held' | 'tuner-stopped';

/** What query `status` answers, for both workflows of a region. */
export interface RegionStatus extends AutonomyStatus {
  region: string;
  phase: Phase;
  step: Step;
  completed: readonly Step[];
  blocked: Blocked | null;
  /** The region file's; `autonomyRules` and `takenOver` are exceptions from it. */
  autonomy: Autonomy;
  trust: Trust | null;
  epoch: number;
  planHash: string | null;
  currentHash: string | null;
  forecast: Omit<ForecastOutcome, 'ref'> | null;
  plan: (Omit<PlanOutcome, 'plan' | 'windows'> & { windows?: readonly string[] }) | null;
  /** Window of the plan that runs, by its begin in demand time; absent where the plan has only one. */
  window?: string;
  /** Absent: the region has not planned anew yet. */
  replan?: ReplanRecord;
  preDeployment: {
    meshReadyAt: string;
    recaps: readonly Readonly<Record<string, HostRecap>>[];
    reattached: boolean;
  } | null;
  stack: { firstInstanceReadyAt: string; allReadyAt: string; readyInstances: Readonly<Record<string, number>> } | null;
  entryMoved: boolean;
  activation: readonly ActivationRecord[];
  deployments: readonly DeploymentRecord[];
  /** Deployment that a person rolled back to and that runs until `resume`. */
  rolledBackTo: string | null;
  /** A drain, release or retirement and how far it is; absent: nobody wants one, or the users are back. */
  leaving?: Leaving;
  /** Since when users are elsewhere, by whose word, and the stage that they left; absent: they are not. */
  drained?: { who: string; why: string; since: string; from: { localPercent: number; enforceLimits: boolean } };
  /** What `abort` would undo, in the order in which the steps began; absent: begun under an older build. */
  compensations?: readonly Compensation[];
  overrides: readonly Override[];
  freeze: Freeze | null;
  tuner: { state: TunerState; report: AdjustmentReport | null };
  refused: { total: number; last: readonly RefusedMessage[] };
  /** What the fleet was asked for; absent: the region belongs to none, or has asked for nothing yet. */
  permit?: PermitState;
  /** Where the region's chain ends as far as this workflow knows; absent: nothing was noted yet. */
  audit?: AuditStatus;
  /** The newest plan that waited for a person's word, with what it changes; absent: none ever did. */
  approval?: ApprovalStatus;
  /** Absent: the region file names no freezes, or they have not been read yet. */
  calendar?: CalendarStatus;
  /** Services of which fewer instances were ready at the start than planned; absent: none. */
  missingInstances?: readonly MissingInstances[];
  /** Absent: nobody was to be told anything yet. */
  notifications?: NotificationStatus;
  warnings: readonly string[];
}
