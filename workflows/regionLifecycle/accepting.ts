import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AcceptedRegion } from '../../activities/contract.js';
import { acceptRegion } from '../shared/activities.js';
import { regionWorkflowId } from '../shared/names.js';
import { statusQuery } from './messages.js';
import type { RegionStatus } from './status.js';

/**
 * Reads the region file, before anything else.
 *
 * @param strict whether a region must be started under its own id (logic version `strict-start`)
 * @throws a non-retryable failure that names every problem
 */
export async function accept(text: unknown, strict: boolean): Promise<AcceptedRegion> {
  setCurrentDetails('reading the region file');
  setHandler(statusQuery, () => acceptingStatus(workflowInfo().workflowId));
  let accepted: AcceptedRegion;
  try {
    accepted = await acceptRegion(text);
  } catch (error) {
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) throw error.cause;
    throw error;
  }
  if (strict) refuseOtherId(accepted.name);
  return accepted;
}

/** Under another id nobody's messages would reach the region, and a second one could write to the same targets. */
function refuseOtherId(name: string): void {
  const { workflowId } = workflowInfo();
  const wanted = regionWorkflowId(name);
  if (workflowId === wanted) return;
  const problem = {
    code: 'workflow-id',
    field: 'name',
    message: `the region is "${name}", but it was started as "${workflowId}"`,
    expected: `the workflow id ${wanted}`,
    fix: `start it with --workflow-id ${wanted}`,
  };
  const { message, expected, fix } = problem;
  const text = `the region file is refused: 1 problem\n- name: ${message}; expected ${expected}; ${fix}`;
  throw ApplicationFailure.nonRetryable(text, 'invalid-region', { problems: [problem] });
}

/** What `status` answers while the file is read: nothing of it is known yet. */
function acceptingStatus(workflowId: string): RegionStatus {
  return {
    region: workflowId.replace(/^region\//, ''),
    phase: 'accepting',
    step: 'forecast',
    completed: [],
    blocked: null,
    autonomy: 'observe',
    trust: null,
    epoch: 0,
    planHash: null,
    currentHash: null,
    forecast: null,
    plan: null,
    preDeployment: null,
    stack: null,
    entryMoved: false,
    activation: [],
    deployments: [],
    rolledBackTo: null,
    overrides: [],
    freeze: null,
    tuner: { state: 'not-started', report: null },
    refused: { total: 0, last: [] },
    warnings: [],
  };
}
