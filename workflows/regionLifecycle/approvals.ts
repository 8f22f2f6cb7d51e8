import { condition, workflowInfo } from '@temporalio/workflow';
import type { BlastRadius, ForecastOutcome, PlanOutcome } from '../../activities/contract.js';
import type { Phase } from '../../core/spec/lifecycle.js';
import { nowIso, nowMs } from '../shared/clock.js';
import { regionWorkflowId } from '../shared/names.js';
import { boundedMade, sameWho, shortHash, windowsPassed } from './approvalParts.js';
import type { ApprovalMessage, MessageOutcome } from './messages.js';
import { NewRunDue } from './permits.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';

/** A plan that waits for a person's word, or what became of it. */
export interface ApprovalState {
  planHash: string;
  /** What the plan is for: the first one of the region, or one in operation. */
  for: 'launch' | 'replan';
  /** Who wanted the plan; `null`: the schedule. */
  requestedBy: string | null;
  blastPercent: number;
  /** What it changes, the largest demand first; at most 20. */
  services: BlastRadius['services'];
  askedAt: string;
  /** `null`: waits for ever. */
  expiresMs: number | null;
  state: 'wanted' | 'approved' | 'rejected' | 'expired' | 'replaced';
  by: { who: string; why: string; at: string } | null;
  /** Of one in operation, until it is in force or dropped: what a new run goes on from. A launch has it in the state. */
  made?: Made;
}

export interface Made {
  forecast: ForecastOutcome;
  plan: PlanOutcome;
}

export type ApprovalStatus = Omit<ApprovalState, 'made'>;

export interface ApprovalRequest {
  for: ApprovalState['for'];
  plan: PlanOutcome;
  requestedBy: string | null;
  /** Of a plan in operation. */
  made?: Made;
}

/** What ends the wait of a launch. The last three leave the plan as it is. */
export type LaunchWord = 'approved' | 'rejected' | 'expired' | 'replan' | 'abort' | 'ended';

/** Whether the region's rules let the plan through; otherwise asks for a person's word, once. Waits for nothing. */
export function askApproval(region: Region, request: ApprovalRequest): 'approved' | 'wanted' {
  const { state } = region;
  const { approvals, preview } = state.accepted;
  const isPreview = request.for === 'launch' && preview === true;
  if (approvals === undefined && !isPreview) return 'approved';
  if (isWaiting(state) && state.approval?.planHash === request.plan.plan.hash) {
    region.show(isPreview ? 'previewing' : 'awaiting-approval');
    return 'wanted';
  }
  const percent = request.plan.blastRadius?.percent ?? 100;
  if (!isPreview && approvals !== undefined && percent < approvals.autoBelowPercent) {
    const why = `it changes ${percent} % of the region's requests, below the ${approvals.autoBelowPercent} % that wait for nobody`;
    replaceWaiting(state);
    region.audit.note({ kind: 'approved', why, subject: `plan ${shortHash(request.plan)}`, to: 'approved' });
    return 'approved';
  }
  ask(region, request, isPreview ? null : nowMs() + (approvals?.timeoutMs ?? 0));
  region.show(isPreview ? 'previewing' : 'awaiting-approval');
  return 'wanted';
}

function ask(region: Region, { plan, requestedBy, made, ...request }: ApprovalRequest, expiresMs: number | null): void {
  const { state } = region;
  const replaced = isWaiting(state) ? (state.approval?.planHash ?? null) : null;
  const { percent, services } = plan.blastRadius ?? { percent: 100, services: [] };
  state.approval = {
    ...{ planHash: plan.plan.hash, for: request.for, requestedBy, blastPercent: percent, services },
    ...{ askedAt: nowIso(), expiresMs, state: 'wanted', by: null },
    ...(made === undefined ? {} : { made: boundedMade(made) }),
  };
  const why = `plan for ${requestedBy ?? 'the schedule'} changes ${percent} % of the region's requests`;
  const result = { percent, until: expiresMs === null ? null : new Date(expiresMs).toISOString() };
  region.audit.note({ kind: 'approval-asked', why, subject: `plan ${shortHash(plan)}`, from: replaced, result });
  const title = `${state.accepted.name}: plan ${shortHash(plan)} waits for approval (${percent} % of requests)`;
  region.notifier.note('approval-wanted', title, approvalLines(state).join('\n'));
}

