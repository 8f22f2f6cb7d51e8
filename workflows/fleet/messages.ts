import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { MessageBase, MessageOutcome } from '../regionLifecycle/messages.js';
import type { FleetStatus } from './state.js';

/** Regions that are left out; the coordinator itself stops or goes on all the same. */
export interface EveryRegionMessage extends MessageBase {
  except?: readonly string[];
}

export interface RolloutMessage extends MessageBase {
  /** Regions and groups, in the order in which they get the new plan; absent: every region known. */
  regions?: readonly string[];
}

export interface FleetInputs {
  /** Stops every automatic change in every region, and grants no permit, from the moment it arrives. */
  'freeze-all': EveryRegionMessage;
  'resume-all': EveryRegionMessage;
  /** Sends regions a `replan` stage by stage; the first that fails or is blocked stops it. */
  rollout: RolloutMessage;
  /** Tries the failed regions of a stopped rollout again, and goes on from there. */
  'resume-rollout': MessageBase;
  /** Ends a rollout; regions that have the new plan keep it. */
  'abort-rollout': MessageBase;
}

export type FleetMessageName = keyof FleetInputs;

export const FLEET_MESSAGES: readonly FleetMessageName[] = [
  'freeze-all',
  'resume-all',
  'rollout',
  'resume-rollout',
  'abort-rollout',
];

/** Each message as an update; the signal of the same name takes the same argument. */
export const FLEET_UPDATES = {
  'freeze-all': defineUpdate<MessageOutcome, [EveryRegionMessage]>('freeze-all'),
  'resume-all': defineUpdate<MessageOutcome, [EveryRegionMessage]>('resume-all'),
  rollout: defineUpdate<MessageOutcome, [RolloutMessage]>('rollout'),
  'resume-rollout': defineUpdate<MessageOutcome, [MessageBase]>('resume-rollout'),
  'abort-rollout': defineUpdate<MessageOutcome, [MessageBase]>('abort-rollout'),
} as const;

export const fleetStatusQuery = defineQuery<FleetStatus>('status');

/** A region's planned change asks for its turn; asking again under the same number is harmless. */
export interface PermitRequest {
  region: string;
  number: number;
  what: 'launch' | 'replan';
  /** Of the plan that is to be put in force; `null`: not known. */
  planHash: string | null;
  /** Regions that take this one's users, or whose users it takes. */
  neighbours: readonly string[];
  workflowId: string;
  /** How long the region wants it; absent: as long as the fleet gives. */
  permitMs?: number;
}

/** What came of a planned change; with its number, whether or not it got as far as a permit. */
export interface PermitReturn {
  region: string;
  number: number;
  what: PermitRequest['what'];
  outcome: 'done' | 'failed';
  detail: string;
  /** When the change began, in milliseconds since 1970. */
  startedMs: number;
}

/** What a region tells of itself that a rollout has to know. */
export interface FleetReport {
  region: string;
  /** `refused`: it did not begin the `replan` that it was asked for. */
  state: 'blocked' | 'refused';
  detail: string;
}

/** From regions to their fleet, and back; people do not send these. */
export const permitRequestSignal = defineSignal<[PermitRequest]>('permit-request');
export const permitReturnedSignal = defineSignal<[PermitReturn]>('permit-returned');
export const fleetReportSignal = defineSignal<[FleetReport]>('fleet-report');
export const permitGrantedSignal = defineSignal<[{ number: number; expiresMs: number }]>('permit-granted');
export const permitRefusedSignal = defineSignal<[{ number: number; why: string }]>('permit-refused');
