/** A fleet file: which regions change together, how many at once, and how a new plan goes round them. */
export interface FleetSpec {
  apiVersion: 'psmg/v1';
  /** Workflow id of the coordinator; region files name it in `fleet.id`. */
  name: string;
  /** Planned changes under way at once. */
  maxConcurrentChanges: number;
  /** The longest that one permit lasts; a region's own `fleet.permitSeconds` may be shorter. */
  permitSeconds: number;
  /** Absent: every region that has asked for a permit. */
  regions?: readonly FleetRegion[];
  /** Pairs that never change together. Absent: a region and what its file names as neighbours. */
  failover?: readonly (readonly [string, string])[];
  rollout: RolloutSpec;
}

export interface FleetRegion {
  name: string;
  /** A rollout may name it instead of its regions. */
  group?: string;
}

/** How many regions have the new plan when the stage is over: a number of them, or `25%` of all. */
export type RolloutStage = number | string;

export interface RolloutSpec {
  /** In order; the last stage is all regions, whether or not it is named. */
  stages: readonly RolloutStage[];
  /** How long the regions of a stage must stay without a block before the next stage begins. */
  judgeSeconds: number;
  /** A region that has not said by then what came of it counts as failed. */
  timeoutSeconds: number;
}

/** Beyond it the coordinator's state would grow larger than a run may hand on. */
export const MAX_FLEET_REGIONS = 100;
