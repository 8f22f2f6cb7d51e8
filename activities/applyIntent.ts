import type { ApplyInput, ApplyOutcome, ReadBackInput, RestoreInput } from './contract.js';
import { StepFailure } from './errors.js';
import type { Activity, ActivityRun, Ports } from './ports.js';
import type { Release } from './release.js';
import { keepRelease, passGates, releaseReference, renderRelease } from './release.js';
import { reaching, requireSwapped, withTargets } from './targets.js';
import type { SwapRequest } from '../adapters/mesh/port.js';
import { PROXY_READERS } from '../adapters/mesh/readers.js';
import type { ArtifactRef, FileSet } from '../core/spec/artifact.js';
import type { SwapResult, TargetState } from '../core/spec/deployment.js';
import type { RegionSpec } from '../core/spec/region.js';
import { MESHES } from '../mesh/registry.js';

/** A proxy takes a moved file within a tenth of a second; this leaves room for a busy machine. */
const READ_BACK_DEADLINE_MS = 10_000;
const READ_BACK_EVERY_MS = 150;

/** The fast path: gates, compare-and-swap at every target, read back from every proxy. */
export const applyIntent: Activity<ApplyInput, ApplyOutcome> = (ports) => async (input, run) => {
  const release = await renderRelease(ports, input);
  await passGates(ports, release, input.intent, run.signal);
  await keepRelease(ports, release);
  run.progress('swapping');
  const { epoch, expectedHash } = input;
  const results = await swapAll(
    ports,
    release.spec,
    release.perHost,
    { epoch, expectedHash, releaseHash: release.hash },
    run,
  );
  const mismatches = await readBackAll(ports, release, run);
  if (mismatches.length > 0) throw new StepFailure('readback-mismatch', mismatches.join('\n'));
  return { releaseHash: release.hash, hosts: results.map(({ host, outcome }) => ({ host, outcome })) };
};

/** Puts an earlier release back, from the target's own copy or, where that is gone, from the artifact store. */
export const restoreDeployment: Activity<RestoreInput, ApplyOutcome> = (ports) => async (input, run) => {
  const spec = await ports.artifacts.getJson<RegionSpec>(input.specRef);
  const perHost = await keptRelease(ports, input.releaseHash);
  const { epoch, expectedHash, releaseHash } = input;
  const results = await swapAll(ports, spec, perHost, { epoch, expectedHash, releaseHash }, run);
  return { releaseHash, hosts: results.map(({ host, outcome }) => ({ host, outcome })) };
};

export const readBack: Activity<ReadBackInput, { mismatches: readonly string[] }> = (ports) => async (input, run) => {
  const release = await renderRelease(ports, input);
  return { mismatches: await readBackAll(ports, release, run) };
};

export const readTargets: Activity<{ specRef: ArtifactRef }, readonly TargetState[]> =
  (ports) =>
  async ({ specRef }, run) => {
    const spec = await ports.artifacts.getJson<RegionSpec>(specRef);
    return withTargets(ports, spec, (targets) =>
      Promise.all(targets.map((target) => reaching(target.host, () => target.state(run.signal)))),
    );
  };

async function keptRelease(ports: Ports, hash: string): Promise<Readonly<Record<string, FileSet>>> {
  // What was there before us is only at the targets.
  if (hash === '0') return {};
  return ports.artifacts.getJson<Record<string, FileSet>>(releaseReference(hash));
}

async function swapAll(
  ports: Ports,
  spec: RegionSpec,
  perHost: Readonly<Record<string, FileSet>>,
  request: Omit<SwapRequest, 'files'>,
  run: ActivityRun,
): Promise<readonly SwapResult[]> {
  return withTargets(ports, spec, async (targets) => {
    const results = [];
    // One after the other: a refusal at the first host leaves the others as they are.
    for (const target of targets) {
      const files = perHost[target.host];
      const whole = files === undefined ? request : { ...request, files };
      results.push(await reaching(target.host, () => target.swap(whole, run.signal)));
      requireSwapped(results);
      run.progress(`swapped ${target.host}`);
    }
    return results;
  });
}

/** Waits until every proxy reports the settings, and returns what still differs at the deadline. */
async function readBackAll(ports: Ports, release: Release, run: ActivityRun): Promise<readonly string[]> {
  const { spec, live } = release;
  const { dumpPath } = PROXY_READERS[spec.mesh.kind];
  const { compareReadBack } = MESHES[spec.mesh.kind];
  const deadlineMs = ports.now() + READ_BACK_DEADLINE_MS;
  return withTargets(ports, spec, async (targets) => {
    for (;;) {
      const found: string[] = [];
      for (const [index, target] of targets.entries()) {
        const host = spec.delivery.hosts[index];
        if (host === undefined) continue;
        const dump = await reaching(target.host, () => target.admin(dumpPath, run.signal));
        for (const m of compareReadBack(live, host, dump)) {
          found.push(
            `${m.host}: ${m.service}.${m.field} is ${m.actual ?? 'absent'}, should be ${m.expected ?? 'absent'}`,
          );
        }
      }
      if (found.length === 0 || ports.now() >= deadlineMs) return found;
      run.signal.throwIfAborted();
      await pause(READ_BACK_EVERY_MS);
    }
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
