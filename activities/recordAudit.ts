import type { AuditInput, AuditOutcome } from './contract.js';
import type { Activity } from './ports.js';

/**
 * Appends what a workflow decided to the audit. Entries that are recorded already are passed over, so that it can be
 * tried again for as long as it takes.
 */
export const recordAudit: Activity<AuditInput, AuditOutcome> =
  (ports) =>
  async ({ region, workflowId, entries }) => {
    const { head, conflicts } = await ports.audit.append(
      region,
      entries.map((entry) => ({ ...entry, workflowId })),
    );
    return { seq: head.seq, hash: head.hash, conflicts: conflicts.length };
  };
