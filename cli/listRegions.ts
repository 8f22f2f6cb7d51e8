import { REGION_WORKFLOW_TYPE } from '../workflows/shared/names.js';
import type { ConnectionChoice } from './connection.js';
import { withClient } from './regionClient.js';
import type { RegionRow } from './regionRow.js';
import { regionRow } from './regionRow.js';

/** By the server's own list, the last started first; `all`: of those that have ended each run that it still keeps. */
export async function listRegions(all: boolean, choice: ConnectionChoice): Promise<RegionRow[]> {
  const running = all ? '' : ` AND ExecutionStatus = 'Running'`;
  // What went on in a new run is not an end of the region.
  const query = `WorkflowType = '${REGION_WORKFLOW_TYPE}'${running} AND ExecutionStatus != 'ContinuedAsNew'`;
  return withClient(async (client) => {
    const rows: RegionRow[] = [];
    for await (const info of client.workflow.list({ query })) rows.push(regionRow(info));
    return rows;
  }, choice);
}
