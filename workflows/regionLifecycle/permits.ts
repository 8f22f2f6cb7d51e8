import { ApplicationFailure } from '@temporalio/common';
import type { SignalDefinition } from '@temporalio/common';
import { condition, getExternalWorkflowHandle, isCancellation, workflowInfo } from '@temporalio/workflow';
import {
  fleetReportSignal,
  permitGrantedSignal,
  permitRefusedSignal,
  permitRequestSignal,
  permitReturnedSignal,
} from '../fleet/messages.js';
import type { FleetReport } from '../fleet/messages.js';
import { nowMs } from '../shared/clock.js';
import { endsActivation } from './leave.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';
import type { During } from './steps.js';

/** What the fleet was asked for and has granted. */
export interface PermitState {
  /** Numbers the requests of this region. */
  number: number;
  what: 'launch' | 'replan';
  state: 'asked' | 'granted' | 'returned';
  expiresMs: number | null;
  /** Of the plan that is to be put in force. */
  planHash?: string | null;
  /** What it waits for, or how it ended. */
  detail?: string;
}

/** The next run takes up what waits: nothing of it is lost, and it keeps its place in the line. */
export class NewRunDue extends Error {}

const FIRST_PAUSE_MS = 5000;
/** As long as the fleet cannot be reached, and in case that it forgot. */
const LONGEST_PAUSE_MS = 60_000;

/**
 * Waits until the fleet permits the change; at once where the region belongs to none, or has a permit that lasts.
 * Messages are carried out meanwhile; at a launch one that sends the users away ends the wait.
 *
 * @throws a failure when planning anew became moot meanwhile, and `NewRunDue` when this run has become too long
 */
export async function awaitPermit(
  region: Region,
  what: PermitState['what'],
  during: During,
  planHash?: string,
): Promise<void> {
  const { state } = region;
  if (state.accepted.fleet === undefined || isPermitted(state, what)) return;
  const { phase } = state;
  const { permit } = state;
  const answered = permit === undefined ? 0 : permit.number - (permit.state === 'asked' ? 1 : 0);
  try {
    for (let pauseMs = FIRST_PAUSE_MS; !isPermitted(state, what); pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      if (what === 'launch' && endsActivation(state)) return;
      const moot = what === 'replan' ? mootReason(state, answered) : null;
      if (moot !== null) throw ApplicationFailure.create({ message: `the new plan is not put in force: ${moot}` });
      await ask(region, what, planHash ?? state.plan?.plan.hash ?? null);
      region.show('awaiting-permit');
      await during(condition(() => isSettled(region, what), pauseMs));
      // After the wait: a permit that came meanwhile is not left unused.
      if (!isPermitted(state, what) && isNewRunDue(region)) throw new NewRunDue();
    }
  } finally {
    if (state.phase === 'awaiting-permit' && phase !== 'awaiting-permit') region.show(phase);
  }
}

/** Tells the fleet what came of the change, and gives its permit or request back. No command without a fleet. */
export async function returnPermit(region: Region, outcome: 'done' | 'failed', detail: string): Promise<void> {
  const { accepted, permit, replan, step } = region.state;
  if (accepted.fleet === undefined) return;
  const what = step === 'operate' ? 'replan' : 'launch';
  const startedMs = replan?.startedMs ?? 0;
  const number = permit?.number ?? 0;
  if (permit !== undefined) region.state.permit = { ...permit, state: 'returned', expiresMs: null, detail: outcome };
  const told = { region: accepted.name, number, what, outcome, detail: detail.slice(0, 1000), startedMs } as const;
  await tellFleet(region, permitReturnedSignal, told);
}

/** A block ends the change that was under way; also one that is none of it stops a rollout. */
export function tellBlocked(region: Region, detail: string): void {
  if (region.state.accepted.fleet !== undefined) void giveUp(region, detail);
}

/** One after the other: signals of one workflow task arrive in any order. */
async function giveUp(region: Region, detail: string): Promise<void> {
  const { permit } = region.state;
  if (permit !== undefined && permit.state !== 'returned') await returnPermit(region, 'failed', detail);
  await report(region, 'blocked', detail);
}

/** A `replan` that was not begun: a rollout must not wait for what comes of it. */
export function tellRefused(region: Region, detail: string): void {
  if (region.state.accepted.fleet !== undefined) void report(region, 'refused', detail);
}

/** Before the end of a run: the server drops signals of a workflow that closes in the same breath. */
export async function settlePermit(region: Region): Promise<void> {
  if (region.state.accepted.fleet !== undefined) await condition(() => region.fleetSignals === 0);
}

