import type { Autonomy, AutonomyRule } from '../../core/spec/region.js';
import type { AutonomyOrder, ChangeAnswer, PendingChange } from '../shared/autonomy.js';
import { isWithin, ruleText, sameScope, wholeRegionLevel } from '../shared/autonomy.js';
import { nowIso } from '../shared/clock.js';
import { blockedBy } from './blocked.js';
import type { ApprovalMessage, AutonomyMessage, MessageBase, MessageOutcome } from './messages.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';

/** What `status` says of how far the program may go by itself, where people or the region file said more than one level. */
export interface AutonomyStatus {
  /** The region file's, then what people said; the last that fits wins. */
  autonomyRules?: readonly AutonomyRule[];
  takenOver?: { who: string; why: string; since: string };
  /** Changes that wait for `approve` or `reject` of their id, or got it. */
  proposals?: readonly PendingChange[];
}

/** Of what people said; the state stays small. */
const MAX_RULES = 256;
const KEPT_ANSWERS = 20;

export async function setAutonomy(region: Region, message: AutonomyMessage): Promise<MessageOutcome> {
  const { state } = region;
  const rule: AutonomyRule = { level: message.level };
  if (message.service !== undefined) rule.service = message.service;
  if (message.class !== undefined) rule.class = message.class;
  const others = (state.autonomyRules ?? []).filter((one) => !sameScope(one, rule));
  if (others.length >= MAX_RULES) {
    return {
      accepted: false,
      detail: `${MAX_RULES} rules is the limit; set one that stands, or one for more settings`,
    };
  }
  const outranked = rulesOf(state).filter((one) => one.level !== rule.level && isWithin(one, rule));
  state.autonomyRules = [...others, rule];
  const words = [
    ruleText(rule),
    evidenceFor(rule.level, state),
    outrankedText(outranked),
    await tellAdjustment(region),
  ];
  return { accepted: true, detail: words.filter((text) => text !== '').join('; ') };
}

export async function takeOver(region: Region, { who, why }: MessageBase): Promise<MessageOutcome> {
  const { state } = region;
  const { takenOver } = state;
  if (takenOver !== undefined) {
    const detail = `${takenOver.who} has the region since ${takenOver.since}: ${takenOver.why}; hand-back gives it up`;
    return { accepted: false, detail };
  }
  state.takenOver = { who, why, since: nowIso() };
  const told = await tellAdjustment(region);
  const launching = state.step === 'operate' ? '' : `; ${state.step} goes on as it was ordered, freeze holds it`;
  const words = `${who} has the region until hand-back: nothing but suggestions, and the reversal of a change in flight`;
  return { accepted: true, detail: `${words}; ${told}${launching}` };
}

export async function handBack(region: Region, { who }: MessageBase): Promise<MessageOutcome> {
  const { state } = region;
  const { takenOver } = state;
  if (takenOver === undefined) return { accepted: false, detail: 'nobody has taken the region over' };
  delete state.takenOver;
  const told = await tellAdjustment(region);
  const whose = takenOver.who === who ? '' : ` ${takenOver.who} had it since ${takenOver.since}.`;
  return { accepted: true, detail: `the program acts again as far as its autonomy goes.${whose} ${told}` };
}

/** A person's word on one adjustment. `null`: the message names none, so that it is about a plan. */
export function approveProposal(region: Region, message: ApprovalMessage): Promise<MessageOutcome> | null {
  return answerProposal(region, message, 'approved');
}

/** Like `approveProposal`. What is rejected is not asked again while the setting stands where it does. */
export function rejectProposal(region: Region, message: ApprovalMessage): Promise<MessageOutcome> | null {
  return answerProposal(region, message, 'rejected');
}

function answerProposal(
  region: Region,
  { planHash: id, who }: ApprovalMessage,
  answer: ChangeAnswer['answer'],
): Promise<MessageOutcome> | null {
  const { state } = region;
  const proposal = state.tuner.report?.proposals?.find((one) => one.id === id);
  if (proposal !== undefined) return forwardAnswer(region, proposal, { id, answer, who, at: nowIso() });
  const known = state.proposalAnswers?.findLast((one) => one.id === id);
  if (known === undefined) return null;
  const detail = `adjustment ${id} waits no more; ${known.who} ${known.answer} it at ${known.at}`;
  return Promise.resolve({ accepted: false, detail });
}

