/** Ids by which people and workflows address each other. */
export const REGION_WORKFLOW_TYPE = 'regionLifecycle';
export const ADJUSTMENT_WORKFLOW_TYPE = 'meshAdjustment';
export const FLEET_WORKFLOW_TYPE = 'fleetCoordinator';
export const TASK_QUEUE = 'psmg';

export function regionWorkflowId(region: string): string {
  return `region/${region}`;
}

export function adjustmentWorkflowId(region: string): string {
  return `region/${region}/adjustment`;
}

/** The id is the name itself, since region files name the coordinator by it; most have one, `fleet`. */
export function fleetWorkflowId(name: string): string {
  return `${name}`;
}
