import type { PlanReference, StackOutcome, WindowInput } from './contract.js';
import { StepFailure } from './errors.js';
import { pause } from './applyIntent.js';
import { readyInstances, takeSnapshots } from './observeRegion.js';
import type { Activity, ActivityRun, Ports } from './ports.js';
import type { PlanDocument } from './release.js';
import { HookFailedError } from '../adapters/hooks/port.js';
import { windowAt } from '../core/plan/windowAt.js';
import type { ArtifactRef } from '../core/spec/artifact.js';
import type { HookSpec, RegionSpec } from '../core/spec/region.js';

const POLL_MS = 500;
const HEARTBEAT_MS = 5000;

/** Waits until the proxies see enough healthy instances of every service. */
export const awaitStack: Activity<WindowInput, StackOutcome> =
  (ports) =>
  async ({ specRef, plan, window }, run) => {
    const spec = await ports.artifacts.getJson<RegionSpec>(specRef);
    const planned = await plannedInstances(ports, plan, window);
    const deadlineMs = ports.now() + spec.stack.timeoutSeconds * 1000;
    let firstReadyMs: number | null = null;
    for (;;) {
      const { snapshots } = await takeSnapshots(ports, spec, run);
      const ready = readyInstances(spec, snapshots);
      run.progress({ ready, planned });
      if (firstReadyMs === null && Object.values(ready).some((count) => count > 0)) firstReadyMs = ports.now();
      const missing = missingServices(ready, planned, spec.stack.minReadyFraction);
      if (missing.length === 0) {
        const allReadyAt = new Date(ports.now()).toISOString();
        const first = firstReadyMs === null ? allReadyAt : new Date(firstReadyMs).toISOString();
        return { firstInstanceReadyAt: first, allReadyAt, readyInstances: ready, planned };
      }
      if (ports.now() >= deadlineMs) {
        const waited = `${spec.stack.timeoutSeconds} s after the mesh was ready`;
        throw new StepFailure('stack-not-ready', `${waited} there are not enough instances: ${missing.join(', ')}`);
      }
      await pause(POLL_MS);
      run.signal.throwIfAborted();
    }
  };

function missingServices(
  ready: Readonly<Record<string, number>>,
  planned: Readonly<Record<string, number>>,
  fraction: number,
): readonly string[] {
  return Object.entries(planned).flatMap(([service, count]) => {
    const seen = ready[service] ?? 0;
    return seen >= Math.ceil(count * fraction) ? [] : [`${service} ${seen} of ${count}`];
  });
}

async function plannedInstances(ports: Ports, plan: PlanReference, window?: string): Promise<Record<string, number>> {
  const document = await ports.artifacts.getJson<PlanDocument>(plan.ref);
  const { services } = windowAt(document.plan, window);
  return Object.fromEntries(services.map((service) => [service.service, service.instances.value]));
}

/** Tells whoever starts instances how many the plan wants; never to scale in, only what to have ready. */
export const exportTargets: Activity<WindowInput, { called: boolean }> =
  (ports) =>
  async ({ specRef, plan, window }, run) => {
    const spec = await ports.artifacts.getJson<RegionSpec>(specRef);
    const planned = await plannedInstances(ports, plan, window);
    const targets = Object.entries(planned).map(([service, instances]) => ({ service, instances }));
    return callHook(ports, spec.hooks.instanceTargets, { region: spec.name, planHash: plan.hash, targets }, run);
  };

/** Has the users' entry moved here, or back to where they came from, by whoever owns it. */
export const moveEntry: Activity<{ specRef: ArtifactRef; phase: 'activate' | 'drain' }, { called: boolean }> =
  (ports) =>
  async ({ specRef, phase }, run) => {
    const spec = await ports.artifacts.getJson<RegionSpec>(specRef);
    return callHook(ports, spec.hooks.entry, { region: spec.name, phase }, run);
  };

async function callHook(
  ports: Ports,
  hook: HookSpec | undefined,
  body: unknown,
  run: ActivityRun,
): Promise<{ called: boolean }> {
  if (hook === undefined) return { called: false };
  // A hook may take longer than Temporal waits for a word.
  const beat = setInterval(() => run.progress('the hook is called'), HEARTBEAT_MS);
  try {
    await ports.hooks.call(hook, body, run.signal);
    return { called: true };
  } catch (error) {
    if (!(error instanceof HookFailedError)) throw error;
    throw new StepFailure('hook-failed', error.message, { lasting: false, cause: error });
  } finally {
    clearInterval(beat);
  }
}
