import type { PlanOutcome } from '../../activities/contract.js';
import type { Made } from './approvals.js';

/** Of what is kept beside the plan that runs: the state that continue-as-new hands on has to stay small. */
const MAX_MADE_CHARACTERS = 12_000;
const MAX_TEXTS = 10;

export function shortHash({ plan }: Pick<PlanOutcome, 'plan'>): string {
  return plan.hash.slice(0, 12);
}

/** A person is the same under other letters of the same name. */
export function sameWho(one: string, other: string): boolean {
  const plain = (who: string): string => who.trim().toLowerCase();
  return plain(one) === plain(other);
}

/** Whether the last window of a plan is over; never where it has only one. */
export function windowsPassed(plan: PlanOutcome | null | undefined, atMs: number): boolean {
  const end = plan?.windows?.at(-1)?.wallFromMs;
  return end !== undefined && atMs >= end;
}

/** What a person judges by is told elsewhere; of the rest the references steer, and lists go where they are too long. */
export function boundedMade({ forecast, plan }: Made): Made {
  const { blastRadius: _, ...rest } = plan;
  const whole: Made = { forecast, plan: rest };
  if (JSON.stringify(whole).length <= MAX_MADE_CHARACTERS) return whole;
  return {
    forecast: { ...forecast, services: [], notes: forecast.notes.slice(0, MAX_TEXTS) },
    plan: { ...rest, services: [], warnings: plan.warnings.slice(0, MAX_TEXTS) },
  };
}