async function forwardAnswer(region: Region, one: PendingChange, answer: ChangeAnswer): Promise<MessageOutcome> {
  const { state } = region;
  const { takenOver, tuner } = state;
  if (takenOver !== undefined) {
    return { accepted: false, detail: `${takenOver.who} has the region, so nothing is adjusted: hand-back first` };
  }
  if (tuner.state !== 'running') {
    return {
      accepted: false,
      detail: `the adjustment does not run (${tuner.state}), so nothing is adjusted: resume first`,
    };
  }
  const before = state.proposalAnswers;
  state.proposalAnswers = [...(before ?? []), answer].slice(-KEPT_ANSWERS);
  if ((await region.forwardCopy()) === null) {
    if (before === undefined) delete state.proposalAnswers;
    else state.proposalAnswers = before;
    return { accepted: false, detail: 'the adjustment did not answer: resume starts it again' };
  }
  const change = `${one.address} ${one.from} → ${one.to}`;
  if (answer.answer === 'rejected') {
    return { accepted: true, detail: `${change} is not made, nor asked for again while it stands at ${one.from}` };
  }
  const when = state.freeze === null ? 'at the next tick' : `after resume (frozen by ${state.freeze.who})`;
  return {
    accepted: true,
    detail: `${change} is made ${when}, or less of it, if every guard still lets it through; it ends ten ticks after the policy wants it no more`,
  };
}

/** What the adjustment has to know of it; nothing where nobody said anything. */
export function autonomyOrder(state: LifecycleState): AutonomyOrder {
  const rules = rulesOf(state);
  return {
    ...(rules.length === 0 ? {} : { autonomyRules: rules }),
    ...(state.takenOver === undefined ? {} : { takenOver: true }),
    ...(state.proposalAnswers === undefined ? {} : { answers: state.proposalAnswers }),
  };
}

/** Why the program does not change the region as a whole by itself, in words; `null`: it may. */
export function heldByPeople(state: LifecycleState): string | null {
  if (state.takenOver !== undefined) return `taken over by ${state.takenOver.who}: hand-back first`;
  const level = wholeRegionLevel(state.accepted.autonomy, rulesOf(state));
  return level === 'act' ? null : `autonomy of the region is ${level}`;
}

export function autonomyStatus(state: LifecycleState): AutonomyStatus {
  const rules = rulesOf(state);
  const proposals = state.tuner.report?.proposals;
  return {
    ...(rules.length === 0 ? {} : { autonomyRules: rules }),
    ...(state.takenOver === undefined ? {} : { takenOver: state.takenOver }),
    ...(proposals === undefined ? {} : { proposals }),
  };
}

export function autonomyLines(state: LifecycleState): string[] {
  const { takenOver, tuner } = state;
  return [
    ...(takenOver === undefined ? [] : [`- taken over by ${takenOver.who} since ${takenOver.since}: ${takenOver.why}`]),
    ...rulesOf(state).map((rule) => `- autonomy, ${ruleText(rule)}`),
    ...(tuner.report?.proposals ?? []).map(
      (one) =>
        `- adjustment \`${one.id}\` ${one.state}${one.who === null ? '' : ` by ${one.who}`}: ${one.address} ${one.from} → ${one.to} (${one.reason})`,
    ),
  ];
}

function rulesOf({ accepted, autonomyRules }: LifecycleState): readonly AutonomyRule[] {
  return [...(accepted.autonomyRules ?? []), ...(autonomyRules ?? [])];
}

/** What a promotion rests on: the person who sends it reads it in the outcome, and the audit keeps it. */
function evidenceFor(level: Autonomy, { tuner: { report } }: LifecycleState): string {
  if (level !== 'act') return '';
  if (report === null) return 'evidence: none, the adjustment has not reported yet';
  const { ticks, adjustmentsMade, adjustmentsReverted, suggestions } = report;
  return `evidence: ${adjustmentsMade} adjustments made in ${ticks} ticks, ${adjustmentsReverted} of them reverted, ${suggestions} suggested`;
}

function outrankedText(outranked: readonly AutonomyRule[]): string {
  return outranked.length === 0 ? '' : `from now on without effect: ${outranked.map(ruleText).join(', ')}`;
}

/** The adjustment goes by it from its answer on; one that does not answer is replaced by one that knows it. */
async function tellAdjustment(region: Region): Promise<string> {
  const { state } = region;
  if (state.tuner.state !== 'running') return 'holds from the next time the adjustment runs';
  if ((await region.forwardCopy()) !== null) return 'the adjustment goes by it';
  try {
    await region.takeWriter();
    if (state.freeze !== null || state.blocked !== null) return 'the adjustment did not answer and was cancelled';
    await region.handOver();
    return 'the adjustment did not answer and was started anew with it';
  } catch (error) {
    const { reason, detail } = blockedBy(error, 'target-unreachable');
    region.block(reason, detail);
    return `the adjustment did not answer and was cancelled; ${detail}`;
  }
}
