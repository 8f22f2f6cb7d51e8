import type { WorkerOptions } from '@temporalio/worker';

/** Which build of this program a worker is, for Temporal's Worker Versioning (docs/decisions/0025). */
export interface DeploymentVersion {
  deploymentName: string;
  buildId: string;
}

/** Ours first, then the variables that Temporal's worker controller sets. */
const NAMES = ['PSMG_DEPLOYMENT_NAME', 'TEMPORAL_DEPLOYMENT_NAME'] as const;
const BUILD_IDS = ['PSMG_BUILD_ID', 'TEMPORAL_WORKER_BUILD_ID'] as const;

/** `null`: no versioning. Throws where one of the two is given without the other. */
export function deploymentVersion(environment: Readonly<Record<string, string | undefined>>): DeploymentVersion | null {
  const first = (names: readonly string[]): string | undefined =>
    names.map((name) => environment[name]).find((value) => value !== undefined && value !== '');
  const [deploymentName, buildId] = [first(NAMES), first(BUILD_IDS)];
  if (deploymentName === undefined && buildId === undefined) return null;
  if (deploymentName === undefined || buildId === undefined) {
    const [given, missing] = buildId === undefined ? [NAMES[0], BUILD_IDS[0]] : [BUILD_IDS[0], NAMES[0]];
    throw new Error(`${given} is set and ${missing} is not: a version is a deployment name and a build id`);
  }
  return { deploymentName, buildId };
}

/**
 * Every run stays with the build that began it; workflows go on as new on the newest (`upgradeIsDue`). Said here, since
 * a server refuses the tasks of workflows that say it themselves where the worker has no version.
 */
export function versioningOf(version: DeploymentVersion | null): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (version === null) return {};
  return { workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' } };
}
