import type { BlockedReason, Phase, Step } from '../../core/spec/lifecycle.js';
import type { Override } from '../../core/spec/live.js';
import type { Autonomy } from '../../core/spec/region.js';
import type { Trust } from '../../core/spec/forecast.js';
import type { Verdict } from '../../core/spec/observation.js';
import type { HostRecap } from '../../core/spec/deployment.js';
import type { ForecastOutcome, PlanOutcome } from '../../activities/contract.js';
import type { AuditStatus } from '../shared/audit.js';
import type { AdjustmentReport } from './messages.js';

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
  kind: 'baseline' | 'pre-deploy' | 'stage' | 'override' | 'rollback' | 'resume' | 'replan';
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
export interface RegionStatus {
  region: string;
  phase: Phase;
  step: Step;
  completed: readonly Step[];
  blocked: Blocked | null;
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
  overrides: readonly Override[];
  freeze: Freeze | null;
  tuner: { state: TunerState; report: AdjustmentReport | null };
  refused: { total: number; last: readonly RefusedMessage[] };
  /** Where the region's chain ends as far as this workflow knows; absent: nothing was noted yet. */
  audit?: AuditStatus;
  warnings: readonly string[];
}
