import type { RegionActivities, TickOutcome } from './contract.js';
import { BLOCKED_REASONS, VERDICTS } from '../adapters/telemetry/states.js';
import type { Meter } from '../adapters/telemetry/port.js';
import type { ServiceObservation } from '../core/spec/observation.js';

export type ActivityName = keyof RegionActivities;

/** One attempt of an activity, as it ended. */
export interface ActivityCall {
  name: string;
  region: string | null;
  outcome: { kind: 'completed'; output: unknown } | { kind: 'failed'; reason: string } | { kind: 'cancelled' };
  seconds: number;
}

type Result = 'succeeded' | 'failed' | 'cancelled';
type Outputs = { [N in ActivityName]: Awaited<ReturnType<RegionActivities[N]>> };
type Mapping<N extends ActivityName> = {
  /** What its output says. */
  completed?(meter: Meter, region: string, output: Outputs[N]): void;
  /** What that it ended says, however it did. */
  ended?(meter: Meter, region: string, result: Result, seconds: number): void;
};

/** What each activity tells of its region; the activities themselves know nothing of it. */
const MAPPINGS: { readonly [N in ActivityName]?: Mapping<N> } = {
  forecastRegion: {
    ended: (meter, region, result, seconds) => {
      meter.add('psmg_forecasts_total', { region, result });
      meter.add('psmg_forecast_seconds_total', { region }, seconds);
    },
    completed: (meter, region, { services }) => {
      for (const { service, peakRps } of services) {
        meter.set('psmg_service_forecast_peak_requests_per_second', { region, service }, peakRps);
      }
    },
  },
  planRegion: {
    ended: (meter, region, result) => meter.add('psmg_plans_total', { region, result }),
    completed: (meter, region, { services }) => {
      for (const { service, instances } of services) {
        meter.set('psmg_service_planned_instances', { region, service }, instances);
      }
    },
  },
  deployRelease: { ended: deployed('delivery') },
  applyIntent: { ended: deployed('swap') },
  restoreDeployment: { ended: deployed('restore') },
  judgeStage: {
    completed: (meter, region, { verdict, services }) => {
      meter.add('psmg_stage_verdicts_total', { region, verdict });
      for (const seen of services) observed(meter, region, seen);
    },
  },
  tick: {
    ended: (meter, region, result) => {
      if (result === 'failed') meter.add('psmg_observations_total', { region, result });
    },
    completed: ticked,
  },
};

/** Turns one attempt of an activity into figures: a mapping, without a state of its own. */
export function recordActivity(meter: Meter, { name, region, outcome, seconds }: ActivityCall): void {
  meter.observe('psmg_activity_duration_seconds', { activity: name, outcome: outcome.kind }, seconds);
  if (outcome.kind === 'failed') {
    const reason = BLOCKED_REASONS.includes(outcome.reason) ? outcome.reason : 'other';
    meter.add('psmg_activity_failures_total', { activity: name, reason });
  }
  const mapping = (MAPPINGS as Readonly<Record<string, Mapping<ActivityName>>>)[name];
  if (region === null || mapping === undefined) return;
  mapping.ended?.(meter, region, outcome.kind === 'completed' ? 'succeeded' : outcome.kind, seconds);
  if (outcome.kind === 'completed') mapping.completed?.(meter, region, outcome.output as never);
}

/** Counters of a region from 0 on, so that the first reversal or failure is an increase. */
export function openRegion(meter: Meter, region: string): void {
  for (const decision of ['none', 'adjust', 'keep', 'revert']) {
    meter.add('psmg_adjustment_decisions_total', { region, decision }, 0);
  }
  for (const verdict of VERDICTS) {
    meter.add('psmg_adjustment_verdicts_total', { region, verdict }, 0);
    meter.add('psmg_stage_verdicts_total', { region, verdict }, 0);
  }
  for (const result of ['complete', 'partial', 'failed']) meter.add('psmg_observations_total', { region, result }, 0);
  for (const result of ['succeeded', 'failed']) {
    meter.add('psmg_forecasts_total', { region, result }, 0);
    meter.add('psmg_plans_total', { region, result }, 0);
    for (const kind of ['delivery', 'swap', 'restore']) {
      meter.add('psmg_deployments_total', { region, kind, result }, 0);
    }
  }
}

/** The region that a workflow looks after, by the ids of `workflows/shared/names.ts`; `null`: it is another's. */
export function regionOfWorkflow(workflowId: string): string | null {
  return /^region\/([^/]+)(?:\/adjustment)?$/.exec(workflowId)?.[1] ?? null;
}

/** The plan that an activity works on, by its input; `null`: it works on none. */
export function planHashOf(input: unknown): string | null {
  const hash = (input as { plan?: { hash?: unknown } | null } | null | undefined)?.plan?.hash;
  return typeof hash === 'string' ? hash : null;
}

function deployed(kind: string): NonNullable<Mapping<'applyIntent'>['ended']> {
  return (meter, region, result) => meter.add('psmg_deployments_total', { region, kind, result });
}

function ticked(meter: Meter, region: string, outcome: TickOutcome): void {
  meter.add('psmg_observations_total', { region, result: outcome.completeness < 1 ? 'partial' : 'complete' });
  meter.add('psmg_adjustment_decisions_total', { region, decision: outcome.decision.kind });
  if (outcome.verdict !== null) {
    meter.add('psmg_adjustment_verdicts_total', { region, verdict: outcome.verdict.verdict });
  }
  meter.since('psmg_region_observation_age_seconds', { region }, Date.parse(outcome.at));
  meter.set('psmg_region_completeness_ratio', { region }, outcome.completeness);
  for (const seen of outcome.services) {
    const { service, forecastP50, forecastP95 } = seen;
    const at = { region, service };
    observed(meter, region, { ...seen, readyInstances: outcome.readyInstances[service] ?? null });
    meter.set('psmg_service_forecast_requests_per_second', { ...at, quantile: 'p50' }, forecastP50);
    meter.set('psmg_service_forecast_requests_per_second', { ...at, quantile: 'p95' }, forecastP95);
    meter.set('psmg_service_forecast_error_ratio', at, forecastError(seen.rps, forecastP50));
    meter.add('psmg_service_rate_limited_requests_total', at, seen.rateLimited);
  }
}

type Seen = Pick<ServiceObservation, 'service' | 'rps' | 'errorRate' | 'p99Ms'> & { readyInstances: number | null };

function observed(meter: Meter, region: string, seen: Seen): void {
  const at = { region, service: seen.service };
  meter.set('psmg_service_requests_per_second', at, seen.rps);
  meter.set('psmg_service_error_ratio', at, seen.errorRate);
  meter.set('psmg_service_latency_p99_seconds', at, seen.p99Ms === null ? null : seen.p99Ms / 1000);
  meter.set('psmg_service_ready_instances', at, seen.readyInstances);
}

/** Signed and relative to the forecast; `null` where there is none, or one of nothing. */
function forecastError(rps: number, forecastRps: number | null): number | null {
  return forecastRps === null || forecastRps <= 0 ? null : (rps - forecastRps) / forecastRps;
}
