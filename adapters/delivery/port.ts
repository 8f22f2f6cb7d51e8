import type { FileSet } from '../../core/spec/artifact.js';
import type { DeploymentEvent, DeploymentRequest, DeploymentResult } from '../../core/spec/deployment.js';

/** Runs a rendered deployment project (playbook, …) so that it outlives the worker that started it. */
export interface DeliveryRunner {
  /**
   * Starts the run named by `request.deploymentId`, or joins it when it is in progress, or reads its result when it
   * has ended. Events are delivered in order, from `cursor` on. Aborting `signal` with reason 'cancel' ends the
   * process group and waits; any other reason leaves the run going.
   */
  run(request: DeploymentRequest, project: FileSet, options: DeliveryRunOptions): Promise<DeploymentResult>;
}

export interface DeliveryRunOptions {
  /** `check` previews with `--check --diff` and changes nothing. */
  mode: 'apply' | 'check';
  /** Number of events seen already, from an earlier attempt's heartbeat. */
  cursor: number;
  onEvent(event: DeploymentEvent, cursor: number): void;
  signal: AbortSignal;
}
