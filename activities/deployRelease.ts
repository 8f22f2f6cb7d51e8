import type { DeployInput, DeployOutcome } from './contract.js';
import { StepFailure } from './errors.js';
import type { Activity, Ports } from './ports.js';
import { keepRelease, passGates, renderRelease } from './release.js';
import { withTargets } from './targets.js';
import type { DeploymentEvent, DeploymentRequest, DeploymentResult } from '../core/spec/deployment.js';
import type { BlockedReason } from '../core/spec/lifecycle.js';
import type { RegionSpec } from '../core/spec/region.js';
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
    if (!result.ok) throw new StepFailure(await reasonOf(ports, spec, request, run.signal), wordsOf(result));
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

/** A switch that a target refused has a reason of its own, and the target tells; all else is the tool's failure. */
async function reasonOf(
  ports: Ports,
  spec: RegionSpec,
  { epoch, expectedHash, releaseHash }: DeploymentRequest,
  signal: AbortSignal,
): Promise<BlockedReason> {
  const states = await withTargets(ports, spec, (targets) =>
    Promise.allSettled(targets.map((target) => target.state(signal))),
  );
  const known = states.flatMap((state) => (state.status === 'fulfilled' ? [state.value] : []));
  if (known.some((state) => state.held !== null)) return 'target-held';
  const foreign = known.some(
    ({ hash, drifted, epoch: seen }) =>
      drifted.length > 0 || seen > epoch || (hash !== expectedHash && hash !== releaseHash),
  );
  return foreign ? 'drift' : 'deploy-failed';
}

function wordsOf({ deploymentId, failures }: DeploymentResult): string {
  const words = failures.map((failure) => `${failure.host}: ${failure.task}: ${failure.message}`);
  return words.join('\n') || `deployment ${deploymentId} failed without a word`;
}

function outcomeOf(result: DeploymentResult): DeployOutcome {
  const { deploymentId, releaseHash, reattached, recap, startedAt, finishedAt } = result;
  return { deploymentId, releaseHash, reattached, recap, startedAt, finishedAt };
}
