import type { AcceptedRegion, ForecastOutcome, PlanOutcome, StackOutcome } from '../../activities/contract.js';
import type { ActivationStage, LiveIntent, Override } from '../../core/spec/live.js';
import type { HostRecap } from '../../core/spec/deployment.js';
import type { RunOrder } from '../meshAdjustment/messages.js';
import type { Command } from './mailbox.js';
import type { AdjustmentReport, MessageName, MessageOutcome } from './messages.js';
import type { AutonomyRule } from '../../core/spec/region.js';
import type { ApprovalState } from './approvals.js';
import { approvalLines, approvalStatus } from './approvals.js';
import { autonomyLines, autonomyOrder, autonomyStatus, heldByPeople } from './autonomy.js';
import type { CalendarState } from './calendar.js';
import { calendarLines, calendarStatus } from './calendar.js';
import { missingInstances, missingLines } from './fewerInstances.js';
import type { Compensation } from './compensations.js';
import type { Leaving } from './leave.js';
import type { OutboxState } from './outbox.js';
import { notificationLines, notificationStatus } from './outbox.js';
import type { PermitState } from './permits.js';
import { permitLines } from './permits.js';
import type { AuditState } from '../shared/audit.js';
import type { ChangeAnswer } from '../shared/autonomy.js';
import { auditStatusOf } from '../shared/audit.js';
import { dueWindow } from '../shared/windows.js';
import type { Phase, Step } from '../../core/spec/lifecycle.js';
import type {
  ActivationRecord,
  Blocked,
  DeploymentRecord,
  Freeze,
  RefusedMessage,
  RegionStatus,
  ReplanRecord,
  TunerState,
} from './status.js';

/** Of the state that continue-as-new hands on; `handOn.ts` reads older ones. */
export const STATE_SCHEMA = 2;

export interface LifecycleState {
  schema: typeof STATE_SCHEMA;
  accepted: AcceptedRegion;
  phase: Phase;
  step: Step;
  completed: Step[];
  blocked: Blocked | null;
  epoch: number;
  /** Release that the targets run as far as we know; `null` before the first write. */
  currentHash: string | null;
  forecast: ForecastOutcome | null;
  plan: PlanOutcome | null;
  /** Window of the plan that runs or is about to; absent: the first, or the plan has only one. */
  window?: string;
  replan?: {
    /** Who asked for one that has not begun yet. */
    wantedBy: string | null;
    /** When the schedule is due next, from when the last one began. */
    startedMs: number;
    last: ReplanRecord | null;
  };
  preDeployment: {
    meshReadyAt: string;
    recaps: readonly Readonly<Record<string, HostRecap>>[];
    reattached: boolean;
  } | null;
  stack: StackOutcome | null;
  entryMoved: boolean;
  stage: ActivationStage;
  /** Index of the stage that comes next in `activationStages`. */
  stageIndex: number;
  activation: ActivationRecord[];
  deployments: DeploymentRecord[];
  /** Decisions taken at blocks so far; part of the deployment id, so that a retry is a run of its own. */
  deployRetries: number;
  /** Set while what runs is a deployment that a person rolled back to; `from` is the stage that resume goes back to. */
  rolledBack: { to: string; from: ActivationStage } | null;
  overrides: Override[];
  /** Number of the newest copy of overrides and freeze; the adjustment answers by it. */
  copy: number;
  freeze: Freeze | null;
  tuner: { state: TunerState; report: AdjustmentReport | null };
  refused: { total: number; last: RefusedMessage[] };
  keys: Record<string, KeyRecord>;
  /** Signals that the run before had taken and not carried out; absent: none. */
  queued?: readonly Command[];
  /** Absent: nothing was noted yet. */
  audit?: AuditState;
  /** The newest plan that waited for a person's word; absent: none ever did. */
  approval?: ApprovalState;
  /** What people said of autonomy, the newest last; it goes before the region file's. Absent: nothing. */
  autonomyRules?: AutonomyRule[];
  /** What people said of adjustments that waited for their word, the newest last; absent: nothing. */
  proposalAnswers?: ChangeAnswer[];
  /** Absent: the program may act as far as its autonomy goes. */
  takenOver?: { who: string; why: string; since: string };
  /** Absent: the region file names no calendar, or it has not been read yet. */
  calendar?: CalendarState;
  /** What a person wants to come of the region and how far that is; absent: it is to go on. */
  leaving?: Leaving;
  /** Ways back from the steps that were begun, in their order; absent: begun under an older build. */
  compensations?: Compensation[];
  /** Users are elsewhere since then; `from` is the stage that they left. */
  drained?: { who: string; why: string; since: string; from: ActivationStage };
  /** Absent: the region belongs to no fleet, or has asked for nothing yet. */
  permit?: PermitState;
  /** Absent: nobody was told anything yet. */
  outbox?: OutboxState;
}

