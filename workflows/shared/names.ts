/** Ids by which people and workflows address each other. */
export const REGION_WORKFLOW_TYPE = 'regionLifecycle';
export const ADJUSTMENT_WORKFLOW_TYPE = 'meshAdjustment';
export const TASK_QUEUE = 'psmg';

export function regionWorkflowId(region: string): string {
  return `region/${region}`;
}

export function adjustmentWorkflowId(region: string): string {
  return `region/${region}/adjustment`;
}
