import type { ReceiversInput, ReceiversOutcome } from './contract.js';
import type { Activity } from './ports.js';
import type { PlanDocument } from './release.js';
import { receiverShortfalls } from '../core/plan/receivers.js';
import type { RegionSpec } from '../core/spec/region.js';

/** Whether other regions have room for all the users of this one, by the plan that runs and the region file. */
export const checkReceivers: Activity<ReceiversInput, ReceiversOutcome> =
  (ports) =>
  async ({ specRef, plan, window }) => {
    const [spec, document] = await Promise.all([
      ports.artifacts.getJson<RegionSpec>(specRef),
      ports.artifacts.getJson<PlanDocument>(plan.ref),
    ]);
    return { shortfalls: receiverShortfalls(spec, document.plan, window) };
  };
