import { workflowInfo } from '@temporalio/workflow';
import { nowMs } from './clock.js';

/** A run that the server sends back to the build it came from would go on as new for ever otherwise. */
const SHORTEST_RUN_MS = 5000;

/**
 * Whether another build is to take this workflow than the one that this run is pinned to (docs/decisions/0025). The
 * server says so with the next workflow task, whatever that comes by.
 */
export function upgradeIsDue(): boolean {
  const { targetWorkerDeploymentVersionChanged, runStartTime } = workflowInfo();
  return targetWorkerDeploymentVersionChanged && nowMs() - runStartTime.getTime() >= SHORTEST_RUN_MS;
}
