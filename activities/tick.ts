import type { AdjustDecision, TickDecision, TickInput, TickOutcome, TickService } from './contract.js';
import { attempt, within } from './limited.js';
import { metricRows } from './metricRows.js';
import { STORE_TIMEOUT_MS, observationOf, readyInstances, takeSnapshots } from './observeRegion.js';
import type { Activity, ActivityRun, Ports } from './ports.js';
import { recordHosts } from './recordHosts.js';
import type { Release } from './release.js';
import { renderRelease } from './release.js';
import { windowAt } from '../core/plan/windowAt.js';
import { propagateDemand } from '../core/graph/propagate.js';
import { proposalId } from '../core/spec/autonomy.js';
import { demandTimeMs } from '../core/spec/demandClock.js';
import type { DemandForecast, Trust } from '../core/spec/forecast.js';
import { lowestTrust } from '../core/spec/forecast.js';
import type { QuantileName, RegionSpec } from '../core/spec/region.js';
import type { Judgement, Observation, ProxySnapshot } from '../core/spec/observation.js';
import { considerAdjustments } from '../core/tuning/aimd.js';
import { forecastAt } from '../core/tuning/forecastAt.js';
import { effectiveLevel } from '../core/tuning/guards.js';
import { judgeAdjustment } from '../core/tuning/judgeAdjustment.js';
import { withForecast } from '../core/tuning/observeForecast.js';
import type {
  AutonomyContext,
  DemandQuantiles,
  Proposal,
  ServiceContext,
  TuningContext,
} from '../core/tuning/types.js';

/** Named in an outcome, which stays in a workflow's history. */
const MOST_PROBLEMS = 5;

/** Observes, records, compares with the forecast, judges the change in flight, and wants at most one new one. */
export const tick: Activity<TickInput, TickOutcome> = (ports) => async (input, run) => {
  const release = await renderRelease(ports, input);
  const { spec } = release;
  const forecast = await ports.artifacts.getJson<DemandForecast>(input.forecastRef);
  const { observation: seen, snapshots, problems } = await observeTick(ports, spec, input.plan.hash, run);
  const expected = expectedDemand(release, forecast, demandTimeMs(spec, Date.parse(seen.at)));
  const observation = withForecast(seen, expected);
  problems.push(...(await attempt('this tick is not recorded', () => ports.metrics.write(metricRows(observation)))));
  problems.push(...(await recordHosts(ports, spec, run)));
  ports.prober?.offer(spec);
  const context = contextOf(input, release, observation, expected, lowestTrust(forecast));
  const { verdict, decision } = decide(context, observation);
  const told = [...observation.problems, ...problems];
  return {
    at: observation.at,
    completeness: observation.completeness,
    services: observation.services.map((s): TickService => ({
      service: s.service,
      rps: s.rps,
      forecastP50: s.forecast?.p50Rps ?? null,
      forecastP95: s.forecast?.p95Rps ?? null,
      errorRate: s.errorRate,
      p99Ms: s.p99Ms,
      rateLimited: s.errors.rateLimited,
    })),
    readyInstances: followedReady(input, observation, readyInstances(spec, snapshots)),
    verdict,
    decision,
    ageSeconds: observation.ageSeconds,
    ...(observation.contradictions.length === 0
      ? {}
      : { contradictions: observation.contradictions.slice(0, MOST_PROBLEMS).map(({ reason }) => reason) }),
    ...(told.length === 0 ? {} : { problems: told.slice(0, MOST_PROBLEMS) }),
  };
};

/** A store that is away costs the baseline, and so the verdict, but not the tick. */
async function observeTick(
  ports: Ports,
  spec: RegionSpec,
  planHash: string,
  run: ActivityRun,
): Promise<{ observation: Observation; snapshots: readonly ProxySnapshot[]; problems: string[] }> {
  let previous: readonly ProxySnapshot[] = [];
  const problems = await attempt('the last reading is not known', async () => {
    run.progress('asking the metrics store');
    previous = await within(STORE_TIMEOUT_MS, run.signal, () => ports.metrics.latestSnapshots(spec.name, ports.now()));
  });
  run.signal.throwIfAborted();
  const current = await takeSnapshots(ports, spec, run, planHash);
  problems.push(
    ...(await attempt('this reading is not kept', () => ports.metrics.putSnapshots(spec.name, current.snapshots))),
  );
  const window = { previous, current, usualMs: spec.operate.tickSeconds * 1000, planHash };
  return { observation: await observationOf(ports, spec, window, run), snapshots: current.snapshots, problems };
}

/** Limits follow the instances that are ready, but not on the word of sources that contradict each other. */
function followedReady(
  { intent }: TickInput,
  { contradictions }: Observation,
  ready: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return contradictions.length === 0 ? ready : (intent.readyInstances ?? ready);
}

