import { planHash } from '../spec/hash.js';
import type { LiveIntent } from '../spec/live.js';
import type { MeshPlan } from '../spec/plan.js';
import type { Problem } from '../spec/problem.js';
import type { RegionSpec } from '../spec/region.js';
import { lintMesh } from './lint.js';
import { liveMesh } from './live.js';

/** What runs when activation has ended, before anybody changes anything. */
export const ACTIVATED: LiveIntent = {
  stage: { localPercent: 100, enforceLimits: true },
  adjustments: [],
  overrides: [],
};

/** The semantic lint of every window of a plan, as it runs when activation has ended. */
export function lintWindows(region: RegionSpec, plan: MeshPlan): Problem[] {
  const hash = planHash(plan);
  return plan.windows.flatMap(({ from }) => {
    const live = liveMesh(region, plan, hash, { ...ACTIVATED, window: from });
    return lintMesh(live, region, plan, { at: from });
  });
}
