import type { PlanOutcome, PlanRequest, PlannedWindow } from './contract.js';
import { StepFailure, refuseAll } from './errors.js';
import type { Activity, Ports } from './ports.js';
import type { PlanDocument } from './release.js';
import { passGates, releaseOf } from './release.js';
import { roundsOfRows } from '../adapters/probes/networkProbe.js';
import { graphOfRegion } from '../core/graph/build.js';
import { blastRadius } from '../core/plan/blastRadius.js';
import { readDeploymentRecords } from '../core/plan/capacity/records/readRecords.js';
import type { PeakFactor } from '../core/plan/capacity/peakFactor.js';
import type { PastDeployment } from '../core/plan/capacity/records/pastDeployment.js';
import { readPeaks } from '../core/plan/peaks.js';
import { planMesh } from '../core/plan/plan.js';
import { busiestWindow, windowAt } from '../core/plan/windowAt.js';
import { compareLatencies, latencyProblems, withMeasuredLatencies } from '../core/tuning/networkLatencyComparison.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import type { ServiceGraph } from '../core/spec/graph.js';
import { planHash } from '../core/spec/hash.js';
import { wallTimeMs } from '../core/spec/demandClock.js';
import type { ActivationStage, LiveIntent } from '../core/spec/live.js';
import type { MeshPlan } from '../core/spec/plan.js';
import type { RegionSpec } from '../core/spec/region.js';

/** The plan's own gates cover both ends of its life: nothing local yet, and everything local with limits enforced. */
const GATED_STAGES: readonly ActivationStage[] = [
  { localPercent: 0, enforceLimits: false },
  { localPercent: 100, enforceLimits: true },
];

/** Graph and forecast to a mesh plan that has passed lint and the mesh's own validation. */
export const planRegion: Activity<PlanRequest, PlanOutcome> =
  (ports) =>
  async ({ specRef, forecastRef, previousRef }, run) => {
    const stated = await ports.artifacts.getJson<RegionSpec>(specRef);
    const { region: spec, warnings: contradicted } = await measuredWays(ports, stated);
    const forecast = await ports.artifacts.getJson<DemandForecast>(forecastRef);
    run.progress('planning');
    const previous = previousRef === undefined ? undefined : await ports.artifacts.getJson<PlanDocument>(previousRef);
    const document = await planOf(ports, spec, forecast, previous?.plan);
    const hash = planHash(document.plan);
    for (const [index, { from }] of document.plan.windows.entries()) {
      // Hosts differ in addresses and paths alone, which no window changes.
      const hosts = index === 0 ? spec.delivery.hosts : spec.delivery.hosts.slice(0, 1);
      for (const stage of GATED_STAGES) {
        const intent: LiveIntent = { stage, adjustments: [], overrides: [], window: from };
        run.progress(`checking the window from ${from}`);
        await passGates(ports, releaseOf(spec, document, hash, intent, hosts), intent, run.signal);
      }
    }
    const { windows } = document.plan;
    return {
      plan: { ref: await ports.artifacts.putJson('plan', document), hash },
      ...radiusOf(spec, previous?.plan ?? null, document.plan),
      ...(windows.length > 1 ? { windows: timedWindows(spec, document.plan) } : {}),
      services: windowAt(document.plan).services.map((service) => ({
        service: service.service,
        instances: service.instances.value,
        demandRps: service.demand.rps,
        reason: service.instances.reason,
      })),
      warnings: [...document.plan.warnings, ...document.graph.warnings, ...contradicted],
    };
  };

/** Told only where a person may have to judge by it. */
export function radiusOf(
  { approvals, mode, planning }: Pick<RegionSpec, 'approvals' | 'mode' | 'planning'>,
  running: MeshPlan | null,
  plan: MeshPlan,
): Pick<PlanOutcome, 'blastRadius'> {
  if (approvals === undefined && mode !== 'preview') return {};
  return { blastRadius: blastRadius(running, plan, planning?.hysteresis) };
}

