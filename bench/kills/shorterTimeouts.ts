import type { WorkflowInterceptors } from '@temporalio/workflow';

/** So that a lost worker is noticed within seconds and hundreds can be lost in minutes; the workflows are as shipped. */
const SHORTER = 10;
const LEAST_MS = 2000;

export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      scheduleActivity: (input, next) => {
        const { heartbeatTimeout, startToCloseTimeout } = input.options;
        const options = {
          ...input.options,
          ...(heartbeatTimeout === undefined ? {} : { heartbeatTimeout: shorter(heartbeatTimeout) }),
          // What does not beat is noticed by its whole time alone.
          ...(heartbeatTimeout === undefined && startToCloseTimeout !== undefined
            ? { startToCloseTimeout: shorter(startToCloseTimeout) }
            : {}),
        };
        return next({ ...input, options });
      },
    },
  ],
});

function shorter(timeout: string | number): number {
  return Math.max(LEAST_MS, Number(timeout) / SHORTER);
}
