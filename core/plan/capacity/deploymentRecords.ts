import type { Result } from '../../spec/problem.js';
import type { PastDeployment } from './records/pastDeployment.js';
import { readDeploymentRecords } from './records/readRecords.js';

export type DeploymentRecord = PastDeployment;

/** Records of past deployments, of any kind that docs/deployment-records.md names; every problem at once. */
export function parseDeploymentRecords(text: string, file: string): Result<readonly DeploymentRecord[]> {
  return readDeploymentRecords(text, file);
}