/**
 * When each window begins by the clock on the wall. After the last one the busiest comes in force: until somebody plans
 * anew nobody knows what demand comes, and a night's settings are no guess for a day.
 */
export function timedWindows(spec: Pick<RegionSpec, 'demandClock'>, plan: MeshPlan): PlannedWindow[] {
  const end = plan.windows.at(-1)?.to ?? '';
  const timed = plan.windows.map(({ from }) => ({ from, wallFromMs: wallTimeMs(spec, from) }));
  return [...timed, { from: busiestWindow(plan).from, wallFromMs: wallTimeMs(spec, end) }];
}

/** An hour of them says more than the newest, and a way that changed is believed within half an hour. */
const MEASURED_WITHIN_MS = 3_600_000;

/**
 * The region with the ways to its neighbours as they were measured, where it says so; what contradicts it is told either
 * way. Measurements are never needed: without a store that answers, what is stated holds.
 */
async function measuredWays(
  ports: Ports,
  spec: RegionSpec,
): Promise<{ region: RegionSpec; warnings: readonly string[] }> {
  const toMs = ports.now() + 1;
  const tags = { from_region: spec.name };
  const query = { measurement: 'network', tags, fromMs: toMs - MEASURED_WITHIN_MS, toMs };
  const rows = await ports.metrics.query(query).catch(() => []);
  const compared = compareLatencies(spec, roundsOfRows(rows));
  const isMeasured = spec.planning?.networkLatency === 'measured';
  return {
    region: isMeasured ? withMeasuredLatencies(spec, compared) : spec,
    warnings: isMeasured ? [] : latencyProblems(spec, compared).map(({ message, fix }) => `${message}: ${fix}`),
  };
}

async function planOf(
  ports: Ports,
  spec: RegionSpec,
  forecast: DemandForecast,
  previous?: MeshPlan,
): Promise<PlanDocument> {
  const graph = await graphOf(ports, spec);
  const deployments = await deploymentsOf(ports, spec);
  const peaks = await peaksOf(ports, spec);
  const planned = planMesh({
    ...{ region: spec, forecast, graph, deployments, peaks },
    ...(previous === undefined ? {} : { previous }),
  });
  if (!planned.ok) {
    const untrusted = planned.problems.some((problem) => problem.code === 'trust-none');
    throw refuseAll(untrusted ? 'trust-none' : 'plan-refused', 'no plan can be made', planned.problems);
  }
  return { plan: planned.value, graph };
}

/** The service graph of a region from the edges and source files that its file names. */
export async function graphOf(ports: Pick<Ports, 'readText'>, spec: RegionSpec): Promise<ServiceGraph> {
  const texts: Record<string, string> = {};
  for (const { file } of spec.graph.sources ?? []) texts[file] = await readSource(ports, file);
  const built = graphOfRegion(spec, texts);
  if (!built.ok) throw refuseAll('plan-refused', 'the service graph is refused', built.problems);
  return built.value;
}

async function deploymentsOf(ports: Pick<Ports, 'readText'>, spec: RegionSpec): Promise<readonly PastDeployment[]> {
  const file = spec.planning?.deployments?.file;
  if (file === undefined) return [];
  const records = readDeploymentRecords(await readSource(ports, file), file);
  if (!records.ok) throw refuseAll('plan-refused', 'the records of past deployments are refused', records.problems);
  return records.value;
}

async function peaksOf(ports: Pick<Ports, 'readText'>, spec: RegionSpec): Promise<ReadonlyMap<string, PeakFactor>> {
  const file = spec.planning?.peaks?.file;
  if (file === undefined) return new Map();
  const peaks = readPeaks(await readSource(ports, file), file, spec.history.stepSeconds);
  if (!peaks.ok) throw refuseAll('plan-refused', 'the requests by second are refused', peaks.problems);
  return peaks.value;
}

async function readSource(ports: Pick<Ports, 'readText'>, file: string): Promise<string> {
  try {
    return await ports.readText(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailure('plan-refused', `${file} cannot be read: ${why}`, { cause: error });
  }
}
