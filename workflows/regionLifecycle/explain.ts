import type { PlanReference } from '../../activities/contract.js';
import type { ArtifactRef } from '../../core/spec/artifact.js';
import type { LiveIntent, Override } from '../../core/spec/live.js';
import type { Phase, Step } from '../../core/spec/lifecycle.js';
import type { ApprovalState } from './approvals.js';
import { nextChanges } from './explainNext.js';
import { waitsOf } from './explainWaits.js';
import type { LifecycleState } from './state.js';
import { intentOf } from './state.js';
import type { MessageName } from './messages.js';
import type { TunerState } from './status.js';

/** A message that ends what the region waits for. */
export interface WayOn {
  message: MessageName;
  does: string;
  /** As typed; key, who and why are the sender's. */
  line: string;
}

/** Something that keeps the region from going on by itself. */
export interface Wait {
  for: string;
  /** ISO 8601; `null`: not kept. */
  since: string | null;
  /** Empty: nobody of the region can; `for` says who. */
  ways: readonly WayOn[];
}

export type NextKind =
  'window' | 'replan' | 'override-expires' | 'approval-expires' | 'permit-expires' | 'calendar' | 'tick' | 'stage';

/** A change that the program makes by itself. */
export interface NextChange {
  kind: NextKind;
  /** ISO 8601; `null`: as soon as what it waits for has come. */
  at: string | null;
  what: string;
  /** Why it will not come at its time; `null`: nothing holds it back. */
  heldBy: string | null;
}

/** Something that was decided, by a person or the program. */
export interface Decision {
  at: string;
  what: string;
}

/** What query `explain` answers: why the region is as it is, and what comes next. */
export interface RegionExplanation {
  region: string;
  /** ISO 8601: clock of the workflow when it last did something. */
  at: string;
  phase: Phase;
  step: Step;
  /** Since when it is in this phase, ISO 8601; `null`: not kept. */
  since: string | null;
  /** In words. */
  why: string;
  waits: readonly Wait[];
  /** The next first; those without a time last. */
  next: readonly NextChange[];
  /** The newest plan that waited for a person's word; absent: none ever did. */
  approval?: ApprovalState;
  /** What people set, by service and beyond the plan. */
  services: readonly { service: string; overrides: readonly Override[] }[];
  tuner: { state: TunerState; adjustmentsMade: number; adjustmentsReverted: number; lastDecision: string | null };
  /** The newest first, at most ten. */
  decisions: readonly Decision[];
  /** What a message may name. */
  names: { services: readonly string[]; regions: readonly string[] };
  /** The region file as it was accepted, by hash and in the artifact store. */
  specRef: ArtifactRef;
  plan: PlanReference | null;
  /** What the lifecycle wants to run; the adjustments of the tuner are in its own status. */
  intent: LiveIntent;
}

/** Pure: `atMs` is the workflow's clock. */
export function explainRegion(state: LifecycleState, atMs: number): RegionExplanation {
  const { accepted, tuner } = state;
  const { report } = tuner;
  return {
    region: accepted.name,
    at: new Date(atMs).toISOString(),
    phase: state.phase,
    step: state.step,
    since: sinceOf(state),
    why: whyOf(state),
    waits: waitsOf(state),
    next: nextChanges(state, atMs),
    ...(state.approval === undefined ? {} : { approval: state.approval }),
    services: accepted.services.map((service) => ({
      service,
      overrides: state.overrides.filter((one) => one.address.startsWith(`${service}.`)),
    })),
    tuner: {
      state: tuner.state,
      adjustmentsMade: report?.adjustmentsMade ?? 0,
      adjustmentsReverted: report?.adjustmentsReverted ?? 0,
      lastDecision: report?.lastDecision ?? null,
    },
    decisions: decisionsOf(state),
    names: { services: accepted.services, regions: accepted.regions },
    specRef: accepted.specRef,
    plan: state.plan?.plan ?? null,
    intent: intentOf(state),
  };
}

function sinceOf(state: LifecycleState): string | null {
  switch (state.phase) {
    case 'blocked':
      return state.blocked?.since ?? null;
    case 'previewing':
    case 'awaiting-approval':
      return state.approval?.askedAt ?? null;
    case 'draining':
    case 'drained':
      return state.drained?.since ?? null;
    case 'awaiting-stack':
      return state.preDeployment?.meshReadyAt ?? null;
    case 'activating':
      return state.stack?.allReadyAt ?? null;
    case 'operating':
      return state.activation.at(-1)?.at ?? null;
    case 'accepting':
    case 'forecasting':
    case 'planning':
    case 'awaiting-permit':
    case 'pre-deploying':
    case 'releasing':
    case 'retiring':
    case 'aborted':
    case 'released':
    case 'retired':
      return null;
  }
}

function whyOf(state: LifecycleState): string {
  const { blocked, drained, stage } = state;
  if (blocked !== null) return `blocked at ${blocked.step} by ${blocked.reason}: ${firstLine(blocked.detail)}`;
  if (state.rolledBack !== null) return `a person put deployment ${state.rolledBack.to} back`;
  if (drained !== undefined) return `${drained.who} sent the users away: ${drained.why}`;
  if (state.phase === 'activating') return `${stage.localPercent} % of the planned local weights are in force`;
  if (state.phase !== 'operating') return `step ${state.step} is under way`;
  const window = state.window === undefined ? '' : `, in its window from ${state.window}`;
  return `plan ${state.plan?.plan.hash.slice(0, 12) ?? 'none'} is in force${window}`;
}

/** Of those that came between two looks a person wants to see a screen, not a history. */
const SHOWN_DECISIONS = 10;

function decisionsOf(state: LifecycleState): Decision[] {
  const { approval, replan } = state;
  const last = replan?.last ?? null;
  const all: Decision[] = [
    ...Object.values(state.keys).map(({ atMs, name, outcome }) => ({
      at: new Date(atMs).toISOString(),
      what: `message ${name}: ${outcome === null ? 'under way' : `${outcome.accepted ? '' : 'not done: '}${outcome.detail}`}`,
    })),
    ...state.refused.last.map(({ at, name, reason }) => ({ at, what: `message ${name} refused: ${reason}` })),
    ...state.deployments.map(({ at, id, localPercent }) => ({
      at,
      what: `deployment ${id}, ${localPercent} % of the local weights`,
    })),
    ...state.activation.map(({ at, localPercent, verdict, reason }) => ({
      at,
      what: `activation at ${localPercent} % judged ${verdict}: ${reason}`,
    })),
    ...(last === null ? [] : [{ at: last.at, what: `planned anew by ${last.by}: ${last.state}, ${last.detail}` }]),
    ...(state.blocked === null ? [] : [{ at: state.blocked.since, what: `blocked: ${state.blocked.reason}` }]),
    ...approvalDecisions(approval),
  ];
  // Times are all UTC with milliseconds, so that their text sorts as they do; what came later stays before on a tie.
  return all
    .reverse()
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
    .slice(0, SHOWN_DECISIONS)
    .map(({ at, what }) => ({ at, what: firstLine(what) }));
}

function approvalDecisions(approval: ApprovalState | undefined): Decision[] {
  if (approval === undefined) return [];
  const { askedAt, by, planHash, blastPercent } = approval;
  const plan = `plan ${planHash.slice(0, 12)}`;
  const asked = { at: askedAt, what: `${plan} changes ${blastPercent} % of the requests and waits for a person` };
  return by === null ? [asked] : [asked, { at: by.at, what: `${plan} ${approval.state} by ${by.who}: ${by.why}` }];
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, 300);
}
