import type { AcceptedRegion, ApprovalRules, Tunables } from './contract.js';
import { refuseAll } from './errors.js';
import type { Activity } from './ports.js';
import { parseRegion } from '../core/spec/parseRegion.js';
import { NOTIFICATION_KINDS } from '../core/spec/region.js';
import type { ApprovalsSpec, RegionSpec } from '../core/spec/region.js';
import { SETTING_FIELDS } from '../core/spec/settings.js';
import { textOf } from './textOf.js';

const HOUR_MS = 3_600_000;

/** Reads the region file's text, refuses it whole or keeps it; everything that steers the workflows comes from here. */
export const acceptRegion: Activity<unknown, AcceptedRegion> =
  ({ artifacts }) =>
  async (text) => {
    const decoded = textOf(text, 'region');
    if (typeof decoded !== 'string') throw refuseAll('invalid-region', 'the region file is refused', [decoded]);
    const parsed = parseRegion(decoded, 'region file');
    if (!parsed.ok) throw refuseAll('invalid-region', 'the region file is refused', parsed.problems);
    const spec = parsed.value;
    return {
      name: spec.name,
      specRef: await artifacts.putJson('region', spec),
      autonomy: spec.autonomy,
      ...operatorRules(spec),
      services: spec.services.map((service) => service.name),
      regions: [spec.name, ...spec.neighbours.map((neighbour) => neighbour.name)],
      hosts: spec.delivery.hosts.map((host) => host.name),
      settingRules: SETTING_FIELDS,
      activationSteps: spec.activation.steps,
      maxInconclusive: spec.activation.maxInconclusive,
      tunables: tunablesOf(spec),
      warnings: parsed.warnings.map((problem) => `${problem.field}: ${problem.message}`),
    };
  };

/** What people reserved for themselves; a region that says nothing of it has none of these. */
function operatorRules(spec: RegionSpec): Partial<AcceptedRegion> {
  const { approvals, autonomyRules, fleet, freezes, mode, notifications } = spec;
  const kinds = (notifications ?? []).flatMap(({ on }) => on ?? NOTIFICATION_KINDS);
  return {
    ...(autonomyRules === undefined ? {} : { autonomyRules }),
    ...(mode === 'preview' ? { preview: true } : {}),
    ...(approvals === undefined ? {} : { approvals: approvalRules(approvals) }),
    ...(freezes === undefined || freezes.length === 0 ? {} : { hasCalendar: true }),
    ...(kinds.length === 0 ? {} : { notifies: [...new Set(kinds)] }),
    ...(fleet === undefined ? {} : { fleet: { id: fleet.id, permitMs: fleet.permitSeconds * 1000 } }),
  };
}

function approvalRules({
  autoBelowPercent,
  approverNotRequester,
  requester,
  timeoutSeconds,
}: ApprovalsSpec): ApprovalRules {
  const rules = { autoBelowPercent, approverNotRequester, timeoutMs: timeoutSeconds * 1000 };
  return requester === undefined ? rules : { ...rules, requester };
}

function tunablesOf(spec: RegionSpec): Tunables {
  return {
    tickMs: spec.operate.tickSeconds * 1000,
    judgeMs: spec.activation.judgeSeconds * 1000,
    stackTimeoutMs: spec.stack.timeoutSeconds * 1000,
    deployTimeoutMs: spec.delivery.hostWaitSeconds * 1000 + HOUR_MS,
    holdTimeoutMs: 60_000,
    ticksPerReport: 6,
    maxOverrides: 256,
    maxKeys: 1024,
    keyLifetimeMs: 24 * HOUR_MS,
    ...(spec.planning?.replanSeconds === undefined ? {} : { replanMs: spec.planning.replanSeconds * 1000 }),
  };
}
