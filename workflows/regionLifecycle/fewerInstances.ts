import { nowMs } from '../shared/clock.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';

export interface MissingInstances {
  service: string;
  ready: number;
  planned: number;
}

/** Who is said to want the plan that follows. */
export const FEWER_INSTANCES = 'psmg (fewer instances came than were planned)';

/** Services of which fewer instances came than were planned, as the stack stood when it was waited for. */
export function missingInstances({ stack }: Pick<LifecycleState, 'stack'>): MissingInstances[] {
  return Object.entries(stack?.planned ?? {}).flatMap(([service, planned]) => {
    const ready = stack?.readyInstances[service] ?? 0;
    return ready < planned ? [{ service, ready, planned }] : [];
  });
}

/** Notes it, and has the region plan anew as soon as it operates, where it may act. */
export function replanWhereFewer(region: Region): void {
  const { state, mailbox } = region;
  const missing = missingInstances(state);
  // Runs that began before this went on with the plan that they had.
  if (missing.length === 0 || !mailbox.strict) return;
  const why = 'fewer instances came than were planned; limits follow those that are ready';
  const result = missing.slice(0, 20).map(({ service, ready, planned }) => `${service}: ${ready} of ${planned}`);
  region.audit.note({ kind: 'capacity', why, subject: 'stack', result });
  if (state.accepted.autonomy !== 'act') return;
  state.replan = { startedMs: nowMs(), last: null, ...state.replan, wantedBy: FEWER_INSTANCES };
}

/** Lines of Markdown for the details in the UI. */
export function missingLines(state: LifecycleState): string[] {
  return missingInstances(state).map(({ service, ready, planned }) => {
    return `- ${service}: ${ready} of ${planned} planned instances were ready at the start`;
  });
}