/**
 * Returns at once where the region's rules let the first plan through; otherwise waits for a person, or the time-out,
 * and carries messages out. Called again for the plan that waits, as by a new run, it goes on waiting for that.
 */
export async function awaitApproval(region: Region, request: ApprovalRequest): Promise<LaunchWord> {
  return askApproval(region, request) === 'approved' ? 'approved' : awaitWord(region);
}

/**
 * Waits for what becomes of the first plan, which waits already, or was decided a moment ago.
 *
 * @throws `NewRunDue` when this run has become too long; the next one goes on waiting
 */
export async function awaitWord(region: Region): Promise<LaunchWord> {
  const { state } = region;
  const { queue } = region.mailbox;
  for (;;) {
    const { approval } = state;
    if (approval?.state === 'approved' || approval?.state === 'rejected' || approval?.state === 'expired') {
      return approval.state;
    }
    if (hasEnded(state)) return 'ended';
    if ((state.replan?.wantedBy ?? null) !== null) return 'replan';
    if (queue[0]?.name === 'abort') return 'abort';
    if (queue.length > 0) {
      await region.carryOutOne();
      continue;
    }
    if (expireWhereDue(region)) continue;
    if (wantsNewRun(region)) throw new NewRunDue();
    const isCalled = (): boolean => queue.length > 0 || wantsNewRun(region);
    const expiresMs = approval?.expiresMs ?? null;
    if (expiresMs === null) await condition(isCalled);
    else await condition(isCalled, Math.max(1, expiresMs - nowMs()));
  }
}

function wantsNewRun(region: Region): boolean {
  return region.newRunWanted || workflowInfo().continueAsNewSuggested;
}

function hasEnded({ phase }: LifecycleState): boolean {
  return phase === 'aborted' || phase === 'released' || phase === 'retired';
}

/** Whether a plan waits for a person's word: the first one at its step, or one in operation that was kept. */
export function isWaiting({ approval, step }: LifecycleState): boolean {
  if (approval?.state !== 'wanted') return false;
  return approval.for === 'launch' ? step === 'plan' : approval.made !== undefined;
}

/** What an operating region is shown as: one of whose plans waits says so, in a new run too. */
export function operatingPhase(state: LifecycleState): Phase {
  return isWaiting(state) ? 'awaiting-approval' : 'operating';
}

/** Whether the plan of the state is the one for which a launch waits already. */
export function resumesLaunch(state: LifecycleState): boolean {
  return isWaiting(state) && state.approval?.for === 'launch' && state.approval.planHash === state.plan?.plan.hash;
}

/** Nobody said anything in time: a stated outcome. Returns whether that is so. */
export function expireWhereDue(region: Region): boolean {
  const { approval } = region.state;
  if (approval?.state !== 'wanted' || approval.expiresMs === null || nowMs() < approval.expiresMs) return false;
  approval.state = 'expired';
  const why = `nobody approved or rejected it since ${approval.askedAt}`;
  const subject = `plan ${approval.planHash.slice(0, 12)}`;
  region.audit.note({ kind: 'approval-expired', why, subject, from: 'wanted', to: 'expired' });
  return true;
}

/** Of a plan that waited nothing is left but what became of it. */
export function replaceWaiting({ approval }: LifecycleState): void {
  if (approval === undefined) return;
  if (approval.state === 'wanted') approval.state = 'replaced';
  delete approval.made;
}

export function approve(region: Region, message: ApprovalMessage): MessageOutcome {
  const { state } = region;
  const refusal = refusalOf(state, message) ?? requesterRefusal(state, message) ?? passedRefusal(state);
  if (refusal !== null) return { accepted: false, detail: refusal };
  return decide(region, 'approved', message);
}

export function reject(region: Region, message: ApprovalMessage): MessageOutcome {
  const refusal = refusalOf(region.state, message);
  if (refusal !== null) return { accepted: false, detail: refusal };
  return decide(region, 'rejected', message);
}

function decide(region: Region, word: 'approved' | 'rejected', { who, why }: ApprovalMessage): MessageOutcome {
  const { approval } = region.state;
  if (approval === undefined) return { accepted: false, detail: 'no plan waits for approval' };
  approval.state = word;
  approval.by = { who, why: why.slice(0, 500), at: nowIso() };
  if (region.state.phase === 'awaiting-approval' && approval.for === 'replan') region.show('operating');
  const plan = `plan ${approval.planHash.slice(0, 12)}`;
  if (word === 'rejected') {
    const next = approval.for === 'launch' ? 'the region blocks; retry plans anew' : 'what runs stays';
    return { accepted: true, detail: `${plan} is rejected: ${next}` };
  }
  const held = heldBy(region.state);
  const when = held === null ? 'goes in force' : `goes in force later: ${held}`;
  return { accepted: true, detail: `${plan} is approved, with all its windows, and ${when}` };
}

