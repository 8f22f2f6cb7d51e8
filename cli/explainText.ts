import type { NextChange, RegionExplanation, Wait } from '../workflows/regionLifecycle/explain.js';

/** Why the region is as it is and what comes next; `service` leaves the others out. */
export function explainText(explained: RegionExplanation, service?: string): string {
  const { region, phase, step, since, why, tuner } = explained;
  const services = explained.services.filter((one) => service === undefined || one.service === service);
  const lines = [
    `region ${region}: ${phase}${since === null ? '' : ` since ${since}`} (step ${step}), as of ${explained.at}`,
    `  ${why}`,
    'waits for',
    ...(explained.waits.length === 0 ? ['  nothing: it goes on by itself'] : explained.waits.flatMap(waitLines)),
    'comes next by itself',
    ...(explained.next.length === 0 ? ['  nothing'] : explained.next.map(nextLine)),
    'in force beyond the plan',
    ...services.flatMap((one) => one.overrides).map(overrideLine),
    `  tuner ${tuner.state}: ${tuner.adjustmentsMade} adjustments, ${tuner.adjustmentsReverted} reverted${tuner.lastDecision === null ? '' : `; ${tuner.lastDecision}`}`,
    'decided last',
    ...(explained.decisions.length === 0 ? ['  nothing'] : explained.decisions.map((d) => `  ${d.at} ${d.what}`)),
  ];
  return `${lines.join('\n')}\n`;
}

function waitLines({ for: what, since, ways }: Wait): string[] {
  return [
    `  ${what}${since === null ? '' : ` (since ${since})`}`,
    ...ways.flatMap(({ message, does, line }) => [`    ${message} ${does}:`, `      ${line}`]),
  ];
}

function nextLine({ at, what, heldBy }: NextChange): string {
  return `  ${at ?? 'when it is its turn'}: ${what}${heldBy === null ? '' : ` (held back: ${heldBy})`}`;
}

function overrideLine(o: RegionExplanation['services'][number]['overrides'][number]): string {
  return `  ${o.address} = ${o.value} by ${o.who}${o.until === undefined ? '' : ` until ${o.until}`}: ${o.why}`;
}
