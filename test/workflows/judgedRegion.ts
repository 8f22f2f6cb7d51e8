import type { WorkflowHandle } from '@temporalio/client';
import type { AcceptedRegion, AuditNote, PlanOutcome, RegionActivities } from '../../activities/contract.js';
import type { MessageName } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import type { AdjustmentStatus } from '../../workflows/meshAdjustment/messages.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import type { AuditKind } from '../../core/audit/record.js';
import type { TestTemporal } from './environment.js';
import type { Conversation } from './conversation.js';
import { conversation } from './conversation.js';
import { startTestTemporal } from './environment.js';
import { ScriptedRegion } from './scriptedActivities.js';

/** A scripted region whose plans have hashes as long as real ones, and whose audit can be read. */
export class JudgedRegion extends ScriptedRegion {
  readonly notes: AuditNote[] = [];
  /** What the next plans are besides; e.g. the services of the blast radius. */
  planned: () => Partial<PlanOutcome> = () => ({});

  override activities(): RegionActivities {
    const scripted = super.activities();
    return {
      ...scripted,
      planRegion: async (input) => {
        const made = await scripted.planRegion(input);
        return { ...made, plan: { ...made.plan, hash: hashOf(this.plans) }, ...this.planned() };
      },
      recordAudit: async (input) => {
        const outcome = await scripted.recordAudit(input);
        this.notes.push(...input.entries);
        return outcome;
      },
    };
  }

  noted(kind: AuditKind): AuditNote[] {
    return this.notes.filter((note) => note.kind === kind);
  }
}

/** Of the n-th plan. */
export function hashOf(n: number): string {
  return String(n).padStart(2, '0').repeat(32);
}

export interface Judged extends Conversation<RegionStatus, MessageName> {
  outside: JudgedRegion;
  handle: WorkflowHandle;
  adjustment(): Promise<AdjustmentStatus>;
}

/** One worker for all regions of a test file: starting and stopping one takes longer than a region's launch. */
export interface JudgedRegions {
  temporal: TestTemporal;
  /** Launches a region over a scripted outside, runs `test`, and ends what is still running. */
  withRegion(
    accepted: Partial<AcceptedRegion>,
    test: (running: Judged) => Promise<void>,
    prepare?: (outside: JudgedRegion) => void,
  ): Promise<void>;
  stop(): Promise<void>;
}

const TASK_QUEUE = 'judged';

export async function startJudgedRegions(serverArgs: readonly string[] = []): Promise<JudgedRegions> {
  const temporal = await startTestTemporal(serverArgs);
  const outsides = new Map<string, RegionActivities>();
  const worker = await temporal.worker(TASK_QUEUE, dispatched(outsides));
  const running = worker.run();
  return {
    temporal,
    withRegion: async (accepted, test, prepare) => {
      const name = `judged-${outsides.size + 1}`;
      const outside = new JudgedRegion();
      outside.accepted = { specRef: { kind: 'region', hash: name, bytes: 1 }, ...accepted };
      prepare?.(outside);
      outsides.set(name, outside.activities());
      await launched(temporal, name, outside, test);
    },
    stop: async () => {
      worker.shutdown();
      await running;
      await temporal.stop();
    },
  };
}

/** Each region's activities are its own: all but two are told by the reference to its file, which bears its name. */
function dispatched(outsides: ReadonlyMap<string, RegionActivities>): RegionActivities {
  const of = (input: unknown): RegionActivities => {
    const { specRef, region } = (typeof input === 'string' ? { region: input } : input) as {
      specRef?: { hash: string };
      region?: string;
    };
    const found = outsides.get(specRef?.hash ?? region ?? '');
    if (found === undefined) throw new Error(`no region for ${JSON.stringify(input)}`);
    return found;
  };
  const names = Object.keys(new JudgedRegion().activities()) as (keyof RegionActivities)[];
  const call = (name: keyof RegionActivities) => (input: never) => of(input)[name](input);
  return Object.fromEntries(names.map((name) => [name, call(name)])) as unknown as RegionActivities;
}

async function launched(
  temporal: TestTemporal,
  name: string,
  outside: JudgedRegion,
  test: (running: Judged) => Promise<void>,
): Promise<void> {
  const { client } = temporal.env;
  const workflowId = regionWorkflowId(name);
  await client.workflow.start('regionLifecycle', { workflowId, taskQueue: TASK_QUEUE, args: [name] });
  // By its id alone, so that it follows the region into new runs.
  const handle = client.workflow.getHandle(workflowId);
  const adjustment = client.workflow.getHandle(adjustmentWorkflowId(name));
  try {
    await test({
      ...{ outside, handle },
      ...conversation<RegionStatus, MessageName>(handle, 'bob'),
      adjustment: () => adjustment.query<AdjustmentStatus>('status'),
    });
  } finally {
    await handle.terminate().catch(() => undefined);
    await adjustment.terminate().catch(() => undefined);
  }
}
