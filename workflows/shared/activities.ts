import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import type { ActivityOptions } from '@temporalio/workflow';
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { RegionActivities, Tunables } from '../../activities/contract.js';

const MINUTE_MS = 60_000;
const RETRY = { initialInterval: 1000, backoffCoefficient: 2, maximumInterval: 10_000, maximumAttempts: 4 } as const;

export const { acceptRegion } = proxyLocalActivities<RegionActivities>({
  startToCloseTimeout: MINUTE_MS,
  retry: { maximumAttempts: 3 },
});

/**
 * No local activity, though it would cost fewer events: beside other work, one that spans two workflow tasks settles in
 * another order when it is replayed.
 */
export const { recordAudit } = proxyActivities<RegionActivities>({ startToCloseTimeout: 10_000, retry: RETRY });

export const { forecastRegion, planRegion, readCalendar, checkReceivers } = proxyActivities<RegionActivities>({
  startToCloseTimeout: 15 * MINUTE_MS,
  heartbeatTimeout: 2 * MINUTE_MS,
  retry: RETRY,
});

export const { applyIntent, restoreDeployment, readBack, readTargets, exportTargets, moveEntry } =
  proxyActivities<RegionActivities>({
    startToCloseTimeout: 5 * MINUTE_MS,
    heartbeatTimeout: 20_000,
    retry: RETRY,
  });

/** Retried by whoever keeps the outbox, which remembers who was told. */
export const { notify } = proxyActivities<RegionActivities>({
  startToCloseTimeout: 90_000,
  retry: { maximumAttempts: 1 },
});

/** Activities whose length the region file decides. */
export function timedActivities(
  tunables: Tunables,
): Pick<RegionActivities, 'deployRelease' | 'awaitStack' | 'judgeStage' | 'tick'> {
  // A lost worker is noticed by the missing heartbeat; the playbook goes on meanwhile and the retry joins it.
  const { deployRelease } = proxyActivities<RegionActivities>({
    startToCloseTimeout: tunables.deployTimeoutMs,
    heartbeatTimeout: 10_000,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: RETRY,
  });
  const { awaitStack } = proxyActivities<RegionActivities>(heartbeating(tunables.stackTimeoutMs + MINUTE_MS));
  const { judgeStage } = proxyActivities<RegionActivities>(heartbeating(tunables.judgeMs + 2 * MINUTE_MS));
  const { tick } = proxyActivities<RegionActivities>(heartbeating(2 * MINUTE_MS));
  return { deployRelease, awaitStack, judgeStage, tick };
}

function heartbeating(startToCloseTimeout: number): ActivityOptions {
  return { startToCloseTimeout, heartbeatTimeout: 20_000, retry: RETRY };
}

/** Type and message of what made an activity fail, under the wrappers that Temporal puts around it. */
export function failureOf(error: unknown): { type: string; detail: string } {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return { type: cause.type ?? 'unknown', detail: cause.message };
  return { type: 'unknown', detail: cause instanceof Error ? cause.message : String(cause) };
}