/** Demand at the entry services by the forecast, and at the rest by the calls that each request makes. */
function expectedDemand(release: Release, forecast: DemandForecast, atMs: number): Map<string, DemandQuantiles> {
  const entries = release.spec.services.filter((service) => service.entry !== undefined);
  const known = entries.flatMap(({ name }) => {
    const demand = forecastAt(forecast, name, atMs);
    return demand === null ? [] : [{ name, demand }];
  });
  if (known.length < entries.length) return new Map();
  const at = (quantile: QuantileName): Readonly<Record<string, number>> => {
    const entryRps = Object.fromEntries(known.map(({ name, demand }) => [name, demand[quantile]]));
    const spread = propagateDemand(release.document.graph, entryRps);
    return spread.ok ? spread.value : {};
  };
  const [p50, p80, p90, p95, p99] = [at('p50'), at('p80'), at('p90'), at('p95'), at('p99')];
  return new Map(
    Object.entries(p50).map(([service, rps]) => [
      service,
      {
        p50: rps,
        p80: p80[service] ?? rps,
        p90: p90[service] ?? rps,
        p95: p95[service] ?? rps,
        p99: p99[service] ?? rps,
      },
    ]),
  );
}

function contextOf(
  input: TickInput,
  release: Release,
  observation: Observation,
  expected: ReadonlyMap<string, DemandQuantiles>,
  trust: Trust,
): TuningContext {
  const { spec, document, live } = release;
  const services = windowAt(document.plan, input.intent.window).services.flatMap((plan): ServiceContext[] => {
    const service = spec.services.find((s) => s.name === plan.service);
    const settings = live.services.find((s) => s.service === plan.service)?.settings;
    if (service === undefined || settings === undefined) return [];
    const callees = document.graph.edges.filter((edge) => edge.caller === plan.service).map((edge) => edge.callee);
    const forecast = expected.get(plan.service) ?? null;
    return [{ plan, slo: service.slo, capacity: service.capacity, live: settings, callees, forecast, trust }];
  });
  return {
    planHash: input.plan.hash,
    observation,
    services,
    proxies: spec.delivery.hosts.length,
    operate: spec.operate,
    frozen: input.frozen,
    inFlight: input.inFlight,
    overrides: input.intent.overrides,
    autonomy: autonomyOfTick(input),
  };
}

function autonomyOfTick({ autonomy, autonomyRules, takenOver, answers }: TickInput): AutonomyContext {
  return {
    level: autonomy,
    rules: autonomyRules ?? [],
    takenOver: takenOver === true,
    answers: answers ?? [],
    least: 'act',
  };
}

/** A change in flight is judged first, whatever the autonomy is; there is never a second one beside it. */
export function decide(
  context: TuningContext,
  observation: Observation,
): { verdict: Judgement | null; decision: TickDecision } {
  const { inFlight } = context;
  if (inFlight !== null) {
    const { services, operate } = context;
    const judged = judgeAdjustment({ inFlight, observation, services, operate });
    const { verdict, action, reason } = judged;
    const decision: TickDecision = action === 'wait' ? { kind: 'none', reason } : { kind: action, reason };
    return { verdict: { verdict, reason }, decision };
  }
  return { verdict: null, decision: propose(context, observation) };
}

/** What may be made goes first; where nothing may, what a person may be shown. */
function propose(context: TuningContext, observation: Observation): TickDecision {
  const { autonomy } = context;
  const toMake = considerAdjustments(context);
  const made = adjustDecision(toMake.proposal, 'act', observation);
  if (made !== null) return made;
  if (autonomy !== undefined) {
    const { proposal } = considerAdjustments({ ...context, autonomy: { ...autonomy, least: 'suggest' } });
    const level = proposal === null ? 'observe' : effectiveLevel(autonomy, proposal);
    const shown = adjustDecision(proposal, level === 'approve' ? 'approve' : 'suggest', observation);
    if (shown !== null) return shown;
  }
  const why = toMake.refusals.map((refusal) => refusal.reason).join('; ');
  return { kind: 'none', reason: why === '' ? 'nothing to do' : why };
}

function adjustDecision(
  proposal: Proposal | null,
  level: NonNullable<AdjustDecision['level']>,
  observation: Observation,
): AdjustDecision | null {
  const baseline = observation.services.find((s) => s.service === proposal?.service);
  if (proposal === null || baseline === undefined) return null;
  const { address, from, to, reason, planHash, service } = proposal;
  const adjustment = { address, from, to, reason, planHash, madeAt: observation.at };
  const id = level === 'approve' ? { id: proposalId(adjustment) } : {};
  return { kind: 'adjust', adjustment, service, baseline, level, ...id };
}
