import { graphOfRegion } from '../core/graph/build.js';
import type { PeakFactor } from '../core/plan/capacity/peakFactor.js';
import type { PastDeployment } from '../core/plan/capacity/records/pastDeployment.js';
import { readDeploymentRecords } from '../core/plan/capacity/records/readRecords.js';
import { readPeaks } from '../core/plan/peaks.js';
import type { ServiceGraph } from '../core/spec/graph.js';
import type { Problem, Result } from '../core/spec/problem.js';
import { ok, refused } from '../core/spec/problem.js';
import type { RegionSpec } from '../core/spec/region.js';
import { readText } from './readText.js';

/** What a plan is made from besides the forecast, out of the files that a region names; all unreadable ones are told. */
export async function readGraph(region: RegionSpec): Promise<Result<ServiceGraph>> {
  const texts: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const { file } of region.graph.sources ?? []) {
    const text = await readText(file);
    if (text.ok) texts[file] = text.value;
    else problems.push(...text.problems);
  }
  return problems.length > 0 ? refused(problems) : graphOfRegion(region, texts);
}

export async function readDeployments({ planning }: RegionSpec): Promise<Result<readonly PastDeployment[]>> {
  if (planning?.deployments === undefined) return ok([]);
  const { file } = planning.deployments;
  const text = await readText(file);
  return text.ok ? readDeploymentRecords(text.value, file) : text;
}

export async function peaksOf({ planning, history }: RegionSpec): Promise<Result<ReadonlyMap<string, PeakFactor>>> {
  if (planning?.peaks === undefined) return ok(new Map());
  const { file } = planning.peaks;
  const text = await readText(file);
  return text.ok ? readPeaks(text.value, file, history.stepSeconds) : text;
}
