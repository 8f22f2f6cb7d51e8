import type { NewAuditEntry } from '../core/audit/record.js';
import type { ArtifactRef } from '../core/spec/artifact.js';
import type { HostRecap, SwapOutcome, TargetState } from '../core/spec/deployment.js';
import type { Trust } from '../core/spec/forecast.js';
import type { Adjustment, LiveIntent } from '../core/spec/live.js';
import type { Judgement, ServiceObservation } from '../core/spec/observation.js';
import type { Autonomy, AutonomyRule, NotificationKind } from '../core/spec/region.js';
import type { SettingFieldInfo } from '../core/spec/settings.js';
import type { AnsweredChange, InFlightAdjustment } from '../core/tuning/types.js';

/**
 * What workflows ask of activities. Inputs and outputs are small and carry references to artifacts, never bodies.
 * Everything that steers a running workflow arrives through `acceptRegion`, so that it is recorded in its history.
 */
export interface RegionActivities {
  /** The region file's text as it came; at the top of the payload, where bytes stay bytes. */
  acceptRegion(text: unknown): Promise<AcceptedRegion>;
  forecastRegion(input: { specRef: ArtifactRef }): Promise<ForecastOutcome>;
  /** `previousRef`: the plan that runs, below which a forecast of low trust takes nothing. */
  planRegion(input: PlanRequest): Promise<PlanOutcome>;
  /** Renders the live intent and runs the delivery tool over every host. */
  deployRelease(input: DeployInput): Promise<DeployOutcome>;
  /** The fast path: renders the live intent, swaps it at every target and reads it back from each proxy. */
  applyIntent(input: ApplyInput): Promise<ApplyOutcome>;
  /** Compares what every proxy reports with the live intent, field by field. */
  readBack(input: ReadBackInput): Promise<{ mismatches: readonly string[] }>;
  readTargets(input: { specRef: ArtifactRef }): Promise<readonly TargetState[]>;
  exportTargets(input: WindowInput): Promise<{ called: boolean }>;
  awaitStack(input: WindowInput): Promise<StackOutcome>;
  moveEntry(input: { specRef: ArtifactRef; phase: 'activate' | 'drain' }): Promise<{ called: boolean }>;
  judgeStage(input: JudgeInput): Promise<JudgeOutcome>;
  restoreDeployment(input: RestoreInput): Promise<ApplyOutcome>;
  tick(input: TickInput): Promise<TickOutcome>;
  /** Times of the next weeks in which the region file wants nothing to change by itself. */
  readCalendar(input: { specRef: ArtifactRef; fromMs: number }): Promise<CalendarOutcome>;
  /** Whether other regions can take the users that a drain would send them. */
  checkReceivers(input: ReceiversInput): Promise<ReceiversOutcome>;
  /** Tells one webhook, or says why it could not. */
  notify(input: NotifyInput): Promise<NotifyOutcome>;
  /** Appends to the audit what a workflow decided, and says where the chain ends then. */
  recordAudit(input: AuditInput): Promise<AuditOutcome>;
}

/** What a workflow notes; its own id is said once. */
export type AuditNote = Omit<NewAuditEntry, 'workflowId'>;

export interface AuditInput {
  region: string;
  workflowId: string;
  entries: readonly AuditNote[];
}

export interface AuditOutcome {
  seq: number;
  hash: string;
  /** Entries under whose key something else is recorded; that stays. */
  conflicts: number;
}

export interface PlanRequest {
  specRef: ArtifactRef;
  forecastRef: ArtifactRef;
  previousRef?: ArtifactRef;
}

export interface PlanReference {
  ref: ArtifactRef;
  hash: string;
}

export interface AcceptedRegion {
  name: string;
  specRef: ArtifactRef;
  autonomy: Autonomy;
  /** Absent: none. */
  autonomyRules?: readonly AutonomyRule[];
  /** Present: nothing is applied before a person approves a plan. */
  preview?: true;
  /** Absent: no plan waits for a person. */
  approvals?: ApprovalRules;
  /** Present: the region file names times in which nothing changes by itself. */
  hasCalendar?: true;
  /** What is told to whom is the region file's; absent: nobody is told. */
  notifies?: readonly NotificationKind[];
  fleet?: { id: string; permitMs: number };
  services: readonly string[];
  regions: readonly string[];
  hosts: readonly string[];
  /** What an override may set and to what; recorded so that validators need no library. */
  settingRules: Readonly<Record<string, SettingFieldInfo>>;
  activationSteps: readonly number[];
  maxInconclusive: number;
  tunables: Tunables;
  warnings: readonly string[];
}

export interface ApprovalRules {
  autoBelowPercent: number;
  approverNotRequester: boolean;
  requester?: string;
  timeoutMs: number;
}

export interface CalendarOutcome {
  /** In order, not overlapping; beyond `untilMs` nothing is known yet. */
  freezes: readonly { fromMs: number; toMs: number; why: string }[];
  untilMs: number;
}

export interface ReceiversInput {
  specRef: ArtifactRef;
  plan: PlanReference;
  window?: string;
}

export interface ReceiversOutcome {
  /** By service and receiving region, where the load that would come is more than it can take. */
  shortfalls: readonly { service: string; region: string; wantedRps: number; spareRps: number }[];
}

/** One event, for every webhook of the region that wants its kind. */
export interface NotifyInput {
  specRef: ArtifactRef;
  /** The receiver drops what it has had under the same id. */
  id: string;
  kind: NotificationKind;
  at: string;
  title: string;
  detail: string;
  workflowId: string;
  planHash: string | null;
  /** Webhooks, by their index in the region file, that took it on an earlier try, or never will. */
  delivered: readonly number[];
}

