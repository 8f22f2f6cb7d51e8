import { StepFailure } from './errors.js';
import type { Ports } from './ports.js';
import type { ProxyTarget } from '../adapters/mesh/port.js';
import type { SwapOutcome, SwapResult } from '../core/spec/deployment.js';
import type { BlockedReason } from '../core/spec/lifecycle.js';
import type { RegionSpec } from '../core/spec/region.js';

/** Opens every proxy host of a region, and closes them whatever happens. */
export async function withTargets<T>(
  ports: Pick<Ports, 'openTarget'>,
  spec: RegionSpec,
  use: (targets: readonly ProxyTarget[]) => Promise<T>,
): Promise<T> {
  const targets = spec.delivery.hosts.map((host) => ports.openTarget(host));
  try {
    return await use(targets);
  } finally {
    await Promise.allSettled(targets.map((target) => target.close()));
  }
}

const REFUSALS: Readonly<Record<Exclude<SwapOutcome, 'applied' | 'already'>, BlockedReason>> = {
  drift: 'drift',
  'stale-epoch': 'drift',
  held: 'target-held',
  invalid: 'plan-invalid',
};

/** Throws one failure that names every host whose swap was refused. */
export function requireSwapped(results: readonly SwapResult[]): void {
  const refused = results.flatMap((result) => {
    const { outcome } = result;
    return outcome === 'applied' || outcome === 'already' ? [] : [{ ...result, outcome }];
  });
  const [first] = refused;
  if (first === undefined) return;
  const words = refused.map((r) => `${r.host}: ${r.outcome}: ${r.message}`);
  throw new StepFailure(REFUSALS[first.outcome], words.join('\n'));
}

/** A target that cannot be reached may come back: not a lasting failure. */
export async function reaching<T>(host: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StepFailure) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailure('target-unreachable', `${host}: ${why}`, { lasting: false, cause: error });
  }
}
