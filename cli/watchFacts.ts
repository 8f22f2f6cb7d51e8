import type { RegionStatus } from '../workflows/regionLifecycle/status.js';
import type { RegionRow } from './regionRow.js';

/** What is watched, by name; a change of any is told. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

export interface Change {
  /** ISO 8601, by the clock of whoever watches. */
  at: string;
  region: string;
  field: string;
  /** `null` at the first look. */
  from: Facts[string];
  to: Facts[string];
}

/** What the server alone knows. */
export function factsOfRow({ phase, blockedReason, status, execution }: RegionRow): Facts {
  return { phase, blocked: blockedReason, execution, line: status };
}

/** What the region itself tells. Ticks and other things that move all the time are left to the drawn view. */
export function factsOfStatus(s: RegionStatus): Facts {
  const stage = s.activation.at(-1);
  return {
    phase: s.phase,
    step: s.step,
    blocked: s.blocked?.reason ?? null,
    plan: short(s.planHash),
    release: short(s.currentHash),
    window: s.window ?? null,
    activation: stage === undefined ? null : `${stage.localPercent} % ${stage.verdict}`,
    trust: s.trust,
    frozenBy: s.freeze?.who ?? null,
    rolledBackTo: s.rolledBackTo,
    tuner: s.tuner.state,
    adjustments: s.tuner.report?.adjustmentsMade ?? 0,
    reverted: s.tuner.report?.adjustmentsReverted ?? 0,
    overrides: s.overrides.map((o) => `${o.address}=${o.value}`).join(', ') || null,
    replan: s.replan === undefined ? null : `${s.replan.state}: ${s.replan.detail}`,
    refusedMessages: s.refused.total,
  };
}

/** Fields that one look has and the other lacks are no change: a region without a worker tells less. */
export function changesBetween(
  before: Facts | null,
  after: Facts,
  { at, region }: { at: string; region: string },
): Change[] {
  return Object.entries(after).flatMap(([field, to]): Change[] => {
    if (before === null) return to === null ? [] : [{ at, region, field, from: null, to }];
    const from = before[field];
    return from === undefined || from === to ? [] : [{ at, region, field, from, to }];
  });
}

export function changeLine({ at, field, from, to }: Change): string {
  return `${at} ${field}: ${from === null ? '' : `${from} → `}${to ?? 'none'}\n`;
}

function short(hash: string | null): string | null {
  return hash?.slice(0, 12) ?? null;
}
