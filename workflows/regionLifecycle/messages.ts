import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { SettingValue } from '../../core/spec/settings.js';
import type { RegionStatus } from './status.js';

/** Every mutating message says who sends it and why, under a key that makes sending it twice harmless. */
export interface MessageBase {
  /** At most 128 characters; the same key within 24 hours is answered with the first outcome. */
  key: string;
  who: string;
  why: string;
}

/** Sets one live setting to a person's value until it is cleared or expires. */
export interface OverrideMessage extends MessageBase {
  /** `<service>.<field>`, e.g. `checkout.rateLimit.rps`, or `<service>.weight.<region>`. */
  address: string;
  value: SettingValue;
  /** ISO 8601 with zone; absent: until cleared. */
  until?: string;
}

export interface ClearOverrideMessage extends MessageBase {
  address: string;
}

/** Puts an earlier deployment back as it was. Implies a freeze: nothing changes by itself until `resume`. */
export interface RollbackMessage extends MessageBase {
  /** A deployment id from `status`, `previous`, or `0` for what was there before the first write. */
  to: string;
}

/** What came of a message: the result of its update, and in `status` for a signal. */
export interface MessageOutcome {
  accepted: boolean;
  detail: string;
}

export type MessageName =
  'override' | 'clear-override' | 'freeze' | 'resume' | 'rollback' | 'retry' | 'skip' | 'abort' | 'replan';

export interface MessageInputs {
  override: OverrideMessage;
  /** Gives one live setting back to the program. */
  'clear-override': ClearOverrideMessage;
  /** Stops every automatic change, but for the reversal of one made before, from the moment it arrives until `resume`. */
  freeze: MessageBase;
  /** Allows automatic changes again; after a rollback or with a stopped tuner, brings the plan and the tuner back. */
  resume: MessageBase;
  rollback: RollbackMessage;
  /** At a block: tries the failed step again; nothing before it runs again. */
  retry: MessageBase;
  /** At a block: goes on without the failed step, where that leaves nothing half made. */
  skip: MessageBase;
  /** At a block: sends the users back to where they came from and ends; the mesh stays as it is. */
  abort: MessageBase;
  /** In operation: a new forecast and a new plan, put in force over what runs; what people set stays. */
  replan: MessageBase;
}

export const MESSAGE_NAMES: readonly MessageName[] = [
  'override',
  'clear-override',
  'freeze',
  'resume',
  'rollback',
  'retry',
  'skip',
  'abort',
  'replan',
];

/** Each message as an update, for clients in code; the signal of the same name takes the same argument. */
export const UPDATES = {
  override: defineUpdate<MessageOutcome, [OverrideMessage]>('override'),
  'clear-override': defineUpdate<MessageOutcome, [ClearOverrideMessage]>('clear-override'),
  freeze: defineUpdate<MessageOutcome, [MessageBase]>('freeze'),
  resume: defineUpdate<MessageOutcome, [MessageBase]>('resume'),
  rollback: defineUpdate<MessageOutcome, [RollbackMessage]>('rollback'),
  retry: defineUpdate<MessageOutcome, [MessageBase]>('retry'),
  skip: defineUpdate<MessageOutcome, [MessageBase]>('skip'),
  abort: defineUpdate<MessageOutcome, [MessageBase]>('abort'),
  replan: defineUpdate<MessageOutcome, [MessageBase]>('replan'),
} as const;

export const statusQuery = defineQuery<RegionStatus>('status');

/** From the adjustment to its region; people do not send these. */
export const heldSignal = defineSignal<[HeldReport]>('adjustment-held');
export const appliedSignal = defineSignal<[AppliedReport]>('adjustment-applied');
export const reportSignal = defineSignal<[AdjustmentReport]>('adjustment-report');
export const stoppedSignal = defineSignal<[StoppedReport]>('adjustment-stopped');

/** The adjustment writes nothing more under its epoch; `hash` is what it left running. */
export interface HeldReport {
  epoch: number;
  hash: string;
}

/** The numbered copy of overrides and freeze is in force, or why it is not. */
export interface AppliedReport {
  epoch: number;
  copy: number;
  hash: string;
  ok: boolean;
  detail: string;
}

export interface AdjustmentReport {
  epoch: number;
  hash: string;
  ticks: number;
  adjustmentsMade: number;
  adjustmentsReverted: number;
  suggestions: number;
  lastTick: string;
  lastDecision: string;
  /** Window of the plan that runs; absent: the first. */
  window?: string;
  /** Local instances that the limits in force reckon with. */
  readyInstances?: Readonly<Record<string, number>>;
  /** Set when the adjustment met something it may not mend, e.g. drift at a target. */
  problem?: { reason: string; detail: string };
}

export interface StoppedReport {
  epoch: number;
  hash: string;
  reason: string;
}
