import type { RegionStatus } from '../workflows/regionLifecycle/status.js';
import { oneDecimal } from '../core/spec/oneDecimal.js';

/** What a person on call reads first, first. */
export function statusText(s: RegionStatus): string {
  const lines = [
    `region ${s.region}: ${s.phase} (step ${s.step}; done: ${s.completed.join(', ') || 'none'})`,
    ...(s.blocked === null ? [] : [`BLOCKED ${s.blocked.reason} since ${s.blocked.since}`, indent(s.blocked.detail)]),
    ...(s.freeze === null ? [] : [`FROZEN by ${s.freeze.who} since ${s.freeze.since}: ${s.freeze.why}`]),
    ...(s.takenOver === undefined
      ? []
      : [`TAKEN OVER by ${s.takenOver.who} since ${s.takenOver.since}: ${s.takenOver.why}`]),
    `autonomy ${s.autonomy} · trust ${s.trust ?? 'unknown'} · epoch ${s.epoch} · plan ${short(s.planHash)} · release ${short(s.currentHash)}`,
    `tuner ${s.tuner.state}${s.tuner.report === null ? '' : `: ${s.tuner.report.ticks} ticks, ${s.tuner.report.adjustmentsMade} adjustments, ${s.tuner.report.adjustmentsReverted} reverted; ${s.tuner.report.lastDecision}`}`,
    ...(s.autonomyRules ?? []).map(
      (r) => `  autonomy ${r.class ?? 'every class'} of ${r.service ?? 'every service'}: ${r.level}`,
    ),
    ...(s.proposals ?? []).map(
      (p) =>
        `  adjustment ${p.id} ${p.state}${p.who === null ? '' : ` by ${p.who}`}: ${p.address} ${p.from} → ${p.to}: ${p.reason}`,
    ),
    ...(s.notifications === undefined || s.notifications.problem === null
      ? []
      : [`notifications: ${s.notifications.pending} wait, ${s.notifications.lost} lost: ${s.notifications.problem}`]),
    ...(s.window === undefined
      ? []
      : [
          `window of the plan from ${s.window} in force (${s.plan?.windows?.length ?? 0} in all: ${s.plan?.windows?.join(', ') ?? ''})`,
        ]),
    ...(s.replan === undefined
      ? []
      : [`planned anew by ${s.replan.by} at ${s.replan.at}: ${s.replan.state}, ${s.replan.detail}`]),
    ...(s.plan?.services ?? []).map(
      (p) => `  ${p.service}: ${p.instances} instances for ${oneDecimal(p.demandRps)} rps (${p.reason})`,
    ),
    ...s.activation.map(
      (a) => `  ${a.at} ${a.localPercent} %${a.enforceLimits ? ' enforced' : ''}: ${a.verdict}: ${a.reason}`,
    ),
    ...s.overrides.map(
      (o) =>
        `  override ${o.address} = ${o.value} by ${o.who}${o.until === undefined ? '' : ` until ${o.until}`}: ${o.why}`,
    ),
    ...s.deployments.map((d) => `  deployment ${d.id} at ${d.at}: release ${short(d.hash)}, ${d.localPercent} % local`),
    ...(s.refused.total === 0 ? [] : [`refused messages: ${s.refused.total}`]),
    ...s.refused.last.slice(-5).map((r) => `  ${r.at} ${r.name}: ${r.reason}`),
  ];
  return `${lines.join('\n')}\n`;
}

function short(hash: string | null): string {
  return hash?.slice(0, 12) ?? 'none';
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
