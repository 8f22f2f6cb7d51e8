import type { WorkflowExecutionInfo } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../workflows/shared/searchAttributes.js';

/** What the server alone knows of a region: no worker is asked. */
export interface RegionRow {
  region: string;
  /** `unknown` before the region has said anything. */
  phase: string;
  blockedReason: string | null;
  /** Phase, block or freeze in a line; `null`: not said yet. */
  status: string | null;
  /** `RUNNING`, `COMPLETED`, `FAILED` … */
  execution: string;
  startedAt: string;
  /** `null`: it runs. */
  closedAt: string | null;
}

export type ToldByServer = Pick<
  WorkflowExecutionInfo,
  'workflowId' | 'status' | 'startTime' | 'closeTime' | 'memo' | 'typedSearchAttributes'
>;

export function regionRow(info: ToldByServer): RegionRow {
  const { typedSearchAttributes: attributes, memo } = info;
  const reason = attributes.get(SEARCH_ATTRIBUTES.blockedReason);
  const status = memo?.['status'];
  return {
    region: attributes.get(SEARCH_ATTRIBUTES.region) ?? info.workflowId.replace(/^region\//, ''),
    phase: attributes.get(SEARCH_ATTRIBUTES.phase) ?? 'unknown',
    blockedReason: reason === undefined || reason === 'none' ? null : reason,
    status: typeof status === 'string' ? status : null,
    execution: info.status.name,
    startedAt: info.startTime.toISOString(),
    closedAt: info.closeTime?.toISOString() ?? null,
  };
}

/** How a region ended and what can be done now. */
export function closedText(region: string, info: ToldByServer): string {
  const { phase, execution, closedAt } = regionRow(info);
  const end = execution === 'COMPLETED' && phase !== 'unknown' ? phase : execution.toLowerCase();
  const at = end === phase || phase === 'unknown' ? '' : ` in phase ${phase}`;
  return `region ${region} was ${end}${at} on ${closedAt ?? 'an unknown day'} and takes no messages; start it again with "psmg region start FILE"`;
}

/** Fine when people wanted the end. */
export function endedWell({ execution, phase }: RegionRow): boolean {
  return execution === 'COMPLETED' && phase !== 'aborted' && phase !== 'blocked';
}
