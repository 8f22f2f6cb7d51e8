import { guard } from '../guards.js';
import type { GuardName } from '../guards.js';
import { TUNED_FIELDS } from '../types.js';
import type { Change, TuningContext } from '../types.js';
import { settingsFor } from './coefficients.js';
import type { Coefficients, PlannedService } from './coefficients.js';

export type LiveMove =
  | {
      ok: true;
      changes: readonly Change[];
      /** Every value gets to where the coefficients put it; else it is on its way, and the rung is not reached. */
      isWhole: boolean;
    }
  | { ok: false; guard: GuardName; reason: string };

/**
 * What a move of coefficients changes of the settings that run, asked of the guards that every adjustment passes: any
 * that refuses one change refuses the move, and any may shorten it (`stepGuard`). Settings that no guard knows
 * (`inbound.maxRequests`, bursts) follow their ladder and are not among the changes.
 */
export function liveMove(service: string, planned: PlannedService, to: Coefficients, context: TuningContext): LiveMove {
  const live = context.services.find(({ plan }) => plan.service === service)?.live;
  const wanted = settingsFor(planned, to);
  const changes: Change[] = [];
  let isWhole = true;
  for (const field of TUNED_FIELDS) {
    const from = live?.[field] ?? planned.settings[field];
    if (from === wanted[field]) continue;
    const guarded = guard({ service, field, from, to: wanted[field] }, context);
    if (!guarded.ok) return guarded;
    isWhole &&= guarded.change.to === wanted[field];
    changes.push(guarded.change);
  }
  return { ok: true, changes, isWhole };
}