export interface NotifyOutcome {
  delivered: readonly number[];
  /** Why others did not take it, and may later; empty: nobody is left to be told. */
  problems: readonly string[];
  /** Webhooks that will not take it, however often it is tried. */
  givenUp?: readonly { index: number; reason: string }[];
}

/** Numbers that steer the workflows, in one documented place; recorded in history by `acceptRegion`. */
export interface Tunables {
  tickMs: number;
  judgeMs: number;
  stackTimeoutMs: number;
  deployTimeoutMs: number;
  /** How long the lifecycle waits for `held` before it cancels the adjustment and writes under a new epoch. */
  holdTimeoutMs: number;
  /** The adjustment tells the lifecycle how it fares every this many ticks, and at each change. */
  ticksPerReport: number;
  maxOverrides: number;
  maxKeys: number;
  keyLifetimeMs: number;
  /** How often an operating region forecasts and plans anew; absent: when it is asked to. */
  replanMs?: number;
}

export interface ForecastOutcome {
  ref: ArtifactRef;
  trust: Trust;
  services: readonly {
    service: string;
    /** Members that have a say, with their weight (summing to 1) and back-test error. */
    models: readonly { name: string; weight: number; mase: number }[];
    trust: Trust;
    trustReason: string;
    peakRps: number;
  }[];
  notes: readonly string[];
}

/** How much of the region a plan changes against the one that runs. */
export interface BlastRadius {
  /** Share of the region's requests that go to services with any change; 100 where nothing runs yet. */
  percent: number;
  /** The services with a change, the largest demand first, with what changes. */
  services: readonly { service: string; changes: number; summary: string }[];
}

export interface PlanOutcome {
  plan: PlanReference;
  /** Absent: not asked for. */
  blastRadius?: BlastRadius;
  /** Of the first window. */
  services: readonly { service: string; instances: number; demandRps: number; reason: string }[];
  /** Present where there are several: when each begins, in demand time (its name) and by the clocks of the world. */
  windows?: readonly PlannedWindow[];
  warnings: readonly string[];
}

/** A plan, and the window of it that is meant; absent: the first. */
export interface WindowInput {
  specRef: ArtifactRef;
  plan: PlanReference;
  window?: string;
}

export interface PlannedWindow {
  from: string;
  wallFromMs: number;
}

export interface DeployInput {
  specRef: ArtifactRef;
  plan: PlanReference;
  intent: LiveIntent;
  deploymentId: string;
  epoch: number;
  expectedHash: string | null;
}

export interface DeployOutcome {
  deploymentId: string;
  releaseHash: string;
  reattached: boolean;
  recap: Readonly<Record<string, HostRecap>>;
  startedAt: string;
  finishedAt: string;
}

export interface ApplyInput {
  specRef: ArtifactRef;
  plan: PlanReference;
  intent: LiveIntent;
  epoch: number;
  expectedHash: string | null;
}

export interface ApplyOutcome {
  releaseHash: string;
  hosts: readonly { host: string; outcome: SwapOutcome }[];
}

export interface ReadBackInput {
  specRef: ArtifactRef;
  plan: PlanReference;
  intent: LiveIntent;
}

export interface StackOutcome {
  firstInstanceReadyAt: string;
  allReadyAt: string;
  readyInstances: Readonly<Record<string, number>>;
  planned: Readonly<Record<string, number>>;
}

export interface JudgeInput {
  specRef: ArtifactRef;
  plan: PlanReference;
  localPercent: number;
}

export interface JudgeOutcome extends Judgement {
  services: readonly ServiceObservation[];
}

export interface RestoreInput {
  specRef: ArtifactRef;
  /** Hash of a release that ran before; `0` is what was there before we first wrote. */
  releaseHash: string;
  epoch: number;
  expectedHash: string | null;
}

export interface TickInput {
  specRef: ArtifactRef;
  plan: PlanReference;
  forecastRef: ArtifactRef;
  intent: LiveIntent;
  autonomy: Autonomy;
  frozen: boolean;
  inFlight: InFlightAdjustment | null;
  /** Exceptions from `autonomy`, the last that fits wins; absent: none. */
  autonomyRules?: readonly AutonomyRule[];
  /** A person has the region: nothing goes further than a suggestion. */
  takenOver?: true;
  /** What people said of changes that waited for their word; absent: nothing. */
  answers?: readonly AnsweredChange[];
}

/** One change, and how far the program may go with it. */
export interface AdjustDecision {
  kind: 'adjust';
  adjustment: Adjustment;
  service: string;
  baseline: ServiceObservation;
  /** `act`: it may be made, and a person's approval is in it where one was needed. Absent: an older build's, which knew one level. */
  level?: Exclude<Autonomy, 'observe'>;
  /** By which a person approves it; with level `approve`. */
  id?: string;
}

/** What the policy wants after a tick. Plan as data: the workflow applies it, or records it as a suggestion. */
export type TickDecision =
  | { kind: 'none'; reason: string }
  | AdjustDecision
  | { kind: 'keep'; reason: string }
  | { kind: 'revert'; reason: string };

export interface TickOutcome {
  at: string;
  completeness: number;
  services: readonly TickService[];
  /** Ready instances by service as the proxies see them; while sources contradict each other, those of the intent. */
  readyInstances: Readonly<Record<string, number>>;
  verdict: Judgement | null;
  decision: TickDecision;
  /** Of the oldest of the proxies' newest readings; `null`: none answered. */
  ageSeconds?: number | null;
  /** Sentences, the first few; absent: none. */
  contradictions?: readonly string[];
  problems?: readonly string[];
}

export interface TickService {
  service: string;
  rps: number;
  forecastP50: number | null;
  forecastP95: number | null;
  errorRate: number | null;
  p99Ms: number | null;
  rateLimited: number;
}
