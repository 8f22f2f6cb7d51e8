import type { LiveMesh } from '../spec/live.js';
import type { MeshPlan } from '../spec/plan.js';
import type { Problem } from '../spec/problem.js';
import type { RegionSpec } from '../spec/region.js';
import { inboundOf } from './inbound.js';
import { lintFailover } from './lintFailover.js';
import { lintGraph } from './lintGraph.js';
import { lintLimits } from './lintLimits.js';
import { lintAdmission, lintInbound, lintWindows } from './lintPlan.js';
import type { LintInput } from './lintProblem.js';
import { problem } from './lintProblem.js';
import { lintBalancing, lintDurations, lintHealth, lintRanges, lintWeights } from './lintService.js';
import { windowAt } from './windowAt.js';

export interface LintOptions {
  /** As in LiveIntent; absent: as planned. */
  readyInstances?: Readonly<Record<string, number>>;
  /** ISO 8601, demand time: which window of the plan the mesh is of; absent: the first. */
  at?: string;
}

/**
 * Mistakes that a schema and the proxy's own validation cannot see, because they are no mistakes of form. Values that
 * a person set are theirs: of them only what cannot run at all is told (MESH001, MESH002, MESH009, MESH017, MESH019).
 * Linear in services and calls. docs/lint.md has an example of each code and how to mend it.
 *
 * | code | |
 * | --- | --- |
 * | MESH001 | weights are not whole percents that sum to 100 |
 * | MESH002 | requests go to a region where nobody answers |
 * | MESH003 | a rate limit refuses what ready capacity can serve |
 * | MESH004 | a breaker is below what Little's law needs |
 * | MESH005 | a failing endpoint would stay in rotation |
 * | MESH006 | retries may multiply requests beyond 1.5 along a path |
 * | MESH007 | a callee may take longer than its caller waits |
 * | MESH008 | connecting or a health check may take longer than what it is part of |
 * | MESH009 | a value is outside what it may ever be |
 * | MESH010 | an adjusted value is outside the range that the plan's gates covered |
 * | MESH011 | plan and region file do not name the same services |
 * | MESH012 | a region stands by without room for what would come over |
 * | MESH013 | requests go to a region that has nothing to spare |
 * | MESH014 | the limit in front of an instance is below what the instance works on |
 * | MESH015 | retries after any failure multiply, and no callee caps them |
 * | MESH016 | several regions share or stand by, and outlier detection can eject nobody |
 * | MESH017 | a breaker that limits nothing |
 * | MESH018 | a breaker with fewer than three slots at a proxy |
 * | MESH019 | balancing policy and affinity do not fit |
 * | MESH020 | slow start under a policy that has none |
 * | MESH021 | inbound proxies in front of no endpoint, or of some only |
 * | MESH022 | requests are repeated after any failure that are not known to be harmless |
 * | MESH023 | windows with gaps, out of order, or of services that no window set up |
 * | MESH024 | the plan sheds and does not say so |
 */
export function lintMesh(live: LiveMesh, region: RegionSpec, plan: MeshPlan, options: LintOptions = {}): Problem[] {
  const specs = new Map(region.services.map((service) => [service.name, service]));
  const window = windowAt(plan, options.at);
  const planned = new Map(window.services.map((service) => [service.service, service]));
  const inbound = inboundOf(region);
  const { readyInstances } = options;
  const problems = live.services.flatMap((service): Problem[] => {
    const spec = specs.get(service.service);
    const own = planned.get(service.service);
    if (spec === undefined || own === undefined)
      return [problem('MESH011', service, '', 'is in no plan or region file')];
    const ready = readyInstances === undefined ? {} : { readyInstances };
    return lintService({ live: service, spec, planned: own, region, inbound, ...ready });
  });
  const there = new Set(live.services.map((service) => service.service));
  const missing = region.services.filter(({ name }) => !there.has(name));
  return [
    ...problems,
    ...missing.map(({ name: service }) =>
      problem('MESH011', { service }, '', 'is in the region file, but not in the mesh'),
    ),
    ...lintFailover(live, region, planned),
    ...lintGraph({ live, planned, specs, inbound }),
    ...lintInbound(region, inbound),
    ...lintWindows(plan),
    ...lintAdmission(plan, window),
  ];
}

function lintService(input: LintInput): Problem[] {
  const weights = lintWeights(input);
  return [
    ...weights,
    ...lintRanges(input),
    // Limits are reckoned with the weights: what wrong ones say of them would only hide the cause.
    ...(weights.length > 0 ? [] : lintLimits(input)),
    ...lintHealth(input),
    ...lintDurations(input.live),
    ...lintBalancing(input.live),
  ];
}