/** Takes in what the fleet answers. */
export function registerPermit(region: Region): void {
  const { state, mailbox } = region;
  if (state.accepted.fleet === undefined) return;
  mailbox.listen(permitGrantedSignal, (granted: unknown) => {
    const { permit } = state;
    const { number, expiresMs } = fieldsOf(granted);
    if (permit?.state !== 'asked' || permit.number !== number || typeof expiresMs !== 'number') return;
    state.permit = { ...permit, state: 'granted', expiresMs, detail: 'granted' };
    const until = Number.isFinite(expiresMs) ? new Date(expiresMs).toISOString() : 'for ever';
    region.audit.note({ kind: 'permit', why: `the fleet permits the ${permit.what}`, subject: permit.what, to: until });
  });
  mailbox.listen(permitRefusedSignal, (refused: unknown) => {
    const { permit } = state;
    const { number, why } = fieldsOf(refused);
    if (permit?.state !== 'asked' || permit.number !== number) return;
    state.permit = { ...permit, state: 'returned', expiresMs: null, detail: `the fleet: ${String(why).slice(0, 500)}` };
  });
}

/** For the details in the UI; none where nothing was asked. */
export function permitLines({ accepted, permit }: LifecycleState): string[] {
  if (permit === undefined || accepted.fleet === undefined) return [];
  const { what, number, state, detail = '' } = permit;
  return [
    `- permit ${number} of fleet ${accepted.fleet.id} for the ${what}: ${state}${detail === '' ? '' : `, ${detail}`}`,
  ];
}

/** Whether the region may change now, as far as its fleet is concerned. */
export function isPermitted({ permit }: LifecycleState, what: PermitState['what']): boolean {
  return permit?.state === 'granted' && permit.what === what && (permit.expiresMs ?? 0) > nowMs();
}

function isSettled(region: Region, what: PermitState['what']): boolean {
  const { state } = region;
  if (isPermitted(state, what) || state.permit?.state !== 'asked' || isNewRunDue(region)) return true;
  if (what === 'launch' && endsActivation(state)) return true;
  return what === 'replan' && mootReason(state, state.permit.number) !== null;
}

/** Whatever a person decided meanwhile goes before a new plan. */
function mootReason(state: LifecycleState, lastNumber: number): string | null {
  const { drained, freeze, permit, rolledBack, takenOver } = state;
  if (freeze !== null) return `frozen by ${freeze.who}`;
  if (rolledBack !== null) return `deployment ${rolledBack.to} runs until resume`;
  if (drained !== undefined) return `drained by ${drained.who}`;
  if (takenOver !== undefined) return `taken over by ${takenOver.who}`;
  if (permit?.state === 'returned' && permit.number > lastNumber) return permit.detail ?? 'the fleet refused';
  return null;
}

function isNewRunDue(region: Region): boolean {
  return region.newRunWanted || workflowInfo().continueAsNewSuggested;
}

/** Under the same number as long as the request is open; the fleet then keeps its place. */
async function ask(region: Region, what: PermitState['what'], planHash: string | null): Promise<void> {
  const { accepted, permit } = region.state;
  const isOpen = permit?.state === 'asked' && permit.what === what;
  const number = isOpen ? permit.number : (permit?.number ?? 0) + 1;
  const asked: PermitState = { number, what, state: 'asked', expiresMs: null, planHash, detail: 'waits for its turn' };
  region.state.permit = asked;
  const problem = await tellFleet(region, permitRequestSignal, {
    ...{ region: accepted.name, number, what, planHash, workflowId: workflowInfo().workflowId },
    neighbours: accepted.regions.filter((name) => name !== accepted.name),
    ...(accepted.fleet === undefined ? {} : { permitMs: accepted.fleet.permitMs }),
  });
  if (problem !== null && region.state.permit === asked) region.state.permit = { ...asked, detail: problem };
}

async function report(region: Region, state: FleetReport['state'], detail: string): Promise<void> {
  await tellFleet(region, fleetReportSignal, {
    region: region.state.accepted.name,
    state,
    detail: detail.slice(0, 1000),
  });
}

/** `null`: the fleet has it. A fleet that is lost holds up nothing but what waits for its word. */
async function tellFleet<T>(region: Region, signal: SignalDefinition<[T]>, message: T): Promise<string | null> {
  const id = region.state.accepted.fleet?.id ?? '';
  region.fleetSignals += 1;
  try {
    await getExternalWorkflowHandle(id).signal(signal, message);
    return null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return `the fleet "${id}" is not running: the change waits, and asks again within a minute`;
  } finally {
    region.fleetSignals -= 1;
  }
}

function fieldsOf(raw: unknown): Record<string, unknown> {
  return typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
}
