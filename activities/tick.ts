import type { TickDecision, TickInput, TickOutcome, TickService } from './contract.js';
import { metricRows, observationOf, readyInstances, takeSnapshots } from './observeRegion.js';
import type { Activity } from './ports.js';
import type { Release } from './release.js';
import { renderRelease } from './release.js';
import { windowAt } from '../core/plan/windowAt.js';
import { propagateDemand } from '../core/graph/propagate.js';
import { demandTimeMs } from '../core/spec/demandClock.js';
import type { DemandForecast, Trust } from '../core/spec/forecast.js';
import { lowestTrust } from '../core/spec/forecast.js';
import type { QuantileName } from '../core/spec/region.js';
import type { Judgement, Observation } from '../core/spec/observation.js';
import { considerAdjustments } from '../core/tuning/aimd.js';
import { forecastAt } from '../core/tuning/forecastAt.js';
import { judgeAdjustment } from '../core/tuning/judgeAdjustment.js';
import type { DemandQuantiles, ServiceContext, TuningContext } from '../core/tuning/types.js';

/** Observes, records, compares with the forecast, judges the change in flight, and wants at most one new one. */
export const tick: Activity<TickInput, TickOutcome> = (ports) => async (input, run) => {
  const release = await renderRelease(ports, input);
  const { spec } = release;
  const forecast = await ports.artifacts.getJson<DemandForecast>(input.forecastRef);
  const previous = await ports.metrics.latestSnapshots(spec.name, ports.now());
  const current = await takeSnapshots(ports, spec, run);
  const nowMs = ports.now();
  await ports.metrics.putSnapshots(spec.name, current.snapshots);
  const observation = observationOf(spec, previous, current, nowMs);
  const expected = expectedDemand(release, forecast, demandTimeMs(spec, nowMs));
  const medians = Object.fromEntries([...expected].map(([service, demand]) => [service, demand.p50]));
  await ports.metrics.write(metricRows(spec, observation, medians));
  const context = contextOf(input, release, observation, expected, lowestTrust(forecast));
  const { verdict, decision } = decide(input, context, observation);
  return {
    at: observation.at,
    completeness: observation.completeness,
    services: observation.services.map((s): TickService => ({
      service: s.service,
      rps: s.rps,
      forecastP50: expected.get(s.service)?.p50 ?? null,
      forecastP95: expected.get(s.service)?.p95 ?? null,
      errorRate: s.errorRate,
      p99Ms: s.p99Ms,
      rateLimited: s.errors.rateLimited,
    })),
    readyInstances: readyInstances(spec, current.snapshots),
    verdict,
    decision,
  };
};

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
  };
}

/** A change in flight is judged first; there is never a second one beside it. */
function decide(
  input: TickInput,
  context: TuningContext,
  observation: Observation,
): { verdict: Judgement | null; decision: TickDecision } {
  const { inFlight } = input;
  if (inFlight !== null) {
    const { services, operate } = context;
    const judged = judgeAdjustment({ inFlight, observation, services, operate });
    const { verdict, action, reason } = judged;
    const decision: TickDecision = action === 'wait' ? { kind: 'none', reason } : { kind: action, reason };
    return { verdict: { verdict, reason }, decision };
  }
  if (input.autonomy === 'observe') {
    return { verdict: null, decision: { kind: 'none', reason: 'autonomy is observe: nothing is proposed' } };
  }
  return { verdict: null, decision: propose(context, observation) };
}

function propose(context: TuningContext, observation: Observation): TickDecision {
  const { proposal, refusals } = considerAdjustments(context);
  const baseline = observation.services.find((s) => s.service === proposal?.service);
  if (proposal === null || baseline === undefined) {
    const why = refusals.map((refusal) => refusal.reason).join('; ');
    return { kind: 'none', reason: why === '' ? 'nothing to do' : why };
  }
  const { address, from, to, reason, planHash, service } = proposal;
  const adjustment = { address, from, to, reason, planHash, madeAt: observation.at };
  return { kind: 'adjust', adjustment, service, baseline };
}
