import type { WorkflowInterceptors } from '@temporalio/workflow';

/** What fired timers prove. The SDK gives every workflow its own modules: none sees what another left. */
// eslint-disable-next-line no-restricted-syntax -- the interceptor has no other way to the workflow than a module
const proved = { ms: 0 };

/**
 * Workflow time: the SDK replaces the global clock inside the sandbox, so that a replay reads what was read first; and
 * a timer that fired is believed, whatever that clock says (see `interceptors`).
 */
export function nowMs(): number {
  return Math.max(Date.now(), proved.ms);
}

export function nowIso(): string {
  return new Date(nowMs()).toISOString();
}

/**
 * A query that waited while no worker ran is answered by running the workflow over everything that has happened since,
 * by the clock of the last task before: a timer fires, and its time has not come yet. What the workflow decides then is
 * kept, and a replay by the right clock decides otherwise: the workflow could never go on.
 */
export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      startTimer: (input, next) => {
        const dueMs = nowMs() + input.durationMs;
        const fired = next(input);
        // Before whoever waits for it goes on, and without a turn more than there is without this.
        fired.then(
          () => {
            proved.ms = Math.max(proved.ms, dueMs);
          },
          () => undefined,
        );
        return fired;
      },
    },
  ],
});
