import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ScriptedRegion } from '../../test/workflows/scriptedActivities.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import type { Person, PersonOptions } from './person.js';
import type { WorkflowToCapture } from './save.js';

/**
 * Lives whose faults would take long, or luck, to come from the real outside: a real server and the real workflows
 * over activities that fail, drift and judge when they are told to.
 */
export interface ScriptedLife {
  name: string;
  region: string;
  /** Absent: the life never gets to an adjustment. */
  adjustment?: string;
  /** Runs that must be found; absent: one each. */
  runs?: { region: number; adjustment: number };
  /** Workflows besides the region and its adjustment. */
  others?: readonly WorkflowToCapture[];
  options?: PersonOptions;
  /** Absent: a plain one. */
  outside?: () => ScriptedRegion;
  /** Activities that a region does not have. */
  besides?: (outside: ScriptedRegion) => object;
  prepare?(outside: ScriptedRegion): void;
  live(person: Person, outside: ScriptedRegion, client: Client): Promise<void>;
}

export function failure(message: string, type: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

export function blockedBy(reason: string): (status: RegionStatus) => boolean {
  return ({ blocked }) => blocked?.reason === reason;
}

export function inPhase(phase: RegionStatus['phase']): (status: RegionStatus) => boolean {
  return (status) => status.phase === phase;
}