function heldBy({ blocked, drained, freeze, rolledBack }: LifecycleState): string | null {
  if (blocked !== null) return `the region is blocked (${blocked.reason}), retry first`;
  if (rolledBack !== null) return `deployment ${rolledBack.to} runs until resume`;
  if (drained !== undefined) return `drained by ${drained.who}, resume first`;
  return freeze === null ? null : `frozen by ${freeze.who} until resume: ${freeze.why}`;
}

function refusalOf(state: LifecycleState, { planHash }: ApprovalMessage): string | null {
  const { approval } = state;
  if (approval === undefined) return 'no plan waits for approval';
  const waiting = approval.planHash.slice(0, 12);
  if (!isWaiting(state)) {
    const by = approval.by === null ? '' : ` by ${approval.by.who} at ${approval.by.at}`;
    return `no plan waits for approval; the last one, ${waiting}, is ${approval.state}${by}`;
  }
  if (approval.expiresMs !== null && nowMs() >= approval.expiresMs) return `plan ${waiting} was not approved in time`;
  const named = planHash.trim().toLowerCase();
  const isNamed = named === approval.planHash || (named.length >= 12 && approval.planHash.startsWith(named));
  if (isNamed) return null;
  if (approval.planHash.startsWith(named)) return `"${planHash}" is too short: give 12 digits of ${waiting} or more`;
  return `plan ${planHash} does not wait; plan ${waiting} does: read what it changes in status, then send its hash`;
}

function requesterRefusal({ accepted, approval }: LifecycleState, { who }: ApprovalMessage): string | null {
  const requestedBy = approval?.requestedBy ?? null;
  if (accepted.approvals?.approverNotRequester !== true || requestedBy === null) return null;
  if (!sameWho(who, requestedBy)) return null;
  return `${requestedBy} asked for this plan; the region file wants another person to approve it`;
}

function passedRefusal({ approval, plan }: LifecycleState): string | null {
  const waiting = approval?.for === 'launch' ? plan : approval?.made?.plan;
  if (approval === undefined || !windowsPassed(waiting, nowMs())) return null;
  return `the windows of plan ${approval.planHash.slice(0, 12)} have passed while it waited; send replan for a new one`;
}

/** For `status`; absent: no plan ever waited. */
export function approvalStatus({ approval }: LifecycleState): ApprovalStatus | undefined {
  if (approval === undefined) return undefined;
  const { made: _, ...status } = approval;
  return status;
}

const SHOWN = 5;

/** Lines of Markdown for the details in the UI and for whoever is told: what waits, what it changes, what to type. */
export function approvalLines(state: LifecycleState): string[] {
  const { approval } = state;
  if (approval === undefined) return [];
  const { planHash, blastPercent, services, requestedBy, expiresMs, by } = approval;
  const plan = `plan \`${planHash.slice(0, 12)}\``;
  if (!isWaiting(state)) return [`- ${plan} is ${approval.state}${by === null ? '' : ` by ${by.who}: ${by.why}`}`];
  const until = expiresMs === null ? 'with no time limit' : `until ${new Date(expiresMs).toISOString()}`;
  const more = services.length > SHOWN ? [`  - and ${services.length - SHOWN} more services`] : [];
  return [
    `- ${plan} for ${requestedBy ?? 'the schedule'} waits for approval ${until}; it changes ${blastPercent} % of requests`,
    ...services.slice(0, SHOWN).map((one) => `  - ${one.service}: ${one.summary}`),
    ...more,
    '```',
    commandLine(state, 'approve', planHash),
    commandLine(state, 'reject', planHash),
    '```',
  ];
}

function commandLine({ accepted }: LifecycleState, name: 'approve' | 'reject', planHash: string): string {
  const input = JSON.stringify({ key: 'NEW-KEY', who: 'YOU', why: 'REASON', planHash });
  return `temporal workflow update execute --workflow-id ${regionWorkflowId(accepted.name)} --name ${name} --input '${input}'`;
}