export interface KeyRecord {
  atMs: number;
  name: MessageName;
  /** `null` while the message is being carried out. */
  outcome: MessageOutcome | null;
}

export const STEPS: readonly Step[] = ['forecast', 'plan', 'pre-deploy', 'await-stack', 'activate', 'operate'];

export const PHASE_OF: Readonly<Record<Step, Phase>> = {
  forecast: 'forecasting',
  plan: 'planning',
  'pre-deploy': 'pre-deploying',
  'await-stack': 'awaiting-stack',
  activate: 'activating',
  operate: 'operating',
};

/** Kept in state; older records stay in history. */
const KEPT_RECORDS = 40;

export function keepLast<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > KEPT_RECORDS) list.splice(0, list.length - KEPT_RECORDS);
}

/** Deployment 0 is kept however many follow it: `retire` and `rollback` go back to it. */
export function keepDeployment(list: DeploymentRecord[], record: DeploymentRecord): void {
  list.push(record);
  if (list.length > KEPT_RECORDS) list.splice(list[0]?.kind === 'baseline' ? 1 : 0, list.length - KEPT_RECORDS);
}

export function initialState(accepted: AcceptedRegion): LifecycleState {
  return {
    schema: STATE_SCHEMA,
    accepted,
    phase: 'accepting',
    step: 'forecast',
    completed: [],
    blocked: null,
    epoch: 1,
    currentHash: null,
    forecast: null,
    plan: null,
    preDeployment: null,
    stack: null,
    entryMoved: false,
    stage: { localPercent: 0, enforceLimits: false },
    stageIndex: 0,
    activation: [],
    deployments: [],
    deployRetries: 0,
    rolledBack: null,
    overrides: [],
    copy: 0,
    freeze: null,
    tuner: { state: 'not-started', report: null },
    refused: { total: 0, last: [] },
    keys: {},
  };
}

/**
 * Activation as data: first the entry moves here while every request still goes to the neighbour, then local weights
 * rise, and last the limits begin to refuse.
 */
export function activationStages(steps: readonly number[]): readonly ActivationStage[] {
  return [
    { localPercent: 0, enforceLimits: false },
    ...steps.map((localPercent) => ({ localPercent, enforceLimits: false })),
    { localPercent: steps.at(-1) ?? 100, enforceLimits: true },
  ];
}

/** What should run now as far as the lifecycle decides it; the adjustment adds its own. */
export function intentOf(state: LifecycleState): LiveIntent {
  return {
    stage: state.stage,
    ...(state.stack === null ? {} : { readyInstances: state.stack.readyInstances }),
    adjustments: [],
    overrides: state.overrides,
    ...(state.window === undefined ? {} : { window: state.window }),
  };
}

/** The order under which the adjustment takes over. Throws where nothing is deployed that it could adjust. */
export function runOrderOf(state: LifecycleState): RunOrder {
  const { currentHash, forecast, plan } = state;
  if (currentHash === null || forecast === null || plan === null) throw new Error('nothing is deployed yet');
  return {
    epoch: state.epoch,
    hash: currentHash,
    specRef: state.accepted.specRef,
    plan: plan.plan,
    forecastRef: forecast.ref,
    stage: state.stage,
    readyInstances: state.stack?.readyInstances ?? {},
    ...(plan.windows === undefined ? {} : { windows: plan.windows }),
    ...(state.window === undefined ? {} : { window: state.window }),
    copy: state.copy,
    overrides: state.overrides,
    frozen: state.freeze !== null,
    ...autonomyOrder(state),
  };
}

/**
 * Goes over to the window that is due, before a write of ours. A freeze keeps the window in which it came, and where
 * the region may not act by itself the window stays that was put in force with a person's knowledge.
 */
export function takeDueWindow(state: LifecycleState, atMs: number): void {
  if (state.freeze !== null || (state.step === 'operate' && heldByPeople(state) !== null)) return;
  const due = dueWindow(state.plan?.windows, atMs);
  if (due !== undefined) state.window = due;
}

