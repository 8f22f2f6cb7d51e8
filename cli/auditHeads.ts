import type { AuditHead } from '../core/audit/record.js';
import { connectClient, temporalTarget } from '../workers/connect.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../workflows/shared/names.js';
import type { AuditStatus } from '../workflows/shared/audit.js';

/** Where a region's two workflows know its chain to end. Rejects when the region's lifecycle does not answer. */
export async function auditHeads(region: string): Promise<readonly AuditHead[]> {
  const client = await connectClient(temporalTarget());
  try {
    const ask = (workflowId: string): Promise<{ audit?: AuditStatus }> =>
      client.workflow.getHandle(workflowId).query<{ audit?: AuditStatus }>('status');
    const lifecycle = await ask(regionWorkflowId(region));
    // A region that does not operate yet has no adjustment.
    const adjustment = await ask(adjustmentWorkflowId(region)).catch(() => ({}) as { audit?: AuditStatus });
    return [lifecycle, adjustment].flatMap(({ audit }) =>
      audit === undefined || audit.seq === null || audit.hash === null ? [] : [{ seq: audit.seq, hash: audit.hash }],
    );
  } finally {
    await client.connection.close();
  }
}
