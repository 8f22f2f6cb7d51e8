import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { AcceptedFleet, FleetActivities } from '../../activities/acceptFleet.js';
import { AuditTrail, isAudited } from '../shared/audit.js';
import { nowMs } from '../shared/clock.js';
import { SEARCH_ATTRIBUTES } from '../shared/searchAttributes.js';
import { upgradeIsDue } from '../shared/upgrade.js';
import { Coordinator } from './coordinator.js';
import { FleetMailbox } from './mailbox.js';
import { fleetStatusQuery } from './messages.js';
import type { FleetState } from './state.js';
import { fleetLine, fleetMarkdown, fleetStatusOf, handOnFleet, initialFleetState, readFleetState } from './state.js';

/** What stands for all regions in search attributes and in the audit; no region can be called that. */
const EVERY_REGION = '*fleet*';

const { acceptFleet } = proxyLocalActivities<FleetActivities>({
  startToCloseTimeout: 60_000,
  retry: { maximumAttempts: 3 },
});

/**
 * Lets regions change in turn. Its input is the text of the fleet file, as bytes or a JSON string. It upholds:
 * 1. it writes to no target: a region that it cannot reach, or that does without it, only waits longer;
 * 2. what regions asked for and people said survives continue-as-new; it runs until it is cancelled.
 */
export async function fleetCoordinator(text: unknown, resumed?: unknown): Promise<null> {
  isAudited();
  const mailbox = new FleetMailbox();
  const isContinued = workflowInfo().continuedFromExecutionRunId !== undefined;
  const state = isContinued ? readFleetState(resumed) : initialFleetState(await accept(text));
  const trail = new AuditTrail({ region: EVERY_REGION, state, planHash: () => null });
  const coordinator = new Coordinator(state, mailbox, (fact) => trail.note(fact));
  setHandler(fleetStatusQuery, () => fleetStatusOf(state));
  let shown = '';
  for (;;) {
    await coordinator.step();
    shown = show(state, shown);
    if (wantsNewRun() && !coordinator.hasWork()) {
      await condition(allHandlersFinished);
      await trail.settle();
      if (!coordinator.hasWork()) break;
    }
    const waitMs = Math.min(coordinator.dueMs() - nowMs(), 24 * 3_600_000);
    await condition(() => coordinator.hasWork() || wantsNewRun(), Math.max(1, waitMs));
  }
  return continueAsNew<typeof fleetCoordinator>(null, handOnFleet(state));
}

function wantsNewRun(): boolean {
  return workflowInfo().continueAsNewSuggested || upgradeIsDue();
}

async function accept(text: unknown): Promise<AcceptedFleet> {
  setCurrentDetails('reading the fleet file');
  const { workflowId } = workflowInfo();
  setHandler(fleetStatusQuery, () => ({ ...fleetStatusOf(unread(workflowId)), phase: 'accepting' as const }));
  const accepted = await acceptFleet(text).catch((error: unknown) => {
    throw error instanceof ActivityFailure && error.cause instanceof ApplicationFailure ? error.cause : error;
  });
  if ('problems' in accepted) {
    const { message, problems } = accepted;
    throw ApplicationFailure.nonRetryable(message, 'invalid-fleet', { problems });
  }
  if (accepted.name !== workflowId) {
    const message = `the fleet is "${accepted.name}", but it was started as "${workflowId}"`;
    throw ApplicationFailure.nonRetryable(
      `the fleet file is refused: 1 problem\n- name: ${message}; start it with --workflow-id ${accepted.name}`,
      'invalid-fleet',
    );
  }
  return accepted;
}

function unread(name: string): FleetState {
  const nothing = { regions: [], failover: null, stages: [] };
  return initialFleetState({ name, maxConcurrentChanges: 0, permitMs: 0, judgeMs: 0, timeoutMs: 0, ...nothing });
}

/** Where people look: search attributes, memo, and the details in the UI. */
function show(state: FleetState, shown: string): string {
  setCurrentDetails(fleetMarkdown(state));
  const line = fleetLine(state);
  if (line === shown) return shown;
  if (shown === '') {
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.region, value: EVERY_REGION },
      { key: SEARCH_ATTRIBUTES.phase, value: 'operating' },
    ]);
  }
  upsertMemo({ status: line });
  return line;
}
