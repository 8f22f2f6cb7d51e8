import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { PlanReference, PlannedWindow, TickOutcome, Tunables } from '../../activities/contract.js';
import type { ArtifactRef } from '../../core/spec/artifact.js';
import type { AuditStatus } from '../shared/audit.js';
import type { ActivationStage, Adjustment, Override } from '../../core/spec/live.js';
import type { Autonomy, AutonomyRule } from '../../core/spec/region.js';
import type { AutonomyOrder, PendingChange } from '../shared/autonomy.js';

/** Sent by the region's lifecycle only; people message the region. */
export const holdSignal = defineSignal<[HoldOrder]>('hold');
export const runSignal = defineSignal<[RunOrder]>('run');
export const copySignal = defineSignal<[CopyOrder]>('copy');

export const adjustmentStatusQuery = defineQuery<AdjustmentStatus>('status');

/** Write nothing more; answer `held` with what is left running. */
export interface HoldOrder {
  epoch: number;
}

/** Become the one writer under this epoch, from this release on. */
export interface RunOrder extends AutonomyOrder {
  epoch: number;
  hash: string;
  specRef: ArtifactRef;
  plan: PlanReference;
  forecastRef: ArtifactRef;
  stage: ActivationStage;
  readyInstances: Readonly<Record<string, number>>;
  /** Of the plan; absent where it has only one. */
  windows?: readonly PlannedWindow[];
  /** The one that runs; absent: the first. */
  window?: string;
  copy: number;
  overrides: readonly Override[];
  frozen: boolean;
}

/** A numbered copy of what people said; the newest number wins. */
export interface CopyOrder extends AutonomyOrder {
  copy: number;
  overrides: readonly Override[];
  frozen: boolean;
}

export interface AdjustmentInput {
  region: string;
  autonomy: Autonomy;
  tunables: Tunables;
  run: RunOrder;
}

export interface AdjustmentStatus {
  region: string;
  epoch: number;
  hash: string;
  held: boolean;
  frozen: boolean;
  planHash: string;
  ticks: number;
  adjustmentsMade: number;
  adjustmentsReverted: number;
  adjustments: readonly Adjustment[];
  inFlight: { adjustment: Adjustment; inconclusiveTicks: number } | null;
  suggestions: readonly { adjustment: Adjustment; at: string }[];
  /** Changes that wait for a person's word, or got it; absent: none. */
  proposals?: readonly PendingChange[];
  autonomy: Autonomy;
  /** Exceptions from it, the last that fits wins; absent: none. */
  autonomyRules?: readonly AutonomyRule[];
  /** A person has the region. */
  takenOver?: true;
  readyInstances: Readonly<Record<string, number>>;
  /** Window of the plan that runs; absent: the first. */
  window?: string;
  lastTick: TickOutcome | null;
  problem: { reason: string; detail: string } | null;
  /** Where the region's chain ends as far as this workflow knows; absent: nothing was noted yet. */
  audit?: AuditStatus;
}
