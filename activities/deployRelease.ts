import type { DeployInput, DeployOutcome } from './contract.js';
import { StepFailure } from './errors.js';
import type { Activity } from './ports.js';
import { keepRelease, passGates, renderRelease } from './release.js';
import type { DeploymentEvent, DeploymentResult } from '../core/spec/deployment.js';
import { DELIVERIES } from '../delivery/registry.js';

/** What a heartbeat carries: how far the events were read, and what a person sees in `describe`. */
export interface DeployProgress {
  cursor: number;
  task: string;
  host: string;
}

/** Renders the live intent and the delivery project, and runs it so that it outlives this worker. */
export const deployRelease: Activity<DeployInput, DeployOutcome> = (ports) => async (input, run) => {
  const release = await renderRelease(ports, input);
  await passGates(ports, release, input.intent, run.signal);
  await keepRelease(ports, release);
  const { spec, perHost, hash } = release;
  const { deploymentId, epoch, expectedHash } = input;
  const request = { region: spec.name, deploymentId, epoch, expectedHash, releaseHash: hash };
  const { tool } = spec.delivery;
  const project = DELIVERIES[tool]({ region: spec, deployment: request, releases: perHost });
  const progress: DeployProgress = { cursor: cursorOf(run.lastProgress), task: 'starting', host: '' };
  const beat = setInterval(() => run.progress(progress), HEARTBEAT_MS);
  try {
    const result = await ports.delivery[tool].run(request, project, {
      mode: 'apply',
      cursor: progress.cursor,
      signal: run.signal,
      onEvent(event, cursor) {
        Object.assign(progress, describeEvent(event, progress), { cursor });
        run.progress(progress);
      },
    });
    return outcomeOf(result);
  } finally {
    clearInterval(beat);
  }
};

const HEARTBEAT_MS = 2000;

function cursorOf(last: unknown): number {
  const cursor = typeof last === 'object' && last !== null ? (last as { cursor?: unknown }).cursor : undefined;
  return typeof cursor === 'number' ? cursor : 0;
}

function describeEvent(event: DeploymentEvent, before: DeployProgress): Pick<DeployProgress, 'task' | 'host'> {
  return { task: event.task ?? before.task, host: event.host ?? before.host };
}

function outcomeOf(result: DeploymentResult): DeployOutcome {
  const { deploymentId, releaseHash, reattached, recap, startedAt, finishedAt } = result;
  if (result.ok) return { deploymentId, releaseHash, reattached, recap, startedAt, finishedAt };
  const words = result.failures.map((failure) => `${failure.host}: ${failure.task}: ${failure.message}`);
  throw new StepFailure('deploy-failed', words.join('\n') || `deployment ${deploymentId} failed without a word`);
}
