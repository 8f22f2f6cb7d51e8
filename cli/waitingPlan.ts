import type { ApprovalState } from '../workflows/regionLifecycle/approvals.js';
import type { ConnectionChoice } from './connection.js';
import { Told } from './told.js';

/** The plan on which a region waits for a person's word. Throws in words where none does. */
export async function waitingPlan(region: string, choice: ConnectionChoice): Promise<ApprovalState> {
  const { regionExplanation } = await import('./regionClient.js');
  const explained = await regionExplanation(region, choice);
  if (explained === null) {
    throw new Told(
      `the worker of region ${region} does not tell which plan waits: give the hash that its status shows`,
    );
  }
  const { approval, phase } = explained;
  if (approval?.state !== 'wanted') {
    const last = approval === undefined ? '' : `; the last one, ${short(approval)}, is ${approval.state}`;
    const others = explained.waits.filter(({ ways }) => ways.some(({ message }) => message === 'approve'));
    const hint = others.length === 0 ? '' : '; adjustments do, by their ids: "psmg region explain" names them';
    throw new Told(`no plan of region ${region} waits for a person's word (phase ${phase}${last})${hint}`);
  }
  return approval;
}

/** What a person decides on. */
export function toldPlan(plan: ApprovalState): string {
  const { planHash, blastPercent, requestedBy, askedAt, expiresMs } = plan;
  const what = plan.for === 'launch' ? 'the first plan of the region' : 'a plan in place of the one that runs';
  const until = expiresMs === null ? 'waits for ever' : `counts as refused from ${new Date(expiresMs).toISOString()}`;
  return [
    `plan ${planHash}`,
    `  is ${what}, wanted by ${requestedBy ?? 'the schedule'} at ${askedAt}; ${until}`,
    `  changes ${blastPercent} % of the region's requests`,
    ...plan.services.map(({ service, changes, summary }) => `    ${service}: ${changes} changes: ${summary}`),
    '',
  ].join('\n');
}

function short({ planHash }: ApprovalState): string {
  return planHash.slice(0, 12);
}
