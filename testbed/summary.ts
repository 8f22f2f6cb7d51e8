import type { AdjustmentStatus } from '../workflows/meshAdjustment/messages.js';
import type { RegionStatus } from '../workflows/regionLifecycle/status.js';
import type { ApplicationStatus } from './app/orchestrator.js';
import type { LoadReport } from './load.js';
import type { LoadFailure } from './load/stats.js';

/** What a run showed, as `npm start -- --once --summary FILE` writes it. Times are ISO 8601, UTC. */
export interface RunSummary {
  region: string;
  startedAt: string;
  finishedAt: string;
  durationSeconds: number;
  phase: RegionStatus['phase'];
  completed: RegionStatus['completed'];
  forecast: RegionStatus['forecast'];
  plan: RegionStatus['plan'];
  /** Every proxy reported the plan. */
  meshReadyAt: string | null;
  firstInstanceStartedAt: string | null;
  /** Recap by host of the first playbook run and of the second, which must change nothing. */
  playbookRuns: readonly unknown[];
  activation: RegionStatus['activation'];
  requests: {
    totals: LoadReport['totals'];
    byService: LoadReport['byService'];
    switches: LoadReport['switches'];
    /** 5xx and broken connections from the moment at which users entered through the region. */
    serverErrorsSinceMove: number;
    /** The same before it. */
    serverErrorsBeforeMove: number;
    failures: readonly LoadFailure[];
  };
  ticks: number;
  lastTick: AdjustmentStatus['lastTick'];
  adjustments: { made: number; reverted: number; inForce: AdjustmentStatus['adjustments'] };
  checks: readonly Check[];
}

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

export interface SummaryInput {
  startedAt: string;
  finishedAt: string;
  status: RegionStatus;
  adjustment: AdjustmentStatus | null;
  application: ApplicationStatus;
  load: LoadReport;
  wantedTicks: number;
}

const KEPT_FAILURES = 20;

export function summarise(input: SummaryInput): RunSummary {
  const { status, adjustment, application, load } = input;
  const movedAt = load.switches[0]?.at ?? null;
  const since = load.failures.filter((failure) => movedAt !== null && failure.at >= movedAt).length;
  const summary = {
    region: status.region,
    startedAt: input.startedAt,
    finishedAt: input.finishedAt,
    durationSeconds: (Date.parse(input.finishedAt) - Date.parse(input.startedAt)) / 1000,
    phase: status.phase,
    completed: status.completed,
    forecast: status.forecast,
    plan: status.plan,
    meshReadyAt: status.preDeployment?.meshReadyAt ?? null,
    firstInstanceStartedAt: application.firstInstanceStartedAt,
    playbookRuns: status.preDeployment?.recaps ?? [],
    activation: status.activation,
    requests: {
      totals: load.totals,
      byService: load.byService,
      switches: load.switches,
      serverErrorsSinceMove: since,
      serverErrorsBeforeMove: load.failures.length - since,
      failures: load.failures.slice(0, KEPT_FAILURES),
    },
    ticks: adjustment?.ticks ?? 0,
    lastTick: adjustment?.lastTick ?? null,
    adjustments: {
      made: adjustment?.adjustmentsMade ?? 0,
      reverted: adjustment?.adjustmentsReverted ?? 0,
      inForce: adjustment?.adjustments ?? [],
    },
  };
  return { ...summary, checks: check(summary, input.wantedTicks) };
}

function check(s: Omit<RunSummary, 'checks'>, wantedTicks: number): Check[] {
  const second = Object.values((s.playbookRuns[1] ?? {}) as Record<string, { changed: number }>);
  const changed = second.reduce((sum, host) => sum + host.changed, 0);
  const early = s.meshReadyAt !== null && s.firstInstanceStartedAt !== null && s.meshReadyAt < s.firstInstanceStartedAt;
  const failed = s.activation.filter((a) => a.verdict === 'failed');
  return [
    { name: 'operating', ok: s.phase === 'operating', detail: `phase ${s.phase}` },
    {
      name: 'mesh ready before the first instance started',
      ok: early,
      detail: `${s.meshReadyAt ?? 'never'} against ${s.firstInstanceStartedAt ?? 'never'}`,
    },
    {
      name: 'second playbook run changed nothing',
      ok: second.length > 0 && changed === 0,
      detail: `${changed} changed on ${second.length} hosts`,
    },
    { name: 'no activation step failed', ok: failed.length === 0, detail: `${failed.length} failed` },
    {
      name: 'no 5xx and no broken connection since users moved',
      ok: s.requests.serverErrorsSinceMove === 0,
      detail: `${s.requests.serverErrorsSinceMove} of ${s.requests.totals.sent} requests`,
    },
    { name: `${wantedTicks} ticks`, ok: s.ticks >= wantedTicks, detail: `${s.ticks} ticks` },
  ];
}