export function statusOf(state: LifecycleState): RegionStatus {
  const notifications = notificationStatus(state);
  const approval = approvalStatus(state);
  const calendar = calendarStatus(state);
  const missing = missingInstances(state);
  return {
    region: state.accepted.name,
    phase: state.phase,
    step: state.step,
    completed: state.completed,
    blocked: state.blocked,
    autonomy: state.accepted.autonomy,
    ...autonomyStatus(state),
    trust: state.forecast?.trust ?? null,
    epoch: state.epoch,
    planHash: state.plan?.plan.hash ?? null,
    currentHash: state.currentHash,
    forecast: state.forecast && {
      trust: state.forecast.trust,
      services: state.forecast.services,
      notes: state.forecast.notes,
    },
    plan: state.plan && {
      services: state.plan.services,
      ...(state.plan.windows === undefined
        ? {} // The busiest stands twice: it comes back beyond the horizon.
        : { windows: [...new Set(state.plan.windows.map((window) => window.from))] }),
      warnings: state.plan.warnings,
    },
    ...(state.window === undefined ? {} : { window: state.window }),
    ...(state.replan === undefined || state.replan.last === null ? {} : { replan: state.replan.last }),
    preDeployment: state.preDeployment,
    stack: state.stack,
    entryMoved: state.entryMoved,
    activation: state.activation,
    deployments: state.deployments,
    rolledBackTo: state.rolledBack?.to ?? null,
    ...(state.leaving === undefined ? {} : { leaving: state.leaving }),
    ...(state.drained === undefined ? {} : { drained: state.drained }),
    ...(state.compensations === undefined ? {} : { compensations: state.compensations }),
    overrides: state.overrides,
    freeze: state.freeze,
    tuner: state.tuner,
    refused: state.refused,
    ...(state.permit === undefined ? {} : { permit: state.permit }),
    ...(state.audit === undefined ? {} : { audit: auditStatusOf(state.audit) }),
    ...(approval === undefined ? {} : { approval }),
    ...(calendar === undefined ? {} : { calendar }),
    ...(missing.length === 0 ? {} : { missingInstances: missing }),
    ...(notifications === null ? {} : { notifications }),
    warnings: state.accepted.warnings,
  };
}

/** One line that `temporal workflow describe` shows as memo, and the head of the details in the UI. */
export function statusLine(state: LifecycleState): string {
  const taken = state.takenOver === undefined ? '' : ` · taken over by ${state.takenOver.who}: ${state.takenOver.why}`;
  const frozen = `${state.freeze === null ? '' : ` · frozen by ${state.freeze.who}: ${state.freeze.why}`}${taken}`;
  if (state.blocked !== null) {
    return `blocked at ${state.blocked.step}: ${state.blocked.reason} · ${firstLine(state.blocked.detail)}${frozen}`;
  }
  const staged = state.phase === 'activating' || state.phase === 'draining';
  return `${state.phase}${staged ? ` at ${state.stage.localPercent} %` : ''}${frozen}`;
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, 300);
}

export function detailsMarkdown(state: LifecycleState): string {
  const lines = [`**${statusLine(state)}**`, ''];
  if (state.blocked !== null) {
    lines.push('```', state.blocked.detail.slice(0, 4000), '```', 'Waits for `retry`, `skip` or `abort`.', '');
  }
  lines.push(`- steps done: ${state.completed.join(', ') || 'none'}`);
  lines.push(
    `- trust: ${state.forecast?.trust ?? 'not known yet'} · plan: \`${state.plan?.plan.hash.slice(0, 12) ?? '–'}\``,
  );
  lines.push(
    `- epoch ${state.epoch} · release \`${state.currentHash?.slice(0, 12) ?? 'none'}\` · tuner ${state.tuner.state}`,
  );
  if (state.window !== undefined) lines.push(`- window of the plan from ${state.window}`);
  if (state.replan?.last)
    lines.push(`- planned anew by ${state.replan.last.by}: ${state.replan.last.state}, ${state.replan.last.detail}`);
  if (state.leaving !== undefined) {
    const { what, who, why, detail } = state.leaving;
    lines.push(`- ${what} by ${who} (${why}): ${state.leaving.state}, ${detail}`);
  }
  lines.push(...permitLines(state));
  if (state.audit?.problem) lines.push(`- audit: ${state.audit.pending.length} entries wait: ${state.audit.problem}`);
  lines.push(...approvalLines(state), ...calendarLines(state), ...missingLines(state));
  lines.push(...autonomyLines(state), ...notificationLines(state));
  for (const o of state.overrides) lines.push(`- override ${o.address} = ${o.value} by ${o.who}: ${o.why}`);
  return lines.join('\n');
}
