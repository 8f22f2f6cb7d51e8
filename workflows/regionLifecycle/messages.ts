import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Autonomy } from '../../core/spec/region.js';
import type { PendingChange } from '../shared/autonomy.js';
import type { SettingValue } from '../../core/spec/settings.js';
import type { RegionExplanation } from './explain.js';
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

/** A person's word on one plan; of any other plan it says nothing. */
export interface ApprovalMessage extends MessageBase {
  /** Hash of the plan, whole or its first 12 digits and more, as `status` shows it. */
  planHash: string;
}

/** How far the program may go by itself with some settings, from now on, whatever the region file says. */
export interface AutonomyMessage extends MessageBase {
  level: Autonomy;
  /** Absent: every service. */
  service?: string;
  /** `rateLimit`, `breaker`, `retry` …, or `weight`; absent: every class of settings. */
  class?: string;
}

/** Break-glass: puts right what the workflow believes, never what runs. */
export interface RepairMessage extends MessageBase {
  field: 'current-hash' | 'epoch' | 'blocked' | 'tuner';
  /** A number for `epoch`, a hash or `none` for the rest. */
  value: SettingValue;
}

/** What came of a message: the result of its update, and in `status` for a signal. */
export interface MessageOutcome {
  accepted: boolean;
  detail: string;
}

export type MessageName =
  | 'override'
  | 'clear-override'
  | 'freeze'
  | 'resume'
  | 'rollback'
  | 'retry'
  | 'skip'
  | 'abort'
  | 'replan'
  | 'approve'
  | 'reject'
  | 'drain'
  | 'release'
  | 'retire'
  | 'set-autonomy'
  | 'take-over'
  | 'hand-back'
  | 'continue-as-new'
  | 'repair';

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
  /** Where a plan or an adjustment waits for a person's word: lets it be put in force. */
  approve: ApprovalMessage;
  /** Where a plan or an adjustment waits for a person's word: refuses it; what runs stays. */
  reject: ApprovalMessage;
  /** Sends the users to other regions step by step, once those can take them; the mesh stands by. Undone by `resume`. */
  drain: MessageBase;
  /** PSMG goes and touches nothing more; what it configured runs on and is people's to edit. Ends the workflow. */
  release: MessageBase;
  /** Sends the users away, then puts deployment 0 back, what was there before the first write. Ends the workflow. */
  retire: MessageBase;
  'set-autonomy': AutonomyMessage;
  /** A person has the region: the program observes and suggests, and changes nothing by itself, until `hand-back`. */
  'take-over': MessageBase;
  'hand-back': MessageBase;
  /** Break-glass: goes on in a new run with the state as it is, on the newest code. */
  'continue-as-new': MessageBase;
  repair: RepairMessage;
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
  'approve',
  'reject',
  'drain',
  'release',
  'retire',
  'set-autonomy',
  'take-over',
  'hand-back',
  'continue-as-new',
  'repair',
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
  approve: defineUpdate<MessageOutcome, [ApprovalMessage]>('approve'),
  reject: defineUpdate<MessageOutcome, [ApprovalMessage]>('reject'),
  drain: defineUpdate<MessageOutcome, [MessageBase]>('drain'),
  release: defineUpdate<MessageOutcome, [MessageBase]>('release'),
  retire: defineUpdate<MessageOutcome, [MessageBase]>('retire'),
  'set-autonomy': defineUpdate<MessageOutcome, [AutonomyMessage]>('set-autonomy'),
  'take-over': defineUpdate<MessageOutcome, [MessageBase]>('take-over'),
  'hand-back': defineUpdate<MessageOutcome, [MessageBase]>('hand-back'),
  'continue-as-new': defineUpdate<MessageOutcome, [MessageBase]>('continue-as-new'),
  repair: defineUpdate<MessageOutcome, [RepairMessage]>('repair'),
} as const;

export const statusQuery = defineQuery<RegionStatus>('status');
/** Why the region is as it is, what it waits for and who can end that, and what comes next by itself. */
export const explainQuery = defineQuery<RegionExplanation>('explain');

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
  /** Changes that wait for a person's word, or got it; absent: none. */
  proposals?: readonly PendingChange[];
  lastTick: string;
  lastDecision: string;
  /** Window of the plan that runs; absent: the first. */
  window?: string;
  /** Local instances that the limits in force reckon with. */
  readyInstances?: Readonly<Record<string, number>>;
  /** Address of the change that is not judged yet; absent: there is none. */
  inFlight?: string;
  /** Set when the adjustment met something it may not mend, e.g. drift at a target. */
  problem?: { reason: string; detail: string };
}

export interface StoppedReport {
  epoch: number;
  hash: string;
  reason: string;
}
