import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { limited } from '../activities/limited.js';
import type { FleetStatus } from '../workflows/fleet/state.js';
import type { MessageBase, MessageOutcome } from '../workflows/regionLifecycle/messages.js';
import type { Freeze, RegionStatus } from '../workflows/regionLifecycle/status.js';
import { FLEET_WORKFLOW_TYPE, REGION_WORKFLOW_TYPE, regionWorkflowId } from '../workflows/shared/names.js';

import type { Started } from './clientCalls.js';
import { startOnce } from './clientCalls.js';

/** The part of `psmg fleet` that needs Temporal's client. */

/** The same words as the coordinator's, by which a fleet-wide freeze is known from one of a single region. */
const FLEET_WIDE = 'fleet-wide: ';

/** Regions spoken to at once. */
const AT_ONCE = 32;

export interface RegionAnswer {
  region: string;
  /** Whether it has said, within the time, that it is as it was asked to be and writes nothing more for the old order. */
  confirmed: boolean;
  detail: string;
}

export async function startFleet(
  client: Client,
  { name, text, taskQueue }: { name: string; text: string; taskQueue: string },
): Promise<Started> {
  const summary = `coordinator of fleet ${name}`;
  return startOnce(client, { type: FLEET_WORKFLOW_TYPE, workflowId: name, taskQueue, text, summary });
}

export async function fleetStatus(client: Client, fleet: string): Promise<FleetStatus> {
  return client.workflow.getHandle(fleet).query<FleetStatus>('status');
}

/** By the server's own list, so that it is complete with no coordinator and no worker. */
export async function openRegions(client: Client): Promise<string[]> {
  const regions: string[] = [];
  const query = `WorkflowType="${REGION_WORKFLOW_TYPE}" AND ExecutionStatus="Running"`;
  const prefix = regionWorkflowId('');
  for await (const { workflowId } of client.workflow.list({ query })) {
    if (workflowId.startsWith(prefix)) regions.push(workflowId.slice(prefix.length));
  }
  return [...new Set(regions)].sort();
}

export interface EveryRegion {
  fleet: string;
  message: MessageBase;
  /** How long each region has to confirm. */
  waitMs: number;
}

/**
 * Freezes every open region, each by a signal of its own and in parallel, whether or not a coordinator runs; one that
 * does is told first, so that it grants nothing more. A region confirms by the outcome of the same message, which comes
 * when its adjustment has stopped and no write of its own is under way.
 */
export async function freezeEveryRegion(client: Client, order: EveryRegion): Promise<RegionAnswer[]> {
  await tellCoordinator(client, 'freeze-all', order);
  return toEach(client, await openRegions(client), 'freeze', order, ({ freeze }) => freeze !== null);
}

/** Leaves those that a person froze or rolled back by themselves, unless `every`. */
export async function resumeEveryRegion(
  client: Client,
  order: EveryRegion & { every: boolean },
): Promise<RegionAnswer[]> {
  const open = await openRegions(client);
  const looked = await limited(open, AT_ONCE, (region) => statusOf(client, region, order.waitMs));
  const left: RegionAnswer[] = [];
  const ours: string[] = [];
  for (const [place, region] of open.entries()) {
    const look = looked[place];
    const status = look?.status === 'fulfilled' ? look.value : null;
    const why = status === null || order.every ? null : ownReason(status);
    if (why === null) ours.push(region);
    else left.push({ region, confirmed: true, detail: why });
  }
  const except = left.map(({ region }) => region);
  await tellCoordinator(client, 'resume-all', order, except);
  const resumed = await toEach(client, ours, 'resume', order, ({ freeze }) => freeze === null);
  return [...resumed, ...left].sort((a, b) => a.region.localeCompare(b.region));
}

function ownReason({ freeze, rolledBackTo }: RegionStatus): string | null {
  if (rolledBackTo !== null) return `left as it is: rolled back to ${rolledBackTo}`;
  return freeze === null || isFleetWide(freeze) ? null : `left frozen, by ${freeze.who}: ${freeze.why}`;
}

function isFleetWide({ why }: Freeze): boolean {
  return why.startsWith(FLEET_WIDE);
}

/** Without one, or with one that does not answer, the regions are told all the same. */
async function tellCoordinator(
  client: Client,
  name: 'freeze-all' | 'resume-all',
  { fleet, message }: EveryRegion,
  except: readonly string[] = [],
): Promise<void> {
  const handle = client.workflow.getHandle(fleet);
  try {
    const known = except.length === 0 ? [] : (await fleetStatus(client, fleet)).regions.map((region) => region.name);
    const left = except.filter((region) => known.includes(region));
    await handle.signal(name, { ...message, ...(left.length === 0 ? {} : { except: left }) });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function toEach(
  client: Client,
  regions: readonly string[],
  name: 'freeze' | 'resume',
  order: EveryRegion,
  holds: (status: RegionStatus) => boolean,
): Promise<RegionAnswer[]> {
  const { key, who, why } = order.message;
  const message = { key: `fleet/${key}`, who, why: `${FLEET_WIDE}${why}` };
  const answers = await limited(regions, AT_ONCE, async (region): Promise<RegionAnswer> => {
    const handle = client.workflow.getHandle(regionWorkflowId(region));
    // Recorded whatever its worker does; the update of the same key only waits for what comes of it.
    await handle.signal(name, message);
    const asked = handle
      .executeUpdate<MessageOutcome, [unknown]>(name, { args: [message], updateId: `${name}/${message.key}` })
      .catch((error: unknown) => ({ accepted: false, detail: reasonOf(error) }));
    const outcome = await inTime(asked, order.waitMs);
    const status = await statusOf(client, region, order.waitMs);
    if (outcome === null) {
      const detail = holds(status)
        ? `${name} is in force, but a write that had begun is not over, or its adjustment has not answered`
        : `${name} is recorded; the region has not taken it up`;
      return { region, confirmed: false, detail };
    }
    // One that was in that state already says so, which is what was wanted.
    return { region, confirmed: holds(status), detail: outcome.detail };
  });
  return answers.map((answer, place) =>
    answer.status === 'fulfilled'
      ? answer.value
      : { region: regions[place] ?? '', confirmed: false, detail: reasonOf(answer.reason) },
  );
}

async function statusOf(client: Client, region: string, waitMs: number): Promise<RegionStatus> {
  const handle = client.workflow.getHandle(regionWorkflowId(region));
  return client.withDeadline(Date.now() + waitMs, () => handle.query<RegionStatus>('status'));
}

async function inTime<T>(work: Promise<T>, waitMs: number): Promise<T | null> {
  const over = new AbortController();
  const late = pause(waitMs, null, { signal: over.signal }).catch(() => null);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof WorkflowUpdateFailedError ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
